"""What `audit log verify` recomputes, and how it says which entry was changed first.

Rows come from a file that anybody may have edited, so nothing about their types is taken for granted, and
their values are quoted in messages: they may hold what a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.document import leaf_of
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.merkle import Frontier, GrowingTree, TreeHead, leaf_hash
from audit_pipeline.trail.rows import AnyRow

if TYPE_CHECKING:
    from audit_pipeline.trail.redaction import Redaction

_REPEATED_COLUMNS = ("kind", "run", "at")

_Redactions = Callable[[], Mapping[int, tuple["Redaction", ...]]]


def verify_log(
    rows: Iterable[AnyRow],
    frontier_row: Mapping[str, Any] | None,
    seen: Iterable[TreeHead],
    where: str,
    redactions: Callable[[], Iterable[AnyRow]],
) -> TreeHead:
    """Check every row in order, then the frontier, then the heads that were seen before.

    Args:
        rows: all rows, by index, with the columns of `tables.EntryRow`.
        frontier_row: the frontier as it stands in the database.
        seen: heads noted elsewhere that the log must have passed through.
        where: the trail, for messages.
        redactions: gives all rows whose text may be that of a `redaction` entry; asked only where a text is gone.

    Returns:
        The head, recomputed.

    Raises:
        RejectedError: what differs first, and where.
    """
    seen = set(seen)
    sizes_seen = {head.size for head in seen}
    tree = GrowingTree()
    passed = {tree.frontier().head()}
    signed = cache(lambda: _signed_redactions(redactions(), where))
    for row in rows:
        _check_row(row, tree, signed, where)
        if tree.size in sizes_seen:
            passed.add(tree.frontier().head())
    _check_frontier(read_frontier(frontier_row, where), tree.frontier(), where)
    for head in sorted(seen - passed, key=lambda head: head.size):
        raise _unlike_seen(head, tree.size, where)
    return tree.frontier().head()


def read_entry(row: RowMapping, where: str) -> Entry:
    """The entry that a row's text holds, or what is left of it where its text was taken out.

    Raises:
        RejectedError: the text is not an entry.
    """
    try:
        return Entry.parse(_stored_bytes(row["canonical"]))
    except ValueError as error:
        raise changed(row["index"], f"its text cannot be read as an entry: {error}", where) from error


def read_frontier(row: Mapping[str, Any] | None, where: str) -> Frontier:
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


def _check_row(row: AnyRow, tree: GrowingTree, redactions: _Redactions, where: str) -> None:
    """Check the next row and add its leaf to the tree."""
    index, kind, run, at, text, recorded, root, nodes = row
    if index != tree.size:
        raise changed(tree.size, f"it is missing: the next entry stored is number {index!r}", where)
    entry = None
    leaf = leaf_of(text, index, kind, run, at)
    if leaf is None:
        entry = _read(index, text, recorded, where)
        leaf = entry.leaf_hash
    if recorded != leaf.hex():
        raise changed(index, f"its text hashes to {leaf.hex()}, recorded was {recorded!r}", where)
    completed = b"".join(tree.append(leaf)).hex()
    if root != tree.root().hex():
        raise changed(index, f"with it the tree's root is {tree.root().hex()}, recorded was {root!r}", where)
    if nodes != completed:
        raise changed(index, f"the nodes that it completes are {completed!r}, recorded was {nodes!r}", where)
    if entry is not None:
        _check_columns(row._mapping, entry, where)
        if entry.redacted:
            _require_redaction(entry, redactions(), where)


def _read(index: int, text: object, recorded: object, where: str) -> Entry:
    """The entry in a text that is not as today's tool writes it for these columns."""
    if text == "":
        raise changed(index, _GONE, where)
    try:
        stored = _stored_bytes(text)
    except ValueError as error:
        raise changed(index, str(error), where) from error
    try:
        return Entry.parse(stored)
    except ValueError as error:
        hashed = leaf_hash(stored).hex()
        if recorded != hashed:
            raise changed(index, f"its text hashes to {hashed}, recorded was {recorded!r}", where) from error
        raise changed(index, f"its text cannot be read as an entry: {error}", where) from error


def _require_redaction(entry: Entry, redactions: Mapping[int, tuple[Redaction, ...]], where: str) -> None:
    """Refuse an entry without its text that no redaction took out."""
    if not any(redaction.is_of(entry) for redaction in redactions.get(entry.index, ())):
        raise changed(entry.index, _GONE, where)


def _signed_redactions(rows: Iterable[AnyRow], where: str) -> Mapping[int, tuple[Redaction, ...]]:
    # Imported here because it brings the libraries that check signatures, which few logs need.
    from audit_pipeline.trail.redaction import redactions_of

    return redactions_of(_readable(rows, where), where)


def _readable(rows: Iterable[AnyRow], where: str) -> Iterator[Entry]:
    for row in rows:
        try:
            yield read_entry(row._mapping, where)
        except RejectedError:
            # Left to be named in its own place.
            continue


def _check_columns(row: RowMapping, entry: Entry, where: str) -> None:
    if entry.index != row["index"]:
        raise changed(row["index"], f"its text says it is number {entry.index}", where)
    for column in _REPEATED_COLUMNS:
        if row[column] != getattr(entry, column):
            hashed = getattr(entry, column)
            raise changed(entry.index, f"column {column} says {row[column]!r}, the hashed text {hashed!r}", where)


def _stored_bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("its text was replaced by something that is not text")
    return text.encode("utf-8", "surrogateescape")


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


_GONE = "its text is gone, and no signed redaction says that this entry's was taken out"
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
