"""Root keys sign a trust file one after another; what is worth nothing is dropped."""

from __future__ import annotations

import json

import pytest
from key_samples import code_of
from trust_samples import keys

from audit_pipeline.errors import InputError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.trust.envelope import PAYLOAD_TYPE, add_signature, open_envelope, who_signed

ROOTS = keys().roots
PINNED = keys().pinned
FILE = b"version: 1\n"


def add(envelope: bytes | None, place: int, payload: bytes = FILE):
    return add_signature(envelope, payload, ROOTS[place], PINNED, where="trust.dsse.json")


def prints(*places: int) -> set[str]:
    return {fingerprint(ROOTS[place].public) for place in places}


def test_signatures_are_added_one_after_another_and_make_a_quorum() -> None:
    one = add(None, 0).envelope
    assert who_signed(one, FILE, PINNED, where="x") == prints(0)
    three = add(add(one, 2).envelope, 1)
    assert three.dropped == 0
    assert who_signed(three.envelope, FILE, PINNED, where="x") == prints(0, 1, 2)
    assert open_envelope(three.envelope, Quorum(PINNED, 3), {}, where="x") == FILE


def test_an_envelope_made_by_all_at_once_takes_another_signature() -> None:
    together = dsse.sign(FILE, ROOTS[:2], payload_type=PAYLOAD_TYPE)
    assert open_envelope(add(together, 2).envelope, Quorum(PINNED, 3), {}, where="x") == FILE


def test_signing_again_replaces_ones_own_signature() -> None:
    twice = add(add(None, 0).envelope, 0)
    assert twice.dropped == 0
    assert len(json.loads(twice.envelope)["signatures"]) == 1


def test_signatures_over_other_bytes_are_dropped_and_counted() -> None:
    before = add(add(None, 0).envelope, 1).envelope
    after = add(before, 2, b"version: 2\n")
    assert after.dropped == 2
    assert who_signed(after.envelope, b"version: 2\n", PINNED, where="x") == prints(2)
    assert len(json.loads(after.envelope)["signatures"]) == 1


def test_a_signature_under_anothers_key_id_is_kept_for_the_key_that_made_it() -> None:
    document = json.loads(add(None, 0).envelope)
    document["signatures"][0]["keyid"] = fingerprint(ROOTS[1].public)
    both = add(json.dumps(document).encode(), 1)
    assert who_signed(both.envelope, FILE, PINNED, where="x") == prints(0, 1)


def test_signatures_of_strangers_are_dropped() -> None:
    stranger = dsse.sign(FILE, [keys().new], payload_type=PAYLOAD_TYPE)
    assert add(stranger, 0).dropped == 1


def test_one_root_is_not_kept_twice() -> None:
    document = json.loads(add(None, 0).envelope)
    document["signatures"] *= 2
    assert len(json.loads(add(json.dumps(document).encode(), 1).envelope)["signatures"]) == 2


def test_who_is_no_root_does_not_sign() -> None:
    with pytest.raises(InputError) as refusal:
        add_signature(None, FILE, keys().release, PINNED, where="trust.dsse.json")
    assert refusal.value.code == "trust.not-a-root"


@pytest.mark.parametrize("envelope", [b"", b"[]", b"{}", dsse.sign(FILE, ROOTS[:1])])
def test_what_is_no_envelope_is_not_added_to(envelope: bytes) -> None:
    assert code_of(add, envelope, 0) == "trust.envelope"
