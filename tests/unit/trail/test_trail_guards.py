"""The rails on every table: plain SQL adds what comes next, and changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

AT = "2026-05-04T12:00:00Z"

ENTRY = "run, at, canonical, leaf_hash, root, nodes FROM entry"

CHANGES = [
    "UPDATE entry SET canonical = '{}'",
    "UPDATE entry SET canonical = ''",
    'UPDATE entry SET "index" = 20 WHERE "index" = 10',
    "UPDATE entry SET nodes = ''",
    "UPDATE entry SET kind = kind",
    "DELETE FROM entry",
    'DELETE FROM entry WHERE "index" = 10',
    f"INSERT INTO entry SELECT 13, kind, {ENTRY} LIMIT 1",
    f"INSERT INTO entry SELECT -1, kind, {ENTRY} LIMIT 1",
    f'INSERT INTO entry SELECT "index", kind, {ENTRY} WHERE "index" = 3 '
    "ON CONFLICT (\"index\") DO UPDATE SET canonical = '{}'",
    "UPDATE frontier SET size = 3",
    "UPDATE frontier SET peaks = ''",
    "UPDATE frontier SET id = 2, size = size + 1",
    "DELETE FROM frontier",
    "INSERT INTO frontier VALUES (2, 0, '')",
    "INSERT INTO frontier VALUES (1, 0, '') ON CONFLICT (id) DO UPDATE SET size = 0",
    "UPDATE log SET origin = 'other'",
    "UPDATE log SET vkey = vkey",
    "DELETE FROM log",
    "INSERT INTO log VALUES (2, 'other', 'key')",
    "INSERT INTO log VALUES (1, 'other', 'key') ON CONFLICT (id) DO UPDATE SET origin = 'other'",
    "UPDATE checkpoint SET note = ''",
    "UPDATE checkpoint SET size = size",
    "DELETE FROM checkpoint",
    "INSERT INTO checkpoint VALUES (900, 1, 'note')",
    "INSERT INTO checkpoint VALUES (-1, 1, 'note')",
    "INSERT INTO checkpoint VALUES (0, 1, 'note') ON CONFLICT (number) DO UPDATE SET note = 'note'",
]

SQLITE_CHANGES = [
    'UPDATE OR REPLACE entry SET "index" = 4 WHERE "index" = 3',
    f'INSERT OR REPLACE INTO entry SELECT "index", kind, {ENTRY} WHERE "index" = 3',
    f'REPLACE INTO entry SELECT "index", kind, {ENTRY} WHERE "index" = 10',
    "INSERT OR REPLACE INTO frontier VALUES (1, 0, '')",
    "INSERT OR REPLACE INTO log VALUES (1, 'other', 'key')",
    "INSERT OR REPLACE INTO checkpoint VALUES (0, 1, 'note')",
    "UPDATE OR REPLACE checkpoint SET number = 1 WHERE number = 0",
]

SERVER_CHANGES = [
    "TRUNCATE entry",
    "TRUNCATE frontier",
    "TRUNCATE log",
    "TRUNCATE checkpoint",
    "TRUNCATE entry, frontier, log, checkpoint CASCADE",
]


def try_all(trail, changes, *before: str) -> None:
    trail.append("findings", run="run-0", at=AT, body={"number": 11})
    for change in changes:
        with trail._engine.connect() as connection:
            for statement in before:
                connection.exec_driver_sql(statement)
            with pytest.raises(IntegrityError, match=r"trail|frontier|append-only"):
                pytest.fail(f"it was done: {connection.exec_driver_sql(change)}, {change}")
    assert trail.verify().size == 12
    assert trail.checkpoint() is not None


def test_plain_sql_changes_no_table(filled):
    server = filled._engine.dialect.name == "postgresql"
    try_all(filled, CHANGES + (SERVER_CHANGES if server else []))


@pytest.mark.parametrize("recursive_triggers", ["ON", "OFF"])
def test_nor_does_what_sqlite_knows_to_replace_rows(path, filled, recursive_triggers):
    try_all(filled, CHANGES + SQLITE_CHANGES, f"PRAGMA recursive_triggers = {recursive_triggers}")


def test_an_entry_that_comes_next_is_taken_for_what_it_says_and_found_by_verifying(filled):
    """A guard is no evidence: who may write to the table may add what was never hashed."""
    with filled._engine.begin() as connection:
        connection.exec_driver_sql(f'INSERT INTO entry SELECT 11, kind, {ENTRY} WHERE "index" = 3')
    with pytest.raises(Exception, match="entry 11 was changed"):
        filled.verify()


@pytest.mark.parametrize("column", ["canonical", "leaf_hash", "nodes"])
def test_no_column_of_an_entry_may_be_missing(filled, column):
    columns = {"index": "11", "kind": "'data'", "run": "'r'", "at": "''", "canonical": "''", "leaf_hash": "''"}
    columns |= {"root": "''", "nodes": "''", column: "NULL"}
    names = ", ".join(f'"{name}"' for name in columns)
    with pytest.raises(DBAPIError), filled._engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO entry ({names}) VALUES ({', '.join(columns.values())})")
