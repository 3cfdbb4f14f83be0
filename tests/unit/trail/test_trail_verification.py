from __future__ import annotations

import hashlib
import json
import sqlite3

import pytest

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.merkle import EMPTY_ROOT, Frontier, TreeHead, leaf_hash

AT = "2026-05-04T12:00:00Z"


def refusal(trail, seen=()):
    with pytest.raises(RejectedError) as caught:
        trail.verify(seen)
    assert caught.value.where
    assert caught.value.hint
    return caught.value


def header(entry):
    """What is hashed of an entry, by hand."""
    salted = canonical_json({"body": entry["body"], "salt": entry["salt"]})
    rest = {key: value for key, value in entry.items() if key not in {"body", "salt"}}
    return canonical_json({**rest, "body_sha256": hashlib.sha256(salted).hexdigest()})


def recompute(path, documents):
    """Rewrite the whole log, as somebody does who knows how it is made."""
    frontier, rows = Frontier(), []
    for index, canonical in enumerate(documents):
        entry = json.loads(canonical)
        leaf = leaf_hash(header(entry))
        nodes = b"".join(frontier.completed(leaf)).hex()
        frontier = frontier.append(leaf)
        columns = (entry["kind"], entry["run"], entry["at"], canonical.decode(), leaf.hex(), frontier.root().hex())
        rows.append((index, *columns, nodes))
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM entry")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("UPDATE frontier SET size = ?, peaks = ?", (frontier.size, frontier.to_hex()))


@pytest.mark.parametrize(
    ("statement", "entry", "difference"),
    [
        ("""UPDATE entry SET canonical = replace(canonical, '":4', '":5') WHERE "index" = 4""", 4, "hashes to"),
        ("""UPDATE entry SET canonical = canonical || ' ' WHERE "index" = 0""", 0, "hashes to"),
        ("""UPDATE entry SET canonical = '' WHERE "index" = 10""", 10, "text is gone"),
        ("""UPDATE entry SET canonical = CAST(x'ff00fe' AS TEXT) WHERE "index" = 6""", 6, "hashes to"),
        ("""UPDATE entry SET leaf_hash = upper(leaf_hash) WHERE "index" = 7""", 7, "hashes to"),
        ("""UPDATE entry SET root = (SELECT root FROM entry WHERE "index" = 1) WHERE "index" = 2""", 2, "root is"),
        ("""UPDATE entry SET nodes = '' WHERE "index" = 3""", 3, "nodes"),
        ("""UPDATE entry SET nodes = substr(nodes, 65) WHERE "index" = 7""", 7, "nodes"),
        ("""UPDATE entry SET nodes = leaf_hash WHERE "index" = 8""", 8, "nodes"),
        ("""UPDATE entry SET kind = 'seal' WHERE "index" = 5""", 5, "column kind"),
        ("""UPDATE entry SET run = 'run-x' WHERE "index" = 5""", 5, "column run"),
        ("""UPDATE entry SET at = '2020-01-01T00:00:00Z' WHERE "index" = 9""", 9, "column at"),
        ("""DELETE FROM entry WHERE "index" = 3""", 3, "missing"),
        ("""DELETE FROM entry WHERE "index" = 0""", 0, "missing"),
        ("""DELETE FROM entry WHERE "index" > 7""", 8, "missing"),
        ("""DELETE FROM entry""", 0, "missing"),
        ("""UPDATE entry SET "index" = 20 WHERE "index" = 10""", 10, "missing"),
        ("""UPDATE frontier SET size = 10, peaks = (SELECT substr(peaks, 1, 128))""", 10, "added"),
    ],
)
def test_the_first_changed_entry_is_named_with_what_differs(filled, rewrite, statement, entry, difference):
    rewrite(statement)
    error = refusal(filled)
    assert error.code == "trail.entry-changed"
    assert f"entry {entry} was changed" in error.what
    assert difference in error.what


def test_two_entries_that_changed_places_are_found(filled, rewrite):
    rewrite(
        'UPDATE entry SET "index" = 100 WHERE "index" = 2',
        'UPDATE entry SET "index" = 2 WHERE "index" = 6',
        'UPDATE entry SET "index" = 6 WHERE "index" = 100',
    )
    assert "entry 2 was changed" in refusal(filled).what


def test_an_entry_slipped_in_at_the_end_is_found(filled, rewrite):
    rewrite(
        'INSERT INTO entry SELECT 11, kind, run, at, canonical, leaf_hash, root, nodes FROM entry WHERE "index" = 10'
    )
    assert "entry 11 was changed" in refusal(filled).what


def test_text_and_leaf_hash_changed_together_are_found_by_the_root(filled, path, rewrite):
    forged = Entry.compose(4, "data", "run-0", AT, {"number": 400})
    rewrite(
        f"UPDATE entry SET canonical = '{forged.canonical.decode()}', leaf_hash = '{forged.leaf_hash.hex()}' "
        'WHERE "index" = 4'
    )
    error = refusal(filled)
    assert "entry 4 was changed" in error.what
    assert "root" in error.what


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE frontier SET peaks = ''",
        "UPDATE frontier SET peaks = 'ab'",
        "UPDATE frontier SET peaks = replace(peaks, substr(peaks, 1, 2), 'zz')",
        "UPDATE frontier SET peaks = substr(peaks, 65) || substr(peaks, 1, 64)",
        "UPDATE frontier SET size = -1",
        "DELETE FROM frontier",
    ],
)
def test_a_changed_frontier_is_found(filled, rewrite, statement):
    rewrite(statement)
    assert refusal(filled).code == "trail.frontier"


def test_values_of_another_type_are_refused_and_crash_nothing(filled, path, rewrite):
    rewrite(
        "CREATE TABLE loose AS SELECT * FROM entry",
        "DROP TABLE entry",
        "ALTER TABLE loose RENAME TO entry",
        'UPDATE entry SET canonical = 5, leaf_hash = NULL WHERE "index" = 1',
    )
    assert "entry 1 was changed" in refusal(filled).what
    with pytest.raises(RejectedError):
        list(filled.entries())
    rewrite('UPDATE entry SET "index" = NULL')
    assert "entry 0 was changed" in refusal(filled).what


def test_a_frontier_of_another_type_is_refused_and_crashes_nothing(filled, path, rewrite):
    rewrite(
        "CREATE TABLE loose AS SELECT * FROM frontier", "DROP TABLE frontier", "ALTER TABLE loose RENAME TO frontier"
    )
    for value in ("NULL", "'x'", "1.5", "x'00'"):
        rewrite(f"UPDATE frontier SET size = {value}")
        assert refusal(filled).code == "trail.frontier"


def test_a_consistent_rewrite_that_is_no_entry_is_refused(filled, path, rewrite):
    documents = [entry.canonical for entry in filled.entries()]
    rewrite()
    for forged in (documents[3].replace(b":3", b": 3", 1), documents[3].replace(b'"data"', b'"gossip"'), documents[4]):
        recompute(path, [*documents[:3], forged, *documents[4:]])
        assert "entry 3 was changed" in refusal(filled).what


def test_a_text_that_is_no_entry_stops_the_listing_with_its_number(filled, rewrite):
    rewrite("""UPDATE entry SET canonical = 'gone' WHERE "index" = 2""")
    listing = filled.entries()
    assert [next(listing).index, next(listing).index] == [0, 1]
    with pytest.raises(RejectedError, match="entry 2 was changed"):
        next(listing)


@pytest.mark.parametrize("column", ["kind", "leaf_hash", "root", "canonical"])
def test_what_somebody_wrote_into_the_file_reaches_no_terminal_raw(filled, rewrite, column):
    rewrite(f"""UPDATE entry SET {column} = CAST(x'1b5b324aff' AS TEXT) WHERE "index" = 3""")
    assert refusal(filled).what.isprintable()


def test_a_forged_key_reaches_no_terminal_raw():
    with pytest.raises(ValueError, match="x1b") as caught:
        Entry.parse(
            b'{"\\u001b[2J":1,"at":"2026-05-04T12:00:00Z","body":{},"format":1,"index":0,"kind":"data","run":"r"}'
        )
    assert str(caught.value).isprintable()


def test_heads_seen_on_the_way_are_found_again(filled):
    heads = [filled.append("data", run="run", at=AT, body={"n": n}).head for n in range(3)]
    assert filled.verify(heads) == heads[-1]
    assert filled.verify([TreeHead(0, EMPTY_ROOT.hex()), *heads, *heads]) == heads[-1]


def test_a_log_rewritten_in_all_its_parts_is_caught_only_by_a_head_kept_elsewhere(filled, path, rewrite):
    seen = filled.head()
    documents = [entry.canonical for entry in filled.entries()]
    forged = Entry.compose(4, "data", "run-0", AT, {"number": 400}).canonical
    rewrite()
    recompute(path, [*documents[:4], forged, *documents[5:]])
    assert filled.verify().size == seen.size
    error = refusal(filled, [seen])
    assert error.code == "trail.rewritten"
    assert "first 11 entries" in error.what


def test_a_log_cut_in_all_its_parts_is_caught_only_by_a_head_kept_elsewhere(filled, path, rewrite):
    seen = filled.head()
    documents = [entry.canonical for entry in filled.entries()]
    rewrite()
    recompute(path, documents[:6])
    assert filled.verify().size == 6
    error = refusal(filled, [seen])
    assert error.code == "trail.rewritten"
    assert "holds 6 entries, and once held 11" in error.what


def test_two_heads_of_one_size_cannot_both_hold(filled):
    head = filled.head()
    assert refusal(filled, [head, TreeHead(head.size, "00" * 32)]).code == "trail.rewritten"
