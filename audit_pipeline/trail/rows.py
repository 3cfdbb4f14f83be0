"""The statements that read and write the trail's rows."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, func, insert, inspect, outerjoin, select, update
from sqlmodel import col

from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.prepared import Prepared
from audit_pipeline.trail.tables import EntryRow, FrontierRow

AnyRow = Row[*tuple[Any, ...]]
"""A row of whichever columns."""

ENTRIES: Select[Any] = select(inspect(EntryRow).local_table).order_by(col(EntryRow.index))
"""All rows of entries, in order."""

REDACTIONS: Select[Any] = ENTRIES.where(col(EntryRow.canonical).contains('"kind":"redaction"'))
"""The rows that take others' text out, by their own text: that is what was hashed, and not the column beside it."""

ENTER = Prepared(insert(EntryRow), "index", "kind", "run", "at", "canonical", "leaf_hash", "root", "nodes")
"""Adds an entry; takes what `columns` gives."""

GROW = Prepared(update(FrontierRow), "size", "peaks")
"""Moves the frontier; takes its `size` and `peaks`."""

_NEWEST = select(func.max(col(EntryRow.index))).scalar_subquery()
_END = Prepared(
    select(
        col(FrontierRow.size), col(FrontierRow.peaks), col(EntryRow.index), col(EntryRow.at), col(EntryRow.root)
    ).select_from(outerjoin(FrontierRow, EntryRow, col(EntryRow.index) == _NEWEST))
)
_FRONTIER = Prepared(select(inspect(FrontierRow).local_table))
_BATCH = 1000


def of_kind(kind: Kind) -> Select[Any]:
    """The rows of one kind of entry, in order."""
    return ENTRIES.where(col(EntryRow.kind) == kind)


def read_rows(connection: Connection, query: Select[Any]) -> Generator[AnyRow]:
    """What a query gives, some at a time.

    Whoever may stop before the end closes the generator while the connection is open: a server keeps a cursor for it.
    """
    with connection.execute(query, execution_options={"yield_per": _BATCH}) as found:
        yield from found


def take_out(entry: Entry) -> Update:
    """Leaves an entry's header only; the database's own guard asks for its redaction."""
    left = entry.taken_out().canonical.decode()
    return update(EntryRow).where(col(EntryRow.index) == entry.index).values(canonical=left)


def end_row(connection: Connection) -> Mapping[str, Any] | None:
    """Size and peaks of the frontier, and index, time and root of the newest entry; these None where there is none.

    None where somebody deleted the frontier.
    """
    return _END.first(connection)


def frontier_row(connection: Connection) -> Mapping[str, Any] | None:
    """The frontier's row; None where somebody deleted it."""
    return _FRONTIER.first(connection)


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
