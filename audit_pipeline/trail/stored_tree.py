"""The Merkle tree as it stands in the database, and the proofs that are made from it.

A perfect subtree is complete with its last leaf, and its root is kept in that leaf's row: node (level, number) in the
row of entry (number + 1)·2^level − 1. Whatever is asked of the tree so reads O(log n) rows by their primary key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, RowMapping, bindparam, select
from sqlmodel import col

from audit_pipeline.errors import InputError
from audit_pipeline.trail import proofs
from audit_pipeline.trail.merkle import HASH_BYTES, TreeHead
from audit_pipeline.trail.proofs import Node, ProofPath
from audit_pipeline.trail.rows import frontier_row
from audit_pipeline.trail.tables import EntryRow
from audit_pipeline.trail.verification import changed, read_frontier

_DIGITS = 2 * HASH_BYTES
_NODES = select(col(EntryRow.index), col(EntryRow.leaf_hash), col(EntryRow.nodes)).where(
    col(EntryRow.index).in_(bindparam("indexes", expanding=True))
)

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class StoredTree:
    """The tree as one transaction sees it. Nothing is recomputed: what was altered gives proofs that do not hold."""

    connection: Connection
    """within a transaction"""
    where: str
    """the trail, for messages"""

    def root_at(self, size: int) -> TreeHead:
        """The head of the first `size` entries. For what is raised see `Trail.root_at`."""
        self._sized(size)
        return TreeHead(size, self._from_nodes(lambda node: proofs.root_at(size, node)).hex())

    def inclusion(self, index: int, size: int | None = None) -> ProofPath:
        """The proof that an entry is among the first `size`, all if None. See `Trail.inclusion`."""
        among = self._sized(size)
        if not 0 <= index < among:
            raise InputError("trail.no-such-entry", f"there is no entry {index} among {among}", where=self.where)
        return self._from_nodes(lambda node: proofs.inclusion_path(index, among, node))

    def consistency(self, old: int, new: int | None = None) -> ProofPath:
        """The proof that the first `new` entries, all if None, extend the first `old`. See `Trail.consistency`."""
        grown = self._sized(new)
        if not 0 <= old <= grown:
            raise InputError("trail.no-such-size", f"{grown} entries do not extend {old}", where=self.where)
        return self._from_nodes(lambda node: proofs.consistency_path(old, grown, node))

    def _sized(self, size: int | None) -> int:
        now = read_frontier(frontier_row(self.connection), self.where).size
        if size is None:
            return now
        if not 0 <= size <= now:
            raise InputError("trail.no-such-size", f"the log has {now} entries, not {size}", where=self.where)
        return size

    def _from_nodes(self, make: Callable[[Node], _Made]) -> _Made:
        # Made twice: first to learn which nodes it asks for, so that one query reads them all, and then with them.
        asked: list[tuple[int, int]] = []

        def note(level: int, number: int) -> bytes:
            asked.append((level, number))
            return b""

        make(note)
        rows = self._rows({_index(*node) for node in asked})
        return make(lambda level, number: self._node(rows, level, number))

    def _rows(self, indexes: set[int]) -> Mapping[int, RowMapping]:
        found = self.connection.execute(_NODES, {"indexes": sorted(indexes)}).mappings()
        return {row["index"]: row for row in found}

    def _node(self, rows: Mapping[int, RowMapping], level: int, number: int) -> bytes:
        index = _index(level, number)
        if index not in rows:
            raise changed(index, "it is missing", self.where)
        row = rows[index]
        try:
            value = bytes.fromhex(row["nodes"][_DIGITS * (level - 1) : _DIGITS * level] if level else row["leaf_hash"])
        except (ValueError, TypeError) as error:
            raise changed(index, "a hash of the tree that stands with it is none", self.where) from error
        if len(value) != HASH_BYTES:
            raise changed(index, "a hash of the tree that stands with it is gone", self.where)
        return value


def _index(level: int, number: int) -> int:
    """The entry that completes a node."""
    return ((number + 1) << level) - 1
