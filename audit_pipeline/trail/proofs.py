"""Merkle proofs of RFC 9162: that a leaf is in a tree, and that a tree only grew.

A proof is made from the tree's *nodes*, the roots of its perfect subtrees: node (level l, number j) is the root over
the 2^l leaves from j·2^l on, and (0, j) is leaf j's own hash. A proof over n leaves asks for O(log n) of them. It is
checked with nothing but the proof and the tree heads, so whoever has only those can check it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.merkle import EMPTY_ROOT, HASH_BYTES, TreeHead, node_hash

Node = Callable[[int, int], bytes]
"""Gives the node at (level, number), 32 bytes."""

ProofPath = tuple[bytes, ...]
"""The hashes of a proof in the order in which they are checked, 32 bytes each."""


def root_at(size: int, node: Node) -> bytes:
    """The Merkle tree hash MTH over the first `size` leaves, 32 bytes (RFC 9162 section 2.1.1)."""
    return _root(0, size, node) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, node: Node) -> ProofPath:
    """PATH(index, D_size): what shows that leaf `index` is among the first `size` (RFC 9162 section 2.1.3.1).

    Raises:
        ValueError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_root(middle, end, node))
            end = middle
        else:
            path.append(_root(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, node: Node) -> ProofPath:
    """PROOF(old, D_new): what shows that the tree of `new` leaves extends that of `old` (RFC 9162 section 2.1.4.1).

    The proof from the empty tree, and from a tree to itself, is empty (C2SP tlog-witness).

    Raises:
        ValueError: `old` is negative or above `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not extend one of {old}")
    if old == 0:
        return ()
    start, end, path = 0, new, []
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_root(middle, end, node))
            end = middle
        else:
            path.append(_root(start, middle, node))
            start = middle
    # What begins at the first leaf is the old tree itself, whose root the reader has.
    own = (_root(start, end, node),) if start else ()
    return (*own, *reversed(path))


def root_from_inclusion(index: int, size: int, leaf: bytes, path: ProofPath) -> bytes:
    """The root that a tree of `size` leaves has if the proof holds, 32 bytes (RFC 9162 section 2.1.3.2).

    Args:
        index: the leaf's place, from 0.
        size: number of leaves.
        leaf: its `merkle.leaf_hash`.
        path: the proof.

    Raises:
        RejectedError: `proof.malformed`, no tree of this size has such a proof for this leaf.
    """
    if not 0 <= index < size:
        raise _malformed(f"a tree of {size} leaves has no leaf {index}")
    _require_hashes(leaf, *path)
    here, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise _malformed("it is longer than the tree is high")
        if here & 1 or here == last:
            root = node_hash(sibling, root)
            shift = _trailing_zeros(here)
            here, last = here >> shift, last >> shift
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise _malformed("it is shorter than the tree is high")
    return root


def check_inclusion(head: TreeHead, index: int, leaf: bytes, path: ProofPath) -> None:
    """Check that the leaf with this hash stands at `index` of the tree with this head.

    Raises:
        RejectedError: `proof.malformed`, or `proof.inclusion` where it gives another root.
    """
    root = root_from_inclusion(index, head.size, leaf, path).hex()
    if root != head.root:
        raise RejectedError(
            "proof.inclusion",
            f"the proof gives the root {root}, not {head.root!r}: entry {index} is not in that log of {head.size}",
            hint="the entry, its place or the proof is another's, or the log was rewritten",
        )


def check_consistency(old: TreeHead, new: TreeHead, path: ProofPath) -> None:
    """Check that the tree `new` is the tree `old` with nothing but leaves added (RFC 9162 section 2.1.4.2).

    Raises:
        RejectedError: `proof.malformed`, or `proof.consistency` where it gives other roots.
    """
    if not 0 <= old.size <= new.size:
        raise _inconsistent(old, new, "it is smaller")
    if 0 < old.size < new.size:
        old_root, new_root = _roots_from_consistency(old, new.size, path)
    elif path:
        raise _malformed("between these two sizes it has to be empty")
    else:
        # What is empty has one root, whatever is said of it; and a tree extends itself.
        empty = EMPTY_ROOT.hex()
        old_root, new_root = (new.root if old.size else empty), (new.root if new.size else empty)
    for proven, head in ((old_root, old), (new_root, new)):
        if proven != head.root:
            raise _inconsistent(old, new, f"the proof gives the root {proven} at {head.size}, not {head.root!r}")


def _roots_from_consistency(old: TreeHead, new_size: int, path: ProofPath) -> tuple[str, str]:
    _require_hashes(*path)
    whole = old.size.bit_count() == 1
    hashes = iter((_root_bytes(old), *path) if whole else path)
    shift = _trailing_zeros(old.size)
    here, last = (old.size - 1) >> shift, (new_size - 1) >> shift
    old_root = new_root = next(hashes, b"")
    for sibling in hashes:
        if last == 0:
            raise _malformed("it is longer than the tree is high")
        if here & 1 or here == last:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
            shift = _trailing_zeros(here)
            here, last = here >> shift, last >> shift
        else:
            new_root = node_hash(new_root, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise _malformed("it is shorter than the tree is high")
    return old_root.hex(), new_root.hex()


def _split(count: int) -> int:
    """The largest power of two below `count`, k in RFC 9162 section 2.1.1."""
    return 1 << (count - 1).bit_length() - 1


def _root(start: int, end: int, node: Node) -> bytes:
    """MTH over the leaves from `start` to before `end`, where `start` is a multiple of a power of two ≥ their count."""
    return reduce(lambda right, left: node_hash(left, right), reversed([*_perfect(start, end, node)]))


def _perfect(start: int, end: int, node: Node) -> Iterator[bytes]:
    while start < end:
        level = (end - start).bit_length() - 1
        yield node(level, start >> level)
        start += 1 << level


def _trailing_zeros(number: int) -> int:
    """How often `number` can be halved before it is odd; 0 for 0."""
    return (number & -number).bit_length() - 1 if number else 0


def _require_hashes(*hashes: bytes) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise _malformed(f"a hash in it is not {HASH_BYTES} bytes long")


def _root_bytes(head: TreeHead) -> bytes:
    try:
        root = bytes.fromhex(head.root)
    except ValueError as error:
        raise _malformed(f"{head.root!r} is no root") from error
    _require_hashes(root)
    return root


def _malformed(what: str) -> RejectedError:
    return RejectedError("proof.malformed", f"this is not a proof: {what}", hint="ask for the proof of this size again")


def _inconsistent(old: TreeHead, new: TreeHead, what: str) -> RejectedError:
    return RejectedError(
        "proof.consistency",
        f"the log of {new.size} entries does not extend the one of {old.size}: {what}",
        hint="keep both checkpoints: two that do not fit are the evidence that a log was rewritten or forked",
    )
