from __future__ import annotations

import json
import math
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from audit_pipeline.errors import InputError
from audit_pipeline.strict_yaml.nodes import MOST_NODES, parse

TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def value_of(text: str) -> object:
    return parse(text, "f.yaml", "policy").value


def refused(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse(text, "f.yaml", "policy")
    return caught.value


@given(JSON)
def test_json_is_read_as_json_reads_it(document: object) -> None:
    assert value_of(json.dumps(document, ensure_ascii=False)) == document


@given(st.dictionaries(st.from_regex(r"k[a-z]{1,6}", fullmatch=True), st.lists(st.integers(), max_size=3), min_size=1))
def test_a_key_is_on_the_line_where_its_text_stands(document: dict[str, list[int]]) -> None:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(document, stream)
    lines = stream.getvalue().splitlines()
    root = parse(stream.getvalue(), "f.yaml", "policy")
    for key in document:
        assert lines[root.line_of((key,)) - 1].startswith(f"{key}:")


def test_a_list_item_is_on_its_own_line_and_what_is_absent_on_its_ancestors() -> None:
    root = parse("a:\n  - 1\n  - {b: 2}\n", "f.yaml", "policy")
    assert [root.line_of(loc) for loc in [(), ("a",), ("a", 1), ("a", 1, "b"), ("a", 1, "c"), ("a", 9), ("z",)]] == [
        1, 1, 3, 3, 3, 1, 1,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ["no", "yes", "on", "off", "y", "n", "2024-05-01", "12:30", "1_000", "0b1", "nUll"]),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("+.5", 0.5),
        ("-.inf", -math.inf),
        ("~", None),
        ("TRUE", True),
        ("'1'", "1"),
        ('"null"', "null"),
        ("|\n  1\n", "1\n"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    assert value_of(text) == value


def test_an_alias_stands_for_its_anchor() -> None:
    assert value_of("a: &x [1, {b: 2}]\nc: *x\n") == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}


def test_aliases_may_not_expand_without_bound() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    error = refused("\n".join(levels))
    assert error.code == "policy.too-large"
    assert error.where == "f.yaml:5"


def test_the_bound_on_values_is_exact() -> None:
    assert len(value_of("\n".join(["- 1"] * (MOST_NODES - 1)))) == MOST_NODES - 1  # type: ignore[arg-type]
    assert refused("\n".join(["- 1"] * MOST_NODES)).code == "policy.too-large"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_is_bounded(opening: str) -> None:
    assert refused(opening * 50_000).code == "policy.too-deep"


@pytest.mark.parametrize(
    ("text", "code", "place", "what"),
    [
        ("", "empty", 1, "the file is empty"),
        ("# only this\n", "empty", 1, "the file is empty"),
        ("a: 1\nb:\n  a: 1\n  a: 2\n", "duplicate-key", 4, "b.a: given twice, first on line 3"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "tag", 2, 'b: tags are not used here: leave "!!python'),
        ("a: !mine x", "tag", 1, 'a: tags are not used here: leave "!mine" out'),
        ("a: 1\n2: b\n", "key", 2, "a key must be text: put 2 in quotes"),
        ("? [a]\n: 1\n", "key", 1, "a key must be text"),
        ("a: 1\n---\nb: 2\n", "documents", 2, "a second document"),
        ("%YAML 1.1\n---\na: no\n", "yaml-version", 2, "only YAML 1.2 is read"),
        ("a:\n\tb: 1\n", "syntax", 2, "a tab where only spaces may stand"),
        ("a: b: c\n", "syntax", 1, "a colon where none can stand"),
        ("a: @b\n", "syntax", 1, "text cannot begin with '@'"),
        ("a: [1,\n", "syntax", 2, "not YAML"),
        ("a: \x07\n", "syntax", 1, "not YAML"),
        ("a: *b\n", "alias", 1, "a: the alias *b names no anchor"),
        ("a: &x [*x]\n", "alias", 1, "stands inside of what it names"),
        ('a: "\\ud800"\n', "syntax", 1, "half a character"),
        ("a: " + "1" * 5000, "syntax", 1, "a number of 5000 characters"),
    ],
)
def test_what_is_not_strict_yaml_is_refused_at_its_line(text: str, code: str, place: int, what: str) -> None:
    error = refused(text)
    assert error.code == f"policy.{code}"
    assert error.where == f"f.yaml:{place}"
    assert what in error.what


def test_all_duplicates_tags_and_keys_are_told_at_once() -> None:
    error = refused("a: 1\na: 2\n3: x\nb: !t y\n")
    assert [line.split(":")[1] for line in str(error).splitlines()] == ["2", "3", "4"]


@given(st.text(st.characters(codec="utf-8"), max_size=80) | st.text("ab:-?[]{},&*!|>'\"%@#\n\t 1~.", max_size=60))
def test_no_text_whatever_raises_anything_else(text: str) -> None:
    try:
        parse(text, "f.yaml", "policy")
    except InputError as error:
        assert str(error).startswith("f.yaml:")
