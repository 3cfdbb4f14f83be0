"""What is remembered is used only where it is whole and of the same question."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import audit_pipeline
from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.measurement import Part
from audit_pipeline.memory import code_behind, open_memory
from audit_pipeline.search.find import CODE as SEARCH
from audit_pipeline.shadows.material import CODE as SHADOWS


class Answer(Part):
    value: float


class Clerk:
    """Computes, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Answer:
        self.times += 1
        return Answer(value=0.1 + 0.2)


def entry_of(folder: Path) -> Path:
    (entry,) = folder.glob("*.json")
    return entry


def test_a_question_is_computed_once(tmp_path: Path) -> None:
    clerk, memory = Clerk(), open_memory(tmp_path / "cache", ())
    first = memory.recall({"a": 1}, Answer, clerk)
    assert memory.recall({"a": 1}, Answer, clerk) == first
    assert open_memory(tmp_path / "cache", ()).recall({"a": 1}, Answer, clerk) == first
    assert clerk.times == 1


def test_another_question_is_computed(tmp_path: Path) -> None:
    clerk, memory = Clerk(), open_memory(tmp_path, ())
    memory.recall({"a": 1}, Answer, clerk)
    memory.recall({"a": 2}, Answer, clerk)
    assert clerk.times == 2


def test_without_a_folder_nothing_is_remembered() -> None:
    clerk, memory = Clerk(), open_memory(None, ())
    memory.recall({}, Answer, clerk)
    memory.recall({}, Answer, clerk)
    assert clerk.times == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"[" * 100_000,
        lambda whole: b"null",
        lambda whole: b"\xff\xfe",
        lambda whole: whole.replace(b'"value":{"value":0.3', b'"value":{"value":0.4'),
        lambda whole: whole.replace(b'"question":{"a":1}', b'"question":{"a":3}'),
        lambda whole: forged(whole, {"value": "none"}),
        lambda whole: forged(whole, {"value": 1.0, "more": 2}),
    ],
    ids=["empty", "half", "nested", "null", "not text", "other value", "other question", "other type", "more keys"],
)
def test_a_damaged_entry_is_as_good_as_none(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    clerk, memory = Clerk(), open_memory(tmp_path, ())
    memory.recall({"a": 1}, Answer, clerk)
    entry = entry_of(tmp_path)
    whole = entry.read_bytes()
    assert damage(whole) != whole
    entry.write_bytes(damage(whole))
    assert memory.recall({"a": 1}, Answer, clerk) == Answer(value=0.1 + 0.2)
    assert clerk.times == 2
    assert entry.read_bytes() == whole


def forged(whole: bytes, value: dict[str, object]) -> bytes:
    """An entry whose digest fits, and whose value is no answer."""
    entry = json.loads(whole)
    return canonical_json(entry | {"value": value, "sha256": sha256_hex(canonical_json(value))})


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> Answer:
        raise InputError("no", "no")

    with pytest.raises(InputError):
        open_memory(tmp_path, ()).recall({}, Answer, fail)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_used_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught:
        open_memory(tmp_path / "file", ())
    assert caught.value.code == "search.cache"


@pytest.mark.parametrize(("entry", "code"), [("search/find.py", SEARCH), ("shadows/bench.py", SHADOWS)])
def test_all_code_behind_a_result_is_part_of_the_question(entry: str, code: tuple[str, ...]) -> None:
    root = Path(audit_pipeline.__file__).parent
    waiting, reached = [root / entry], set()
    while waiting:
        path = waiting.pop()
        if path not in reached and path.exists():
            reached.add(path)
            waiting += imported(path, root)
    assert len(reached) > 50
    assert reached <= set(code_behind(root, code))


def imported(path: Path, root: Path) -> list[Path]:
    """Files of this package that a file imports, anywhere in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        names += [f"{node.module}.{alias.name}" for alias in getattr(node, "names", []) if names]
        found += [root.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in names if "audit_pipeline." in name]
    return found
