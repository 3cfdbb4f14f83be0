"""The Merkle tree of RFC 6962 section 2.1 over SHA-256, grown one leaf at a time.

A tree of n leaves is a row of perfect subtrees, one for each bit set in n, the largest first. Their roots, the
*peaks*, are all that is needed to append the next leaf and to know the root of the whole: O(log n) hashes, kept in a
`Frontier`. Leaves and inner nodes are hashed under different prefixes, so that neither can pass for the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

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
        return GrowingTree(self).append(leaf)

    def append(self, leaf: bytes) -> Frontier:
        """The frontier after one more leaf, given by its `leaf_hash`."""
        tree = GrowingTree(self)
        tree.append(leaf)
        return tree.frontier()

    def root(self) -> bytes:
        """The Merkle tree hash MTH over all leaves, 32 bytes (RFC 6962 section 2.1)."""
        return _folded(self.peaks)

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


class GrowingTree:
    """A frontier that grows in place: for whoever appends many leaves and looks at each root on the way."""

    def __init__(self, frontier: Frontier | None = None) -> None:
        """Begin at a frontier, that of the empty tree if None."""
        begun = frontier or Frontier()
        self.size = begun.size
        self._peaks = list(begun.peaks)

    def append(self, leaf: bytes) -> tuple[bytes, ...]:
        """Add a leaf, given by its `leaf_hash`; see `Frontier.completed` for what is given back."""
        node, nodes, height = leaf, [], self.size
        while height & 1:
            node = node_hash(self._peaks.pop(), node)
            nodes.append(node)
            height >>= 1
        self._peaks.append(node)
        self.size += 1
        return tuple(nodes)

    def root(self) -> bytes:
        """As `Frontier.root`."""
        return _folded(self._peaks)

    def frontier(self) -> Frontier:
        """The frontier as it is now."""
        return Frontier(self.size, tuple(self._peaks))


def _folded(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    # `node_hash` written out, in a loop: a fourth of what it takes to verify a log is spent here.
    root, sha256 = peaks[-1], hashlib.sha256
    for peak in peaks[-2::-1]:
        root = sha256(b"\x01" + peak + root).digest()
    return root
