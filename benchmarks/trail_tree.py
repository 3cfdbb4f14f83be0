"""The Merkle tree of RFC 9162 section 2.1 by its recursive definitions, word for word: slow, and on its own.

Nothing here is taken from `audit_pipeline`, so that an error there cannot hide behind the same error here. Leaves are
given as bytes; a range of leaves `[start, end)` names a subtree, whose root is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256


def largest_power_below(n: int) -> int:
    """The largest power of two smaller than n, for n ≥ 2 (RFC 9162 section 2.1.1)."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


@dataclass
class Tree:
    """A tree over these leaves."""

    leaves: list[bytes]
    known: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def root(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) (RFC 9162 section 2.1.1)."""
        if (start, end) not in self.known:
            self.known[start, end] = self._root(start, end)
        return self.known[start, end]

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """PATH(index, D_size) (RFC 9162 section 2.1.3.1)."""
        return self._path(index, 0, size)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """PROOF(old, D_new); none where there is nothing to prove (RFC 9162 section 2.1.4.1)."""
        return self._subproof(old, 0, new, whole=True) if 0 < old < new else ()

    def _root(self, start: int, end: int) -> bytes:
        if start == end:
            return sha256(b"").digest()
        if end - start == 1:
            return sha256(b"\x00" + self.leaves[start]).digest()
        middle = start + largest_power_below(end - start)
        return sha256(b"\x01" + self.root(start, middle) + self.root(middle, end)).digest()

    def _path(self, index: int, start: int, end: int) -> tuple[bytes, ...]:
        if end - start == 1:
            return ()
        middle = start + largest_power_below(end - start)
        if index < middle:
            return (*self._path(index, start, middle), self.root(middle, end))
        return (*self._path(index, middle, end), self.root(start, middle))

    def _subproof(self, old: int, start: int, end: int, *, whole: bool) -> tuple[bytes, ...]:
        if old == end:
            return () if whole else (self.root(start, end),)
        middle = start + largest_power_below(end - start)
        if old <= middle:
            return (*self._subproof(old, start, middle, whole=whole), self.root(middle, end))
        return (*self._subproof(old, middle, end, whole=False), self.root(start, middle))
