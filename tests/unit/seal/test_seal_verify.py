from __future__ import annotations

import base64
import dataclasses
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from rejections import rejection, rejects
from sealed_samples import (
    COMBINATIONS,
    Sealed,
    flip,
    new_recipient,
    new_signer,
    reassemble,
    release_of,
    resealed,
    sample,
    seal_model,
    truncations,
    value_of,
    verdict_of,
    with_value,
)

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.ecies import RecipientKind
from audit_pipeline.seal.keys.forms import kind_of
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.parse import TlvType, parse
from audit_pipeline.seal.profile import SignatureKind
from audit_pipeline.seal.settings import AesBits
from audit_pipeline.seal.verify import Companions, Trust, verify


@pytest.mark.parametrize(("signer", "recipient", "bits"), COMBINATIONS)
def test_an_image_with_all_its_companions_holds(signer: SignatureKind, recipient: RecipientKind, bits: AesBits) -> None:
    made = sample(signer, recipient, bits)
    report = verify(made.image, trust=made.trust, companions=made.companions, recipient=made.recipient)
    assert report.level == "full"
    assert {check.state for check in report.checks} == {"passed"}
    assert report.image_sha256 == sha256_hex(made.image)
    assert report.binds_every_byte


def test_what_was_not_given_is_reported_as_not_checked(small: Sealed) -> None:
    report = verify(small.image, trust=small.trust)
    assert report.level == "public"
    unchecked = [check.name for check in report.checks if check.state == "not-checked"]
    assert unchecked == ["release", "verdict", "waivers", "policy", "model", "decryption"]
    assert not report.binds_every_byte
    assert verify(small.image, trust=small.trust, companions=Companions(small.release)).binds_every_byte
    assert verify(small.image, trust=small.trust, recipient=small.recipient).binds_every_byte


def test_the_signature_of_an_attestation_is_one_of_an_image_only_to_who_sees_the_image_alone() -> None:
    made = sample("p256", "p256")
    envelope = json.loads(made.verdict)
    payload, signature = (base64.b64decode(text) for text in (envelope["payload"], envelope["signatures"][0]["sig"]))
    signed = b"DSSEv1 %d %s %d %s" % (len(dsse.PAYLOAD_TYPE), dsse.PAYLOAD_TYPE.encode(), len(payload), payload)
    posing = with_value(made.image, TlvType.SHA256, sha256(signed).digest())
    posing = with_value(posing, TlvType.ECDSA, signature)
    assert not verify(posing, trust=made.trust).binds_every_byte
    assert rejects(posing, trust=made.trust, companions=made.companions) == "release.image"
    assert rejects(posing, trust=made.trust, recipient=made.recipient) == "image.hash"


@pytest.mark.parametrize("combination", [COMBINATIONS[0], COMBINATIONS[-1]])
def test_the_public_level_with_the_release_rejects_every_flipped_bit_and_says_where(
    combination: tuple[SignatureKind, RecipientKind, AesBits],
) -> None:
    signer, recipient, bits = combination
    # All combinations, at the sizes of real models, are `make bench-seal`'s.
    sealed = seal_model(64, signer_kind=signer, recipient_kind=recipient, aes_bits=bits)
    companions = Companions(release=sealed.release)
    for bit in range(len(sealed.image) * 8):
        rejection(flip(sealed.image, bit), trust=sealed.trust, companions=companions)


@pytest.mark.parametrize("which", ["small", "full", "p256"])
def test_the_full_level_rejects_every_flipped_bit_without_any_attestation(
    which: str, request: pytest.FixtureRequest
) -> None:
    sealed = request.getfixturevalue(which)
    for bit in range(len(sealed.image) * 8):
        rejection(flip(sealed.image, bit), trust=sealed.trust, recipient=sealed.recipient)


def test_the_public_level_alone_misses_exactly_what_the_docs_say(small: Sealed) -> None:
    missed = set()
    for bit in range(len(small.image) * 8):
        try:
            verify(flip(small.image, bit), trust=small.trust)
        except RejectedError:
            continue
        missed.add(bit)
    version, payload, counter = range(20, 28), range(32, 96), range(104, 108)
    verdict, model_digest, policy, log = range(112, 144), range(152, 184), range(188, 220), range(224, 264)
    ephemeral, mac_and_key = range(412, 444), range(444, 492)
    unbound = [*version, *payload, *counter, *verdict, *model_digest, *policy, *log, *ephemeral, *mac_and_key]
    assert missed == {8 * byte + bit for byte in unbound for bit in range(8)} - {8 * 443 + 7}


def test_every_truncation_is_rejected(small: Sealed, p256: Sealed) -> None:
    for sealed in (small, p256):
        for cut in truncations(sealed.image):
            rejection(cut, trust=sealed.trust, companions=sealed.companions)


def test_any_one_of_the_trusted_keys_signs_an_image(small: Sealed, p256: Sealed) -> None:
    both = (small.signer.public, p256.signer.public)
    for sealed in (small, p256):
        verify(sealed.image, trust=dataclasses.replace(sealed.trust, image=both), companions=sealed.companions)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_another_signing_key_is_not_trusted(small: Sealed, kind: SignatureKind) -> None:
    stranger = dataclasses.replace(small.trust, image=(new_signer(kind).public,))
    error = rejection(small.image, trust=stranger)
    assert (error.code, error.where) == ("image.wrong-signer", "byte 308 of the image")
    assert rejects(small.image, trust=dataclasses.replace(small.trust, image=())) == "image.wrong-signer"


def test_a_signature_by_another_key_under_the_trusted_key_hash_is_rejected() -> None:
    for kind, tlv in (("ed25519", TlvType.ED25519), ("p256", TlvType.ECDSA)):
        made = sample(kind)  # type: ignore[arg-type]
        forged = new_signer(kind).sign_hash(value_of(made.image, TlvType.SHA256))  # type: ignore[arg-type]
        error = rejection(with_value(made.image, tlv, forged), trust=made.trust)
        assert error.code == "image.signature"


def test_a_signature_of_the_other_algorithm_under_a_trusted_key_hash_is_rejected(small: Sealed, p256: Sealed) -> None:
    trust = dataclasses.replace(small.trust, image=(small.signer.public, p256.signer.public))
    for sealed, other in ((small, p256), (p256, small)):
        tlvs = list(parse(sealed.image).unprotected)
        tlvs[2] = parse(other.image).unprotected[2]
        image = reassemble(sealed.image, unprotected=tlvs)
        assert rejects(image, trust=trust) == "image.signature-kind"


def test_the_mirrored_ecdsa_signature_is_rejected(p256: Sealed) -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = decode_dss_signature(value_of(p256.image, TlvType.ECDSA))
    mirrored = with_value(p256.image, TlvType.ECDSA, encode_dss_signature(r, order - s))
    assert rejects(mirrored, trust=p256.trust, recipient=p256.recipient) == "image.signature"


def test_another_recipient_cannot_open_the_image(small: Sealed, p256: Sealed) -> None:
    for sealed in (small, p256):
        for kind in ("x25519", "p256"):
            stranger = new_recipient(kind)  # type: ignore[arg-type]
            code = rejects(sealed.image, trust=sealed.trust, recipient=stranger)
            assert code == "image.wrong-recipient"


def test_swapped_keys_are_an_input_error(small: Sealed) -> None:
    wrong = dataclasses.replace(small.trust, image=(small.recipient.public_key(),))
    with pytest.raises(InputError):
        verify(small.image, trust=wrong)
    with pytest.raises(InputError):
        verify(small.image, trust=small.trust, recipient=small.signer)  # type: ignore[arg-type]


def test_one_key_for_both_roles_is_rejected(p256: Sealed) -> None:
    # Sealed by somebody else's tool: build() makes no such image.
    as_signer = p256.recipient
    assert kind_of(as_signer) == "p256"
    signer = Signer.of(as_signer)  # type: ignore[arg-type]
    image = resealed(p256, signer=signer)
    trust = Trust.one(signer.public)
    assert rejects(image, trust=trust, recipient=as_signer) == "image.one-key-two-roles"
    payload = release_of(image, verdict_of(p256.model), recipient=as_signer, settings=p256.settings)
    companions = Companions(release=dsse.sign(payload, [signer]))
    assert rejects(image, trust=trust, companions=companions) == "image.one-key-two-roles"
