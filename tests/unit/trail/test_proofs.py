"""Proofs against the recursive definitions of RFC 9162, over every size up to 64."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.merkle import EMPTY_ROOT, TreeHead, leaf_hash, node_hash
from audit_pipeline.trail.proofs import (
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    root_at,
    root_from_inclusion,
)

SIZES = range(65)
LEAVES = [leaf_hash(bytes([number])) for number in range(64)]


def split(count):
    return max(1 << bit for bit in range(20) if 1 << bit < count)


@cache
def mth(start, end):
    """MTH(D[start:end]), section 2.1.1."""
    if end == start:
        return EMPTY_ROOT
    if end - start == 1:
        return LEAVES[start]
    middle = start + split(end - start)
    return node_hash(mth(start, middle), mth(middle, end))


def path(m, start, end):
    """PATH(m, D[start:end]), section 2.1.3.1."""
    if end - start == 1:
        return ()
    k = split(end - start)
    if m < k:
        return (*path(m, start, start + k), mth(start + k, end))
    return (*path(m - k, start + k, end), mth(start, start + k))


def subproof(m, start, end, known):
    """SUBPROOF(m, D[start:end], known), section 2.1.4.1."""
    if m == end - start:
        return () if known else (mth(start, end),)
    k = split(end - start)
    if m <= k:
        return (*subproof(m, start, start + k, known), mth(start + k, end))
    return (*subproof(m - k, start + k, end, False), mth(start, start + k))


def node(level, number):
    return mth(number << level, (number + 1) << level)


def head(size):
    return TreeHead(size, mth(0, size).hex())


@pytest.mark.parametrize("size", SIZES)
def test_every_inclusion_proof_is_the_defined_one_and_holds(size):
    assert root_at(size, node) == mth(0, size)
    for index in range(size):
        proof = inclusion_path(index, size, node)
        assert proof == path(index, 0, size)
        check_inclusion(head(size), index, LEAVES[index], proof)


@pytest.mark.parametrize("new", SIZES)
def test_every_consistency_proof_is_the_defined_one_and_holds(new):
    for old in range(new + 1):
        proof = consistency_path(old, new, node)
        assert proof == (subproof(old, 0, new, True) if old else ())
        check_consistency(head(old), head(new), proof)


@pytest.mark.parametrize("size", SIZES)
def test_no_inclusion_proof_holds_for_another_leaf_or_another_place(size):
    for index in range(size):
        proof = inclusion_path(index, size, node)
        for other in range(size):
            if other != index:
                with pytest.raises(RejectedError):
                    check_inclusion(head(size), other, LEAVES[index], proof)
                with pytest.raises(RejectedError):
                    check_inclusion(head(size), index, LEAVES[other], proof)


@given(st.data())
def test_a_changed_inclusion_proof_is_refused(data):
    size = data.draw(st.integers(1, 64))
    index = data.draw(st.integers(0, size - 1))
    proof = data.draw(changes_of(inclusion_path(index, size, node)))
    with pytest.raises(RejectedError):
        check_inclusion(head(size), index, LEAVES[index], proof)


@given(st.data())
def test_a_changed_consistency_proof_is_refused(data):
    new = data.draw(st.integers(1, 64))
    old = data.draw(st.integers(0, new))
    proof = data.draw(changes_of(consistency_path(old, new, node)))
    with pytest.raises(RejectedError):
        check_consistency(head(old), head(new), proof)


@st.composite
def changes_of(draw, proof):
    """A proof with a hash too many, too few, altered, or two of them in each other's place."""
    place = draw(st.integers(0, len(proof)))
    longer = (*proof[:place], draw(st.binary(min_size=32, max_size=32)), *proof[place:])
    changed = [longer]
    if proof:
        at = draw(st.integers(0, len(proof) - 1))
        bit = draw(st.integers(0, 255))
        flipped = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        changed += [(*proof[:at], *proof[at + 1 :]), (*proof[:at], flipped, *proof[at + 1 :])]
    if len(proof) > 1:
        changed.append((*proof[1:], proof[0]))
    return draw(st.sampled_from(changed))


@pytest.mark.parametrize("new", SIZES)
def test_a_tree_that_is_not_an_extension_has_no_proof(new):
    for old in range(1, new + 1):
        forked = TreeHead(old, leaf_hash(mth(0, old)).hex())
        with pytest.raises(RejectedError) as refusal:
            check_consistency(forked, head(new), consistency_path(old, new, node))
        assert refusal.value.code == "proof.consistency"


def test_a_smaller_tree_extends_nothing():
    with pytest.raises(RejectedError, match="smaller"):
        check_consistency(head(5), head(4), ())


def test_an_old_tree_of_nothing_has_the_root_of_nothing():
    with pytest.raises(RejectedError):
        check_consistency(TreeHead(0, "00" * 32), head(4), ())


@pytest.mark.parametrize("hash_", [b"", b"\x00" * 31, b"\x00" * 33])
def test_a_hash_of_another_length_is_no_proof(hash_):
    for attempt in (
        lambda: check_inclusion(head(2), 0, LEAVES[0], (hash_,)),
        lambda: check_inclusion(head(1), 0, hash_, ()),
        lambda: check_consistency(head(1), head(2), (hash_,)),
        lambda: check_consistency(TreeHead(1, hash_.hex()), head(2), (LEAVES[1],)),
    ):
        with pytest.raises(RejectedError) as refusal:
            attempt()
        assert refusal.value.code == "proof.malformed"


@pytest.mark.parametrize("root", ["", "zz" * 32, "\x1b[2J"])
def test_a_root_that_is_none_is_refused_and_reaches_no_terminal_raw(root):
    for attempt in (
        lambda: check_consistency(TreeHead(4, root), head(6), consistency_path(4, 6, node)),
        lambda: check_consistency(TreeHead(3, root), head(6), consistency_path(3, 6, node)),
        lambda: check_inclusion(TreeHead(6, root), 0, LEAVES[0], inclusion_path(0, 6, node)),
    ):
        with pytest.raises(RejectedError) as refusal:
            attempt()
        assert refusal.value.what.isprintable()


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, -1)])
def test_a_leaf_that_the_tree_does_not_have_has_no_proof(index, size):
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_path(index, size, node)
    with pytest.raises(RejectedError, match="has no leaf"):
        root_from_inclusion(index, size, LEAVES[0], ())


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_a_tree_extends_no_larger_one(old, new):
    with pytest.raises(ValueError, match="does not extend"):
        consistency_path(old, new, node)


def test_a_proof_reads_no_more_nodes_than_twice_the_height():
    read = []

    def counting(level, number):
        read.append((level, number))
        return b"\x00" * 32

    inclusion_path(54_321, 99_999, counting)
    consistency_path(54_321, 99_999, counting)
    assert len(read) <= 2 * 2 * (99_999).bit_length()
