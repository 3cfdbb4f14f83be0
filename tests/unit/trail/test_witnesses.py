"""How many witnesses a checkpoint must carry, and who counts as one."""

from __future__ import annotations

import pytest

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note_key import COSIGNATURE, NoteKey, NoteSigner
from audit_pipeline.trail.witnesses import WitnessQuorum, require_witnesses

LOG = NoteSigner.generate("example.com/log")
WITNESSES = [NoteSigner.generate(f"example.com/w{number}", COSIGNATURE) for number in range(3)]
KEYS = tuple(witness.key for witness in WITNESSES)
CHECKPOINT = sign_checkpoint(LOG, TreeHead(3, "ab" * 32))


def cosigned(*witnesses):
    return CHECKPOINT.joined(witness.sign(CHECKPOINT.text, seconds=1) for witness in witnesses)


def test_enough_witnesses_are_enough_whichever_they_are():
    quorum = WitnessQuorum(KEYS, 2)
    assert require_witnesses(cosigned(WITNESSES[2], WITNESSES[0]), LOG.key, quorum) == (KEYS[0], KEYS[2])


def test_one_witness_who_signs_twice_is_one_witness():
    twice = cosigned(WITNESSES[0]).joined([WITNESSES[0].sign(CHECKPOINT.text, seconds=2)])
    with pytest.raises(RejectedError) as caught:
        require_witnesses(twice, LOG.key, WitnessQuorum(KEYS, 2))
    assert caught.value.code == "witness.missing"
    assert "example.com/w1" in caught.value.what


def test_the_log_is_no_witness_of_itself():
    itself = NoteSigner("example.com/w9", LOG._private, COSIGNATURE)
    quorum = WitnessQuorum((itself.key,), 1)
    with pytest.raises(RejectedError) as caught:
        require_witnesses(cosigned(itself), LOG.key, quorum)
    assert caught.value.code == "witness.missing"


def test_a_false_cosignature_is_not_passed_over():
    false = WITNESSES[0].sign(CHECKPOINT.text + "more\n", seconds=1)
    with pytest.raises(RejectedError) as caught:
        require_witnesses(CHECKPOINT.joined([false]), LOG.key, WitnessQuorum(KEYS, 1))
    assert caught.value.code == "note.signature"


@pytest.mark.parametrize(("keys", "threshold"), [(KEYS, 0), (KEYS, 4), ((), 1), ((KEYS[0], KEYS[0]), 2)])
def test_a_quorum_that_nobody_can_reach_is_refused(keys, threshold):
    with pytest.raises(InputError) as caught:
        WitnessQuorum(keys, threshold)
    assert caught.value.code == "witness.threshold"
    assert caught.value.hint


def test_one_key_under_two_names_is_not_two_witnesses():
    twin = NoteKey("example.com/twin", KEYS[0].public, COSIGNATURE)
    with pytest.raises(InputError) as caught:
        WitnessQuorum((KEYS[0], twin), 2)
    assert caught.value.code == "witness.threshold"


def test_a_logs_key_is_refused_as_a_witness():
    with pytest.raises(InputError) as caught:
        WitnessQuorum((LOG.key,), 1)
    assert caught.value.code == "witness.key"
