from __future__ import annotations

import hashlib
import json
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_pipeline.errors import InputError
from audit_pipeline.trail.document import leaf_of
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import KEPT_KINDS, Kind

AT = "2026-05-04T12:00:00Z"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_the_bytes_are_one_canonical_document_that_says_everything():
    entry = Entry.compose(3, "policy", "run-1", AT, {"b": 1, "a": ["é", None]}, salt=bytes(range(16)))
    body, salt = '"body":{"a":["é",null],"b":1}', '"salt":"000102030405060708090a0b0c0d0e0f"'
    rest = '"format":2,"index":3,"kind":"policy","run":"run-1"'
    assert entry.canonical == f'{{"at":"2026-05-04T12:00:00Z",{body},{rest},{salt}}}'.encode()
    digest = hashlib.sha256(f"{{{body},{salt}}}".encode()).hexdigest()
    header = f'{{"at":"2026-05-04T12:00:00Z","body_sha256":"{digest}",{rest}}}'
    assert entry.leaf_hash == hashlib.sha256(b"\x00" + header.encode()).digest()


def test_an_entry_of_the_first_format_was_hashed_whole():
    text = b'{"at":"2026-05-04T12:00:00Z","body":{"b":1},"format":1,"index":3,"kind":"policy","run":"run-1"}'
    entry = Entry.parse(text)
    assert (entry.body, entry.salted, entry.redacted) == ({"b": 1}, False, False)
    assert entry.leaf_hash == hashlib.sha256(b"\x00" + text).digest()
    with pytest.raises(ValueError):
        Entry.parse(text.replace(b'"run-1"', b'"run-1","salt":"' + b"00" * 16 + b'"'))


def test_equal_bodies_have_unlike_hashes():
    assert Entry.compose(0, "data", "run", AT, {}).leaf_hash != Entry.compose(0, "data", "run", AT, {}).leaf_hash


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_any_json_object_is_read_back_as_it_was_given(body):
    entry = Entry.compose(0, "data", "run", AT, body)
    assert entry.body == body
    assert Entry.parse(entry.canonical) == entry


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_can_be_logged(kind):
    assert Entry.compose(0, kind, "run", AT, {}).kind == kind


@pytest.mark.parametrize(
    "at", ["2026-05-04T12:00:00Z", "2026-05-04T12:00:00.123456Z", "2026-05-04T12:00:00+00:00", "2024-02-29T00:00:00Z"]
)
def test_a_utc_time_is_kept_as_it_was_written(at):
    assert Entry.compose(0, "data", "run", at, {}).at == at


@pytest.mark.parametrize(
    "at",
    ["", "now", "2026-05-04", "2026-05-04T12:00:00", "2026-05-04T12:00:00+02:00", "2026-02-30T12:00:00Z", AT + "\n"],
)
def test_a_time_that_is_not_utc_or_not_a_time_is_refused(at):
    with pytest.raises(InputError, match="at:"):
        Entry.compose(0, "data", "run", at, {})


@pytest.mark.parametrize("run", ["", "a\nb", "\x1b[2J", "x" * 256, "\x9b31m"])
def test_a_run_name_that_could_not_be_printed_is_refused(run):
    with pytest.raises(InputError, match="run:"):
        Entry.compose(0, "data", run, AT, {})


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": [float("inf")]}, {"x": "\ud800"}])
def test_a_body_that_json_cannot_hold_is_refused(body):
    with pytest.raises(InputError) as refusal:
        Entry.compose(0, "data", "run", AT, body)
    assert refusal.value.code == "trail.entry"


@pytest.mark.parametrize(
    "change",
    [
        {"format": 3},
        {"format": 1},
        {"salt": "00"},
        {"salt": "AB" * 16},
        {"body_sha256": "00" * 32},
        {"kind": "gossip"},
        {"index": -1},
        {"index": "0"},
        {"index": True},
        {"body": []},
        {"extra": 1},
    ],
)
def test_a_document_that_is_not_an_entry_is_not_read(change):
    own = {"at": AT, "body": {}, "format": 2, "index": 0, "kind": "data", "run": "run", "salt": "00" * 16}
    document = own | change
    with pytest.raises(ValueError):
        Entry.parse(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: text.replace(b'"kind":"data"', b'"kind":"seal","kind":"data"'),
        lambda text: text.replace(b'"body":', b'"body": '),
        lambda text: text + b"\n",
        lambda text: text.replace(b"run", b"\\u0072un"),
        lambda text: text.replace(b'{"x":1.5}', b'{"x":15e-1}'),
    ],
)
def test_only_the_canonical_spelling_of_a_document_is_read(disguise):
    canonical = Entry.compose(0, "data", "run", AT, {"x": 1.5}).canonical
    with pytest.raises(ValueError, match="canonical"):
        Entry.parse(disguise(canonical))


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_bytes_that_are_no_json_object_are_not_read(text):
    with pytest.raises(ValueError):
        Entry.parse(text)


def test_nesting_that_could_not_be_read_back_is_not_logged():
    body: dict[str, object] = {}
    for _ in range(300):
        body = {"deeper": body}
    with pytest.raises(InputError):
        Entry.compose(0, "data", "run", AT, body)


def test_an_entry_prints_with_its_hash_in_hexadecimal():
    entry = Entry.compose(0, "data", "run", AT, {"x": 1})
    assert entry.to_json() == {
        "index": 0,
        "kind": "data",
        "run": "run",
        "at": AT,
        "body": {"x": 1},
        "leaf_hash": entry.leaf_hash.hex(),
    }


def values_of(entry):
    return entry.index, entry.kind, entry.run, entry.at


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.text(), json_values, max_size=5),
    st.integers(0, 10**9),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40),
)
def test_the_quick_check_knows_every_document_that_is_composed(body, index, run):
    entry = Entry.compose(index, "data", run, AT, body)
    assert leaf_of(entry.canonical.decode(), *values_of(entry)) == entry.leaf_hash


@pytest.mark.parametrize(
    "change",
    [
        {"index": 4},
        {"kind": "seal"},
        {"run": "run-2"},
        {"at": "2026-05-04T12:00:01Z"},
        {"run": None},
        {"at": None},
        {"kind": 5},
        {"index": None},
        {"run": b"run"},
        {"at": 2026},
    ],
)
def test_the_quick_check_finds_values_that_the_document_does_not_have(change):
    entry = Entry.compose(3, "data", "run", AT, {"x": [1.5, None, "é"]})
    values = {"index": 3, "kind": "data", "run": "run", "at": AT}
    assert leaf_of(entry.canonical.decode(), **values)
    assert not leaf_of(entry.canonical.decode(), **values | change)


DOCUMENT = (
    '{"at":"2026-05-04T12:00:00Z","body":BODY,"format":2,"index":3,"kind":"data","run":"run","salt":"'
    + "00" * 16
    + '"}'
)
EMPTY = DOCUMENT.replace("BODY", "{}")

BODIES = ["[]", "null", '"x"', "{} ", '{"b":1,"a":2}', '{"a":1,"a":1}', '{"a":1.0e0}', '{"a":1e400}', '{"a":NaN}']
BODIES += ['{"a":-0}', '{"a":01}', r'{"a":"\/"}', r'{"a":"\u0041"}', r'{"a":"\ud800"}', r'{"a":"\u001F"}', '{"a":1E2}']
BODIES += [f'{{"a":{"[" * 300}{"]" * 300}}}']

SPELLINGS = [
    *(DOCUMENT.replace("BODY", body) for body in BODIES),
    EMPTY.replace('"format":2', '"format":2.0'),
    EMPTY.replace('"format":2', '"format":true'),
    EMPTY.replace('"salt":"0', '"salt":"g'),
    EMPTY.replace('"salt":"00', '"salt":"'),
    EMPTY.replace('"run":"run"', '"run":"run","x":1'),
    EMPTY.replace('"body":{},', "").replace('"format"', '"body":{},"format"').replace('{"at"', '{ "at"'),
    f"{EMPTY}}}",
    f"{EMPTY}\n",
    "[]",
    "",
    "null",
    '{"body":1}',
    "\udcff",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_what_is_no_document_to_the_quick_check_is_none_to_the_thorough_one(text):
    assert not leaf_of(text, 3, "data", "run", AT)
    with pytest.raises(ValueError):
        Entry.parse(text.encode("utf-8", "surrogateescape"))


@given(st.data())
def test_the_quick_check_never_believes_what_the_thorough_one_refuses(data):
    """Nothing that is one or two edits away from a document, with values to match."""
    text = Entry.compose(3, "data", "run", AT, {"a": [0, 1.5, {"b": "\u0001"}], "c": "x"}).canonical.decode()
    for _ in range(data.draw(st.integers(1, 2))):
        at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 2))
        text = text[:at] + data.draw(st.text('{}[]",:0123456789.eE+- \n\\uaftrunl', max_size=2)) + text[at + length :]
    values = (3, "data", "run", AT)
    leaf = leaf_of(text, *values)
    if leaf is not None:
        entry = Entry.parse(text.encode())
        assert (values_of(entry), entry.leaf_hash) == (values, leaf)


@pytest.mark.parametrize(
    ("run", "at"),
    [("a\nb", AT), ("", AT), ("x" * 256, AT), ("run", "2026-02-30T12:00:00Z"), ("run", AT + "\n"), ("run", "now")],
)
def test_the_quick_check_holds_run_and_time_to_the_same_rules(run, at):
    document = {"at": at, "body": {}, "format": 2, "index": 3, "kind": "data", "run": run, "salt": "00" * 16}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert not leaf_of(text, 3, "data", run, at)


def test_what_is_left_of_an_entry_is_where_it_stood_and_its_hash():
    entry = Entry.compose(3, "data", "run", AT, {"x": 1})
    left = entry.taken_out()
    assert (left.redacted, entry.redacted) == (True, False)
    assert values_of(left) == values_of(entry)
    assert left.leaf_hash == entry.leaf_hash
    assert entry.holds({"x": 1})
    assert not entry.holds({"x": True})
    assert not left.holds({"x": 1})
    assert left.to_json() == {**entry.to_json(), "redacted": True, "body": {}}
    assert Entry.parse(left.canonical) == left


@pytest.mark.parametrize("kind", sorted(KEPT_KINDS))
def test_of_a_kind_that_is_kept_nothing_is_left_without_its_text(kind):
    with pytest.raises(ValueError, match="taken out"):
        Entry.compose(3, kind, "run", AT, {"x": 1}).taken_out()


@pytest.mark.parametrize(
    "change", [{"kind": "model"}, {"run": "another"}, {"at": "2027-05-04T12:00:00Z"}, {"index": 4}]
)
def test_who_changes_what_is_left_changes_the_leaf(change):
    left = Entry.compose(3, "data", "run", AT, {"x": 1}).taken_out()
    document = json.loads(left.canonical) | change
    changed = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    assert Entry.parse(changed).leaf_hash != left.leaf_hash
