"""Every proof of every small log against the definitions of RFC 9162, and proofs that are wrong in some way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from audit_pipeline.errors import AuditError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.proofs import ProofPath, check_consistency, check_inclusion
from benchmarks.table import Row
from benchmarks.trail_tree import Tree

_LARGEST = 256
_AT = "2026-11-23T12:00:00Z"
_WRONG_SIZES = (1, 2, 3, 5, 7, 8, 12, 13)


def rows() -> list[Row]:
    """Proofs that a real log gives for all pairs of sizes up to 256, and wrong ones."""
    with tempfile.TemporaryDirectory() as folder, Trail.open(Path(folder) / "audit.db") as trail:
        for number in range(_LARGEST):
            trail.append("data", run="proofs", at=_AT, body={"number": number})
        tree = Tree([entry.header for entry in trail.entries()])
        inclusions = [_inclusion_right(trail, tree, *pair) for pair in _inclusion_pairs(_LARGEST)]
        consistencies = [_consistency_right(trail, tree, *pair) for pair in _consistency_pairs(_LARGEST)]
        roots = [trail.root_at(size) == _head(tree, size) for size in range(_LARGEST + 1)]
    wrong = [_refused(ask) for ask in _wrong_proofs(tree)]
    return [
        Row("roots of all sizes 0 to 256 as RFC 9162 defines them", sum(roots) / len(roots), "", at_least=1),
        Row("inclusion proofs, all entries of all sizes to 256", len(inclusions), "", at_least=32_896),
        Row("of them as RFC 9162 defines them, and accepted", sum(inclusions) / len(inclusions), "", at_least=1),
        Row("consistency proofs, all pairs of sizes to 256", len(consistencies), "", at_least=33_153),
        Row("of them as RFC 9162 defines them, and accepted", sum(consistencies) / len(consistencies), "", at_least=1),
        Row("wrong proofs", len(wrong), "", at_least=500),
        Row("of them refused", sum(wrong) / len(wrong), "", at_least=1),
    ]


def _inclusion_pairs(largest: int) -> Iterator[tuple[int, int]]:
    return ((index, size) for size in range(1, largest + 1) for index in range(size))


def _consistency_pairs(largest: int) -> Iterator[tuple[int, int]]:
    return ((old, new) for new in range(largest + 1) for old in range(new + 1))


def _head(tree: Tree, size: int) -> TreeHead:
    return TreeHead(size, tree.root(0, size).hex())


def _inclusion_right(trail: Trail, tree: Tree, index: int, size: int) -> bool:
    path = trail.inclusion(index, size)
    return path == tree.inclusion(index, size) and not _refused(
        partial(check_inclusion, _head(tree, size), index, tree.root(index, index + 1), path)
    )


def _consistency_right(trail: Trail, tree: Tree, old: int, new: int) -> bool:
    path = trail.consistency(old, new)
    return path == tree.consistency(old, new) and not _refused(
        partial(check_consistency, _head(tree, old), _head(tree, new), path)
    )


def _wrong_proofs(tree: Tree) -> Iterator[Callable[[], object]]:
    """Genuine proofs with one thing wrong: the path, the leaf, the place, a size or a root."""
    for size in _WRONG_SIZES:
        for index in range(size):
            yield from _wrong_inclusions(tree, index, size)
        for old in range(1, size):
            yield from _wrong_consistencies(tree, old, size)
        yield from _wrong_about_nothing(tree, size)


def _wrong_inclusions(tree: Tree, index: int, size: int) -> Iterator[Callable[[], object]]:
    leaf, path, head = tree.root(index, index + 1), tree.inclusion(index, size), _head(tree, size)
    for wrong in _altered(path):
        yield partial(check_inclusion, head, index, leaf, wrong)
    for elsewhere in {size, -1, *range(size)} - {index}:
        yield partial(check_inclusion, head, elsewhere, leaf, path)
    yield partial(check_inclusion, head, index, _flipped(leaf), path)
    for root in (_flipped(tree.root(0, size)), tree.root(0, size + 1)):
        yield partial(check_inclusion, TreeHead(size, root.hex()), index, leaf, path)


def _wrong_consistencies(tree: Tree, old: int, new: int) -> Iterator[Callable[[], object]]:
    path, before, after = tree.consistency(old, new), _head(tree, old), _head(tree, new)
    for wrong in _altered(path):
        yield partial(check_consistency, before, after, wrong)
    for root in (_flipped(tree.root(0, old)), tree.root(0, old + 1), tree.root(0, old - 1)):
        yield partial(check_consistency, TreeHead(old, root.hex()), after, path)
    for root in (_flipped(tree.root(0, new)), tree.root(0, new + 1), tree.root(0, new - 1)):
        yield partial(check_consistency, before, TreeHead(new, root.hex()), path)
    yield partial(check_consistency, after, before, path)


def _wrong_about_nothing(tree: Tree, size: int) -> Iterator[Callable[[], object]]:
    """Where there is nothing to prove, because the logs are the same or the older one is empty."""
    same = _head(tree, size)
    yield partial(check_consistency, same, same, (tree.root(0, 1),))
    yield partial(check_consistency, TreeHead(size, _flipped(tree.root(0, size)).hex()), same, ())
    yield partial(check_consistency, TreeHead(0, tree.root(0, 1).hex()), same, ())
    yield partial(check_consistency, _head(tree, 0), same, (tree.root(0, size),))


def _altered(path: ProofPath) -> Iterator[ProofPath]:
    """A step flipped, left out, doubled, moved, cut short, or one too many."""
    for at, step in enumerate(path):
        before, behind = path[:at], path[at + 1 :]
        for put in ((_flipped(step),), (), (step, step), (step[:-1],), (step + b"\x00",)):
            yield (*before, *put, *behind)
        if at:
            yield (*before[:-1], step, before[-1], *behind)
    yield (*path, bytes(32))
    yield (bytes(32), *path)
    yield (*path, b"")


def _flipped(digest: bytes) -> bytes:
    return bytes([digest[0] ^ 1]) + digest[1:]


def _refused(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except AuditError:
        return True
    return False
