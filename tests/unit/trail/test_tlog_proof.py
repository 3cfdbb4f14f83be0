"""Proofs as texts that are checked offline: C2SP tlog-proof."""

from __future__ import annotations

import hashlib
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.merkle import Frontier, leaf_hash
from audit_pipeline.trail.note_key import NoteSigner
from audit_pipeline.trail.proofs import inclusion_path
from audit_pipeline.trail.strict_base64 import encode
from audit_pipeline.trail.tlog_proof import MAX_HASHES, MAX_PROOF_BYTES, TlogProof

LOG = NoteSigner.generate("example.com/log")
LEAVES = [f"entry {number}".encode() for number in range(11)]


def subtree(level, number):
    """A node by its definition, from the leaves alone."""
    if level == 0:
        return leaf_hash(LEAVES[number])
    below = subtree(level - 1, 2 * number), subtree(level - 1, 2 * number + 1)
    return hashlib.sha256(b"\x01" + b"".join(below)).digest()


def frontier(size):
    grown = Frontier()
    for leaf in LEAVES[:size]:
        grown = grown.append(leaf_hash(leaf))
    return grown


def proof_of(index, size=11, extra=None):
    note = sign_checkpoint(LOG, frontier(size).head())
    return TlogProof(index, inclusion_path(index, size, subtree), note, extra)


def code(function, *given):
    with pytest.raises(RejectedError) as caught:
        function(*given)
    return caught.value.code


def test_a_proof_is_laid_out_as_the_specification_says():
    # As github.com/transparency-dev/formats, tlog_proof_test.go, expects it.
    proof = proof_of(5, extra=b"extra information")
    lines = proof.to_bytes().decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", f"extra {encode(b'extra information')}", "index 5"]
    assert lines[3:7] == [encode(hash_) for hash_ in proof.path]
    assert "\n".join(lines[7:]) == "\n" + proof.checkpoint.to_bytes().decode()


@pytest.mark.parametrize("size", range(1, 12))
def test_every_entry_of_every_size_is_proven_to_whoever_has_the_logs_key(size):
    for index in range(size):
        proof = TlogProof.parse(proof_of(index, size, LEAVES[index]).to_bytes())
        assert proof.check(leaf_hash(proof.extra), LOG.key).head == frontier(size).head()


def test_another_entry_or_another_place_is_not_proven():
    proof = proof_of(5)
    assert code(proof.check, leaf_hash(LEAVES[4]), LOG.key) == "proof.inclusion"
    moved = TlogProof(4, proof.path, proof.checkpoint)
    assert code(moved.check, leaf_hash(LEAVES[5]), LOG.key) == "proof.inclusion"


def test_a_proof_of_another_log_proves_nothing():
    other = NoteSigner.generate("example.com/log")
    assert code(proof_of(5).check, leaf_hash(LEAVES[5]), other.key) == "checkpoint.unsigned"


GOOD = proof_of(5).to_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"index 5\n", b""),
        GOOD.replace(b"index 5", b"index five"),
        GOOD.replace(b"index 5", b"index -5"),
        GOOD.replace(b"index 5", b"index 05"),
        GOOD.replace(b"index 5", b"Index 5"),
        GOOD.replace(b"index 5", b"extra !!\nindex 5"),
        GOOD.replace(b"index 5", b"extra QQ==\nextra QQ==\nindex 5"),
        GOOD.replace(b"index 5", b"index 5\n!!notbase64!!"),
        GOOD.replace(b"index 5", b"index 5\n" + encode(bytes(64)).encode()),
        GOOD.replace(b"index 5", b"index 5" + f"\n{encode(bytes(32))}".encode() * MAX_HASHES),
        GOOD.replace(b"\n\n", b"\n", 1),
        b"x" * (MAX_PROOF_BYTES + 1),
        b"\xff" + GOOD,
    ],
    ids=count(),
)
def test_what_is_no_proof_is_refused(content):
    assert code(TlogProof.parse, content) in {"proof.malformed", "note.malformed"}


@given(st.binary(max_size=200))
def test_any_bytes_after_the_header_are_a_proof_or_are_refused(content):
    with pytest.raises(RejectedError):
        TlogProof.parse(b"c2sp.org/tlog-proof@v1\n" + content)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_proof_changed_in_one_byte_proves_nothing(place, value):
    changed = GOOD[:place] + bytes([value]) + GOOD[place + 1 :]
    if changed == GOOD:
        return
    with pytest.raises(RejectedError):
        TlogProof.parse(changed).check(leaf_hash(LEAVES[5]), LOG.key)
