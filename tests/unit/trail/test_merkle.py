from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.trail.merkle import EMPTY_ROOT, Frontier, TreeHead, leaf_hash, node_hash

# Certificate Transparency's test leaves and tree heads (transparency-dev/merkle, testonly/constants.go).
LEAVES = tuple(
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
)
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf_hash(leaf))
    return frontier


def merkle_tree_hash(data: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 writes it down: recursive, split at the largest power of two below n."""
    if not data:
        return hashlib.sha256().digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    split = max(1 << bit for bit in range(20) if 1 << bit < len(data))
    return hashlib.sha256(b"\x01" + merkle_tree_hash(data[:split]) + merkle_tree_hash(data[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_that_certificate_transparency_publishes(size):
    assert grown(list(LEAVES[:size])).head() == TreeHead(size, ROOTS[size])


def test_leaf_and_node_hashes_are_prefixed_so_that_neither_passes_for_the_other():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)
    assert node_hash(left, right) != node_hash(right, left)


def test_root_equals_the_recursive_definition_at_every_size_up_to_257():
    frontier, data = Frontier(), []
    for number in range(257):
        data.append(number.to_bytes(2, "big"))
        frontier = frontier.append(leaf_hash(data[-1]))
        assert frontier.root() == merkle_tree_hash(data)


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_root_equals_the_recursive_definition_for_any_leaves(data):
    assert grown(data).root() == merkle_tree_hash(data)


@given(st.integers(0, 600))
def test_a_frontier_holds_one_peak_per_bit_of_its_size_and_survives_writing(size):
    frontier = grown([bytes(2)] * size)
    assert len(frontier.peaks) == size.bit_count()
    assert Frontier.from_hex(frontier.size, frontier.to_hex()) == frontier


@given(st.integers(0, 600))
def test_each_leaf_completes_the_perfect_subtrees_that_end_with_it(size):
    frontier, leaf = grown([bytes(2)] * size), leaf_hash(bytes(2))
    perfect, number = [], size + 1
    while number % 2 == 0:
        number //= 2
        perfect.append(merkle_tree_hash([bytes(2)] * 2 ** (len(perfect) + 1)))
    assert list(frontier.completed(leaf)) == perfect


def test_the_empty_tree_has_the_hash_of_nothing():
    assert Frontier().root() == EMPTY_ROOT == merkle_tree_hash([])


@pytest.mark.parametrize(
    ("size", "peaks"), [(1, ""), (0, "00" * 32), (3, "00" * 32), (2, "00" * 31), (1, "xy" * 32), (-1, "00" * 32)]
)
def test_peaks_that_do_not_fit_the_size_are_refused(size, peaks):
    with pytest.raises(ValueError, match=r"peaks|hexadecimal"):
        Frontier.from_hex(size, peaks)
