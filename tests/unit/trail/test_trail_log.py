from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import EMPTY_ROOT, Frontier, TreeHead

AT = "2026-05-04T12:00:00Z"


def test_a_new_trail_is_empty(trail):
    assert trail.head() == trail.verify() == TreeHead(0, EMPTY_ROOT.hex())
    assert list(trail.entries()) == []


def test_each_append_gives_the_head_that_verifying_gives(trail):
    for number in range(9):
        receipt = trail.append("data", run="run", at=AT, body={"number": number})
        assert receipt.entry.index == number
        assert receipt.head == trail.head() == trail.verify()


def test_entries_come_back_in_order_as_they_were_acknowledged(trail):
    acknowledged = [trail.append("data", run="run", at=AT, body={"n": n}).entry for n in range(5)]
    assert list(trail.entries()) == acknowledged


def test_entries_can_be_listed_by_run(filled):
    assert [entry.index for entry in filled.entries(run="run-1")] == [1, 3, 5, 7, 9]
    assert list(filled.entries(run="run-9")) == []


def test_the_stored_text_is_what_was_hashed(filled, path):
    acknowledged = [entry.canonical for entry in filled.entries()]
    stored = sqlite3.connect(path).execute('SELECT CAST(canonical AS BLOB) FROM entry ORDER BY "index"').fetchall()
    assert [text for (text,) in stored] == acknowledged


def test_text_beyond_ascii_and_nul_keep_their_bytes(trail):
    body = {"text": "naïve \u0000 \U0001f600 \u2028"}
    trail.append("data", run="Gerät-1", at=AT, body=body)
    assert next(trail.entries()).body == body
    trail.verify()


def test_a_trail_opened_again_goes_on_where_it_stopped(path):
    with Trail.open(path) as first:
        head = first.append("data", run="run", at=AT, body={}).head
    with Trail.open(f"sqlite:///{path}") as second:
        assert second.head() == head
        assert second.append("seal", run="run", at=AT, body={}).entry.index == 1
        second.verify()


def test_two_open_trails_see_each_others_entries(path):
    with Trail.open(path) as one, Trail.open(path) as other:
        one.append("data", run="one", at=AT, body={})
        other.append("data", run="other", at=AT, body={})
        one.append("data", run="one", at=AT, body={})
        assert [entry.run for entry in other.entries()] == ["one", "other", "one"]
        assert one.verify() == other.verify()


def test_a_listing_shows_one_moment_and_does_not_hold_up_writers(filled):
    listing = filled.entries()
    first = next(listing)
    filled.append("seal", run="run-0", at=AT, body={})
    assert [first.index, *(entry.index for entry in listing)] == list(range(11))
    assert filled.head().size == 12


def test_an_entry_that_cannot_be_logged_leaves_the_trail_as_it_was(filled):
    before = filled.verify()
    with pytest.raises(InputError):
        filled.append("data", run="run", at="yesterday", body={})
    assert filled.verify() == before


def test_a_closed_trail_is_one_file_and_what_its_key_is_and_remembers(path):
    with Trail.open(path) as trail:
        trail.append("data", run="run", at=AT, body={})
    beside = [path.name, f"{path.name}.key", f"{path.name}.key.checkpoint"]
    assert sorted(file.name for file in path.parent.iterdir()) == beside


def test_commits_are_written_ahead_and_synced(trail, path):
    with trail._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA recursive_triggers").scalar() == 1


@pytest.mark.parametrize("recursive_triggers", ["ON", "OFF"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET canonical = '{}'",
        'UPDATE OR REPLACE entry SET "index" = 4 WHERE "index" = 3',
        "DELETE FROM entry",
        'DELETE FROM entry WHERE "index" = 10',
        "INSERT OR REPLACE INTO entry SELECT \"index\", kind, run, at, '{}', leaf_hash, root, nodes FROM entry LIMIT 1",
        'REPLACE INTO entry SELECT "index", kind, run, at, \'{}\', leaf_hash, root, nodes FROM entry WHERE "index" = 9',
        "INSERT INTO entry SELECT 12, kind, run, at, canonical, leaf_hash, root, nodes FROM entry LIMIT 1",
        "INSERT INTO entry SELECT -1, kind, run, at, canonical, leaf_hash, root, nodes FROM entry LIMIT 1",
        "INSERT INTO entry (kind, run, at, canonical, leaf_hash, root, nodes) VALUES ('', '', '', '', '', '', '')",
        "UPDATE frontier SET size = 3",
        "UPDATE frontier SET peaks = ''",
        "DELETE FROM frontier",
        "INSERT OR REPLACE INTO frontier VALUES (1, 0, '')",
        "INSERT INTO frontier VALUES (2, 0, '')",
    ],
)
def test_plain_sql_may_not_change_what_was_recorded(filled, path, statement, recursive_triggers):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA recursive_triggers = {recursive_triggers}")
    with pytest.raises(sqlite3.IntegrityError, match=r"trail|frontier"):
        connection.execute(statement)
    connection.close()
    assert filled.verify().size == 11


def test_columns_take_their_declared_type_only(filled, path):
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="cannot store"):
        connection.execute("INSERT INTO entry VALUES (11, 'data', 'run', 'at', x'00', 'leaf', 'root', '')")


@pytest.mark.parametrize(
    "statement",
    [
        'DELETE FROM entry WHERE "index" = 10',
        "UPDATE frontier SET size = 8, peaks = substr(peaks, 1, 64)",
        "UPDATE frontier SET size = 0, peaks = ''",
        "DELETE FROM frontier",
        "INSERT INTO entry SELECT 11, kind, run, at, canonical, leaf_hash, root, nodes FROM entry LIMIT 1",
    ],
)
def test_nothing_is_added_to_a_log_whose_end_was_changed(filled, rewrite, statement):
    rewrite(statement)
    with pytest.raises(RejectedError) as refusal:
        filled.append("data", run="run", at=AT, body={})
    assert refusal.value.code == "trail.frontier"
    assert [entry.index for entry in filled.entries() if entry.run == "run"] == []


def test_the_head_is_that_of_the_leaf_hashes(filled):
    frontier = Frontier()
    for entry in filled.entries():
        frontier = frontier.append(entry.leaf_hash)
    assert filled.head() == frontier.head()


def test_opening_a_trail_loads_neither_tensorflow_nor_alembic_once_it_is_up_to_date(filled, path):
    script = (
        "import sys; from audit_pipeline.trail.log import Trail; Trail.open(sys.argv[1], create=False).verify();"
        "print(sorted({'tensorflow', 'alembic', 'pandas', 'sklearn'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
