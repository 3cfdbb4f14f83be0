from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from audit_pipeline.errors import ExitCode, InputError
from audit_pipeline.strict_yaml import Loaded, Strict, load


class Small(Strict):
    kind: Literal["small"]
    size: Annotated[int, Field(ge=1, le=9)]


class Large(Strict):
    kind: Literal["large"]
    weight: float


class Document(Strict):
    name: Annotated[str, Field(min_length=1, max_length=5)]
    ratio: Annotated[float, Field(gt=0, lt=1)] = 0.5
    quick: bool = False
    code: Annotated[str, Field(pattern="^[a-z]$", examples=["q"])] = "a"
    parts: tuple[Annotated[Small | Large, Field(discriminator="kind")], ...] = ()
    pairs: Annotated[tuple[int, ...], Field(min_length=2, max_length=3)] = (1, 2)
    table: dict[str, Small] = Field(default_factory=dict)


def read(tmp_path: Path, text: str | bytes) -> Loaded[Document]:
    path = tmp_path / "f.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path, Document, "policy")


def complaints(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert caught.value.exit_code is ExitCode.INPUT
    return [line.removeprefix(f"{tmp_path}/f.yaml:") for line in str(caught.value).splitlines()]


def test_a_file_is_read_with_its_bytes_digest_and_lines(tmp_path: Path) -> None:
    text = "# café\nname: ab\nparts:\n  - {kind: small, size: 2}\n"
    loaded = read(tmp_path, text)
    assert loaded.value == Document(name="ab", parts=(Small(kind="small", size=2),))
    assert loaded.raw == text.encode()
    assert loaded.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert loaded.line(("parts", 0, "size")) == 4
    assert loaded.where(("name",)) == f"{tmp_path}/f.yaml:2"


def test_what_was_loaded_cannot_be_changed(tmp_path: Path) -> None:
    loaded = read(tmp_path, "name: ab")
    with pytest.raises(ValidationError):
        loaded.value.name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        loaded.raw = b""  # type: ignore[misc]


def test_an_unknown_key_gets_the_one_that_was_meant(tmp_path: Path) -> None:
    assert complaints(tmp_path, "name: a\nrato: 0.1\n") == ["2: rato: unknown key, did you mean ratio?"]


def test_a_misspelt_key_is_not_also_missing(tmp_path: Path) -> None:
    assert complaints(tmp_path, "nane: a\n") == ["1: nane: unknown key, did you mean name?"]
    assert complaints(tmp_path, "nane: a\nxyz: 1\n")[0] == "1: nane: unknown key, did you mean name?"


def test_an_unknown_key_that_resembles_nothing_gets_the_list(tmp_path: Path) -> None:
    assert complaints(tmp_path, "name: a\nxyz: 0.1\n") == [
        "2: xyz: unknown key; what may stand here: ratio, quick, code, parts, pairs, table"
    ]


def test_the_keys_of_a_union_are_those_of_the_member_that_was_chosen(tmp_path: Path) -> None:
    text = "name: a\nparts:\n- {kind: small, size: 1, weigth: 2}\n- {kind: large, weigth: 2}\n"
    assert complaints(tmp_path, text) == [
        "3: parts[0].weigth: unknown key",
        "4: parts[1].weigth: unknown key, did you mean weight?",
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("name: 5", "name: must be text, not 5: put it in quotes"),
        ("name:", "name: must be text, but nothing is given"),
        ("name: ''", "name: must not be empty"),
        ("name: abcdef", "name: must have at most 5 characters"),
        ("ratio: 1", "ratio: must be below 1, not 1"),
        ("ratio: 0", "ratio: must be above 0, not 0"),
        ("ratio: '0.5'", 'ratio: must be a number, not the text "0.5"'),
        ("ratio: .nan", "ratio: must be a finite number, not NaN"),
        ("quick: yes", 'quick: must be true or false, not the text "yes"'),
        ("quick: 1", "quick: must be true or false, not 1"),
        ("code: Q", 'code: "Q" does not have the form ^[a-z]$, as in "q"'),
        ("parts: {}", "parts: must be a list, not a mapping"),
        ("parts: [x]", 'parts[0]: must be a mapping of keys to values, not the text "x"'),
        ("parts: [{kind: smal}]", "parts[0].kind: must be 'small' or 'large', not \"smal\", did you mean small?"),
        ("parts: [{size: 1}]", "parts[0].kind: missing key"),
        ("parts: [{kind: small, size: 10}]", "parts[0].size: must be at most 9, not 10"),
        ("parts: [{kind: small, size: 1.5}]", "parts[0].size: must be a whole number, not 1.5"),
        ("pairs: [1]", "pairs: must have at least 2 items"),
        ("pairs: [1, 2, 3, 4]", "pairs: must have at most 3 items"),
        ("pairs: [1, x]", 'pairs[1]: must be a whole number, not the text "x"'),
        ("table: {k: {kind: small}}", "table.k.size: missing key"),
        ("table: {k: {kind: small, size: 1, sise: 1}}", "table.k.sise: unknown key"),
    ],
)
def test_values_that_do_not_fit_are_told_in_plain_english(tmp_path: Path, line: str, complaint: str) -> None:
    rest = "" if line.startswith("name:") else "name: a\n"
    assert complaints(tmp_path, rest + line) == [f"{rest.count(chr(10)) + 1}: {complaint}"]


def test_every_problem_is_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "quick: 3\npairs:\n  - 1\n  - b\nratio: 7\n"
    assert [line.split(":")[0] for line in complaints(tmp_path, text)] == ["1", "1", "4", "5"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"a: \xff\n", "not-utf8"),
        ("name: a".encode("utf-16"), "not-utf8"),
        (b"#" * ((1 << 20) + 1), "too-large"),
        (b"", "empty"),
    ],
)
def test_bytes_that_cannot_be_text_are_refused(tmp_path: Path, text: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert caught.value.code == f"policy.{code}"


def test_a_byte_that_is_not_utf8_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"f\.yaml:2: byte 9 is not UTF-8"):
        read(tmp_path, b"a: bcde\n_\xff")


@pytest.mark.parametrize(("name", "code"), [("none.yaml", "not-found"), ("", "unreadable"), ("a\0b", "unreadable")])
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path / name, Document, "policy")
    assert caught.value.code == f"policy.{code}"


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    loaded = read(tmp_path, b"\xef\xbb\xbfname: ab\r\nquick: true\r\n")
    assert (loaded.value.name, loaded.value.quick, loaded.line(("quick",))) == ("ab", True, 2)


def test_what_would_change_a_terminal_is_shown_escaped(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, 'name: a\n"\\e[31mred": 1\n')
    assert "\x1b" not in line
