"""The shape of the code itself: imports run downwards, and only the command line touches the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import audit_pipeline

ROOT = Path(audit_pipeline.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

STAGES = {"policy", "data", "model", "compress", "device", "evaluate", "privacy", "seal", "trail", "report"}
COMPOSERS = {
    "ship",
    "assess",
    "inputs",
    "preflight",
    "gate",
    "diff",
    "release",
    "journal",
    "attestations",
    "entries",
    "search",
    "shadows",
    "privacy_audit",
    "privacy_stage",
    "planting",
    "mitigation",
    "answers",
    "trust_log",
    "trust_memory",
    "people",
    "review",
    "conclude",
    "policy_history",
    "waived_release",
}
HEAVY = {
    "tensorflow",
    "tf_keras",
    "tensorflow_model_optimization",
    "pandas",
    "fairlearn",
    "imgtool",
    "pyarrow",
    "altair",
}
# The upper ones know the lower ones.
OF_PEOPLE = ("review", "gate", "people")
MAKES_RUNS = {"ship", "waived_release", "conclude", "journal"}
# Each stands for one library and is imported itself where it is needed.
ADAPTERS = {"data/arrow.py", "report/layers.py"}
# Given away in an export, for others to run: no part of the tool, and imported by nothing.
GIVEN_AWAY = {"trail/bundle/check.py"}
# TensorFlow reads these before its first import and offers no other way.
MAY_READ_THE_ENVIRONMENT = {"model/runtime.py"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used_parts(path: Path) -> set[str]:
    found = {name.split(".")[1] for name in imports(ast.parse(path.read_text())) if name.startswith("audit_pipeline.")}
    return found - {part_of(path), "__version__"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_below_the_command_line_imports_it(path: Path) -> None:
    if part_of(path) not in {"cli", "__main__"}:
        assert "cli" not in used_parts(path)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_stage_knows_what_composes_it(path: Path) -> None:
    if part_of(path) in STAGES:
        assert not used_parts(path) & COMPOSERS


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) in OF_PEOPLE], ids=name_of)
def test_what_judges_a_run_knows_nothing_of_what_makes_one_or_stands_above(path: Path) -> None:
    above = set(OF_PEOPLE[: OF_PEOPLE.index(part_of(path))])
    assert not used_parts(path) & (above | MAKES_RUNS)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_other_stages_see_data_only_as_a_population(path: Path) -> None:
    """How files are read is the data stage's own affair."""
    if part_of(path) in STAGES - {"data"}:
        names = {name for name in imports(ast.parse(path.read_text())) if name.startswith("audit_pipeline.data")}
        assert {name.split(".")[2] for name in names} <= {"population", "stratify"}


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) not in {"cli", "__main__"}], ids=name_of)
def test_only_the_command_line_touches_the_world(path: Path) -> None:
    if name_of(path) in GIVEN_AWAY:
        return
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    assert not called & {"print", "input", "time.time", "datetime.now", "datetime.utcnow", "sys.exit", "exit"}
    if name_of(path) not in MAY_READ_THE_ENVIRONMENT:
        names = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & {"os.environ", "os.getenv", "sys.argv"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_what_is_slow_to_import_is_imported_where_it_is_needed(path: Path) -> None:
    if name_of(path) in ADAPTERS:
        return
    tree = ast.parse(path.read_text())
    at_the_top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    assert not {name.split(".")[0] for name in imports(at_the_top)} & HEAVY
