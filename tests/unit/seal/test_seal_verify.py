from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sealed_samples import POLICY, Sealed, flip, reassemble, release_of, seal_model, verdict_of

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.parse import parse
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.verify import Companions, Trust, verify


def rejects(call: Callable[[], object]) -> str:
    with pytest.raises(RejectedError) as caught:
        call()
    return caught.value.code


def rejects_companions(sealed: Sealed, **changed: bytes) -> str:
    companions = dataclasses.replace(sealed.companions, **changed)
    return rejects(lambda: verify(sealed.image, trust=sealed.trust, companions=companions))


def test_an_image_with_all_its_companions_holds(small: Sealed) -> None:
    report = verify(small.image, trust=small.trust, companions=small.companions, recipient=small.recipient)
    assert report.level == "full"
    assert {check.state for check in report.checks} == {"passed"}
    assert report.image_sha256 == sha256_hex(small.image)
    assert report.binds_every_byte


def test_what_was_not_given_is_reported_as_not_checked(small: Sealed) -> None:
    report = verify(small.image, trust=small.trust)
    assert report.level == "public"
    unchecked = [check.name for check in report.checks if check.state == "not-checked"]
    assert unchecked == ["release", "verdict", "policy", "model", "decryption"]
    assert not report.binds_every_byte
    assert verify(small.image, trust=small.trust, companions=Companions(small.release)).binds_every_byte
    assert verify(small.image, trust=small.trust, recipient=small.recipient).binds_every_byte


def test_the_public_level_with_the_release_rejects_every_flipped_bit() -> None:
    sealed = seal_model(2048 - 384)
    assert len(sealed.image) == 2048
    companions = Companions(release=sealed.release)
    for bit in range(len(sealed.image) * 8):
        with pytest.raises(RejectedError):
            verify(flip(sealed.image, bit), trust=sealed.trust, companions=companions)


def test_the_full_level_rejects_every_flipped_bit_without_any_attestation(small: Sealed) -> None:
    for bit in range(len(small.image) * 8):
        with pytest.raises(RejectedError):
            verify(flip(small.image, bit), trust=small.trust, recipient=small.recipient)


def test_the_public_level_alone_misses_exactly_what_the_docs_say(small: Sealed) -> None:
    missed = set()
    for bit in range(len(small.image) * 8):
        try:
            verify(flip(small.image, bit), trust=small.trust)
        except RejectedError:
            continue
        missed.add(bit)
    version, payload, counter = range(20, 28), range(32, 96), range(104, 108)
    verdict, model_digest, policy = range(112, 144), range(152, 184), range(188, 220)
    ephemeral, mac_and_key = range(368, 400), range(400, 448)
    unbound = [*version, *payload, *counter, *verdict, *model_digest, *policy, *ephemeral, *mac_and_key]
    assert missed == {8 * byte + bit for byte in unbound for bit in range(8)} - {8 * 399 + 7}


def test_every_truncation_is_rejected(small: Sealed) -> None:
    for length in range(len(small.image)):
        with pytest.raises(RejectedError):
            verify(small.image[:length], trust=small.trust, companions=small.companions)


def test_another_signing_key_is_not_trusted(small: Sealed) -> None:
    stranger = Trust(Ed25519PrivateKey.generate().public_key(), small.trust.attestations)
    assert rejects(lambda: verify(small.image, trust=stranger)) == "image.wrong-signer"


def test_a_signature_by_another_key_under_the_trusted_key_hash_is_rejected(small: Sealed) -> None:
    tlvs = list(parse(small.image).unprotected)
    forged = Ed25519PrivateKey.generate().sign(tlvs[0].value)
    tlvs[2] = dataclasses.replace(tlvs[2], value=forged)
    assert rejects(lambda: verify(reassemble(small.image, unprotected=tlvs), trust=small.trust)) == "image.signature"


def test_another_recipient_cannot_open_the_image(small: Sealed) -> None:
    stranger = X25519PrivateKey.generate()
    assert rejects(lambda: verify(small.image, trust=small.trust, recipient=stranger)) == "image.wrong-recipient"


def test_swapped_keys_are_an_input_error(small: Sealed) -> None:
    wrong = Trust(small.recipient.public_key(), small.trust.attestations)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        verify(small.image, trust=wrong)
    with pytest.raises(InputError):
        verify(small.image, trust=small.trust, recipient=small.signer)  # type: ignore[arg-type]


def test_companions_of_another_run_are_rejected(small: Sealed) -> None:
    other = seal_model(80, signer=small.signer, recipient=small.recipient)
    assert rejects_companions(small, release=other.release) == "release.image"
    assert rejects_companions(small, verdict=other.verdict) == "verdict.digest"
    assert rejects_companions(small, policy=POLICY + b" ") == "policy.mismatch"
    assert rejects_companions(small, model=other.model) == "model.mismatch"
    assert rejects_companions(small, model=small.model + b"\x00") == "model.mismatch"


def test_verdict_and_release_cannot_take_each_others_place(small: Sealed) -> None:
    assert rejects_companions(small, release=small.verdict) == "attestation.predicate-type"
    assert rejects_companions(small, verdict=small.release) == "attestation.predicate-type"


def test_attestations_that_strangers_signed_are_rejected(small: Sealed) -> None:
    stranger = Ed25519PrivateKey.generate()
    verdict = verdict_of(small.model)
    assert rejects_companions(small, verdict=dsse.sign(verdict, stranger)) == "attestation.signature"
    release = release_of(small.image, verdict)
    assert rejects_companions(small, release=dsse.sign(release, stranger)) == "attestation.signature"


def test_a_release_for_another_verdict_is_rejected(small: Sealed) -> None:
    release = dsse.sign(release_of(small.image, b"another verdict"), small.signer)
    assert rejects_companions(small, release=release) == "release.verdict"


@pytest.mark.parametrize("outcome", ["FAIL", "INCONCLUSIVE", "pass", ""])
def test_an_image_sealed_under_a_verdict_that_did_not_pass_is_rejected(outcome: str) -> None:
    sealed = seal_model(64, verdict=lambda model: verdict_of(model, outcome=outcome))
    assert rejects(lambda: verify(sealed.image, trust=sealed.trust, companions=sealed.companions)) == "verdict.outcome"


def test_an_image_sealed_under_a_verdict_about_something_else_is_rejected() -> None:
    model = seal_model(64, verdict=lambda _: verdict_of(b"another model"))
    assert rejects(lambda: verify(model.image, trust=model.trust, companions=model.companions)) == "verdict.model"
    policy = seal_model(64, verdict=lambda model: verdict_of(model, policy=b"another policy"))
    assert rejects(lambda: verify(policy.image, trust=policy.trust, companions=policy.companions)) == "verdict.policy"


def test_an_attestation_without_the_values_that_are_relied_on_is_rejected(small: Sealed) -> None:
    bare = make_statement([Subject("firmware.bin", sha256_hex(small.image))], RELEASE_TYPE, {"verdict": "PASS"})
    assert rejects_companions(small, release=dsse.sign(bare, small.signer)) == "attestation.predicate"
    empty = seal_model(
        64, verdict=lambda model: make_statement([Subject("m", sha256_hex(model))], VERDICT_TYPE, {"policy": {}})
    )
    assert (
        rejects(lambda: verify(empty.image, trust=empty.trust, companions=empty.companions)) == "attestation.predicate"
    )


def test_a_quorum_needs_as_many_distinct_keys(small: Sealed) -> None:
    key = small.signer.public_key()
    twice = Trust(key, (key, key), threshold=2)
    with pytest.raises(InputError) as caught:
        verify(small.image, trust=twice, companions=small.companions)
    assert caught.value.code == "attestation.threshold"
    two = Trust(key, (key, Ed25519PrivateKey.generate().public_key()), threshold=2)
    assert rejects(lambda: verify(small.image, trust=two, companions=small.companions)) == "attestation.signature"
