"""The statements that read and write the trail's rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, Update, insert, inspect, select, update
from sqlmodel import col

from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.tables import EntryRow, FrontierRow

AnyRow = Row[*tuple[Any, ...]]
"""A row of whichever columns."""

ENTRIES: Select[Any] = select(inspect(EntryRow).local_table).order_by(col(EntryRow.index))
"""All rows of entries, in order."""

REDACTIONS: Select[Any] = ENTRIES.where(col(EntryRow.canonical).contains('"kind":"redaction"'))
"""The rows that take others' text out, by their own text: that is what was hashed, and not the column beside it."""

ENTER = insert(EntryRow)
"""Adds an entry; see `columns`."""

GROW = update(FrontierRow)
"""Moves the frontier; takes its `size` and `peaks`."""

_LAST_ENTRY = (
    select(col(EntryRow.index), col(EntryRow.at), col(EntryRow.root)).order_by(col(EntryRow.index).desc()).limit(1)
)
_FRONTIER: Select[Any] = select(inspect(FrontierRow).local_table)
_BATCH = 1000


def of_kind(kind: Kind) -> Select[Any]:
    """The rows of one kind of entry, in order."""
    return ENTRIES.where(col(EntryRow.kind) == kind)


def read_rows(connection: Connection, query: Select[Any]) -> Iterator[AnyRow]:
    """What a query gives, some at a time."""
    yield from connection.execute(query, execution_options={"yield_per": _BATCH})


def take_out(entry: Entry) -> Update:
    """Leaves an entry's header only; the database's own guard asks for its redaction."""
    left = entry.taken_out().canonical.decode()
    return update(EntryRow).where(col(EntryRow.index) == entry.index).values(canonical=left)


def last_row(connection: Connection) -> RowMapping | None:
    """Index, time and root of the newest entry; None where there is none."""
    return connection.execute(_LAST_ENTRY).mappings().first()


def frontier_row(connection: Connection) -> RowMapping | None:
    """The frontier's row; None where somebody deleted it."""
    return connection.execute(_FRONTIER).mappings().first()


def columns(entry: Entry, head: TreeHead, completed: tuple[bytes, ...]) -> dict[str, int | str]:
    """An entry as a row.

    Args:
        entry: the entry.
        head: of the tree with it as its last leaf.
        completed: the nodes that it completes, see `merkle.Frontier.completed`.
    """
    return {
        "index": entry.index,
        "kind": entry.kind,
        "run": entry.run,
        "at": entry.at,
        "canonical": entry.canonical.decode(),
        "leaf_hash": entry.leaf_hash.hex(),
        "root": head.root,
        "nodes": b"".join(completed).hex(),
    }
