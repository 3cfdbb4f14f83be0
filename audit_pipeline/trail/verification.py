"""What `audit log verify` recomputes, and how it says which entry was changed first.

Rows come from a file that anybody may have edited, so nothing about their types is taken for granted, and
their values are quoted in messages: they may hold what a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import RowMapping

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.merkle import Frontier, TreeHead, leaf_hash

_REPEATED_COLUMNS = ("kind", "run", "at")


def verify_log(
    rows: Iterable[RowMapping], frontier_row: RowMapping | None, seen: Iterable[TreeHead], where: str
) -> TreeHead:
    """Check every row in order, then the frontier, then the heads that were seen before.

    Args:
        rows: all rows, by index.
        frontier_row: the frontier as it stands in the database.
        seen: heads noted elsewhere that the log must have passed through.
        where: the trail, for messages.

    Returns:
        The head, recomputed.

    Raises:
        RejectedError: what differs first, and where.
    """
    seen = set(seen)
    sizes_seen = {head.size for head in seen}
    frontier = Frontier()
    passed = {frontier.head()}
    for row in rows:
        frontier = _checked(row, frontier, where)
        if frontier.size in sizes_seen:
            passed.add(frontier.head())
    _check_frontier(read_frontier(frontier_row, where), frontier, where)
    for head in sorted(seen - passed, key=lambda head: head.size):
        raise _unlike_seen(head, frontier.size, where)
    return frontier.head()


def read_entry(row: RowMapping, where: str) -> Entry:
    """The entry that a row's text holds.

    Raises:
        RejectedError: the text is not an entry.
    """
    try:
        return Entry.parse(_stored_bytes(row))
    except ValueError as error:
        raise changed(row["index"], f"its text cannot be read as an entry: {error}", where) from error


def read_frontier(row: RowMapping | None, where: str) -> Frontier:
    """The frontier that its row holds.

    Raises:
        RejectedError: there is no such row, or its values are no frontier.
    """
    if row is None:
        raise RejectedError("trail.frontier", "the frontier of the tree was deleted", where=where, hint=_HINT)
    try:
        return Frontier.from_hex(row["size"], row["peaks"])
    except (ValueError, TypeError, AttributeError) as error:
        raise RejectedError(
            "trail.frontier", f"the frontier of the tree was changed: {error}", where=where, hint=_HINT
        ) from error


def _checked(row: RowMapping, before: Frontier, where: str) -> Frontier:
    index = before.size
    if row["index"] != index:
        raise changed(index, f"it is missing: the next entry stored is number {row['index']!r}", where)
    try:
        stored = _stored_bytes(row)
    except ValueError as error:
        raise changed(index, str(error), where) from error
    leaf = leaf_hash(stored)
    if row["leaf_hash"] != leaf.hex():
        raise changed(index, f"its text hashes to {leaf.hex()}, recorded was {row['leaf_hash']!r}", where)
    after = before.append(leaf)
    if row["root"] != after.root().hex():
        raise changed(index, f"with it the tree's root is {after.root().hex()}, recorded was {row['root']!r}", where)
    nodes = b"".join(before.completed(leaf)).hex()
    if row["nodes"] != nodes:
        raise changed(index, f"the nodes that it completes are {nodes!r}, recorded was {row['nodes']!r}", where)
    _check_columns(row, read_entry(row, where), where)
    return after


def _check_columns(row: RowMapping, entry: Entry, where: str) -> None:
    if entry.index != row["index"]:
        raise changed(row["index"], f"its text says it is number {entry.index}", where)
    for column in _REPEATED_COLUMNS:
        if row[column] != getattr(entry, column):
            hashed = getattr(entry, column)
            raise changed(entry.index, f"column {column} says {row[column]!r}, the hashed text {hashed!r}", where)


def _stored_bytes(row: RowMapping) -> bytes:
    if not isinstance(row["canonical"], str):
        raise ValueError("its text was replaced by something that is not text")
    return row["canonical"].encode("utf-8", "surrogateescape")


def _check_frontier(recorded: Frontier, recomputed: Frontier, where: str) -> None:
    if recorded.size > recomputed.size:
        raise changed(recomputed.size, f"it is missing: the tree counts {recorded.size} entries", where)
    if recorded.size < recomputed.size:
        raise changed(recorded.size, f"it was added past the tree, which counts {recorded.size} entries", where)
    if recorded != recomputed:
        raise RejectedError(
            "trail.frontier",
            f"the frontier of the tree was changed: it gives the root {recorded.root().hex()}, "
            f"the entries give {recomputed.root().hex()}",
            where=where,
            hint=_HINT,
        )


_HINT = "keep the file as it is, and compare it with a copy or with the heads in earlier runs' evidence"


def changed(index: object, what: str, where: str) -> RejectedError:
    """That an entry is not as it was recorded."""
    return RejectedError("trail.entry-changed", f"entry {index!r} was changed: {what}", where=where, hint=_HINT)


def _unlike_seen(head: TreeHead, size: int, where: str) -> RejectedError:
    what = (
        f"the log holds {size} entries, and once held {head.size}"
        if head.size > size
        else f"the first {head.size} entries are not those with the root {head.root} that was seen"
    )
    return RejectedError("trail.rewritten", what, where=where, hint=_HINT)
