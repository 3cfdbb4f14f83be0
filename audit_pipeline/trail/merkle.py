"""The Merkle tree of RFC 6962 section 2.1 over SHA-256, grown one leaf at a time.

A tree of n leaves is a row of perfect subtrees, one for each bit set in n, the largest first. Their roots, the
*peaks*, are all that is needed to append the next leaf and to know the root of the whole: O(log n) hashes, kept in a
`Frontier`. Leaves and inner nodes are hashed under different prefixes, so that neither can pass for the other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import reduce

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf's bytes: SHA-256(0x00 ‖ data), 32 bytes (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), 32 bytes (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class TreeHead:
    """What pins a whole log: its size and the root over that many leaves."""

    size: int
    """number of leaves"""
    root: str
    """64 lower-case hexadecimal digits"""


@dataclass(frozen=True)
class Frontier:
    """The right-hand edge of a tree: enough to append to it, not to prove anything about it."""

    size: int = 0
    """number of leaves"""
    peaks: tuple[bytes, ...] = ()
    """roots of the perfect subtrees, the largest first, 32 bytes each; one per bit set in `size`"""

    def completed(self, leaf: bytes) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees that the next leaf completes, of 2, 4, 8, … leaves, 32 bytes each."""
        nodes, node = [], leaf
        for bit in range((~self.size & self.size + 1).bit_length() - 1):
            node = node_hash(self.peaks[-1 - bit], node)
            nodes.append(node)
        return tuple(nodes)

    def append(self, leaf: bytes) -> Frontier:
        """The frontier after one more leaf, given by its `leaf_hash`."""
        completed = self.completed(leaf)
        kept = self.peaks[: len(self.peaks) - len(completed)]
        return Frontier(self.size + 1, (*kept, completed[-1] if completed else leaf))

    def root(self) -> bytes:
        """The Merkle tree hash MTH over all leaves, 32 bytes (RFC 6962 section 2.1)."""
        if not self.peaks:
            return EMPTY_ROOT
        return reduce(lambda right, left: node_hash(left, right), reversed(self.peaks))

    def head(self) -> TreeHead:
        """Size and root."""
        return TreeHead(self.size, self.root().hex())

    def to_hex(self) -> str:
        """The peaks, the largest first, as one run of hexadecimal digits, 64 each."""
        return b"".join(self.peaks).hex()

    @classmethod
    def from_hex(cls, size: int, peaks: str) -> Frontier:
        """Read what `to_hex` wrote.

        Raises:
            ValueError: the peaks are not hexadecimal, or not as many as a tree of this size has.
        """
        joined = bytes.fromhex(peaks)
        if size < 0 or len(joined) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"a tree of {size} leaves does not have {len(joined) / HASH_BYTES:g} peaks")
        return cls(size, tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)))
