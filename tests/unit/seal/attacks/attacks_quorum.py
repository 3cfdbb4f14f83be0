"""Quorums: one signer who counts as two, and thresholds that are no threshold."""

from __future__ import annotations

from attack import Attacker, Family, Judgement, View
from attacks_envelope import Document, release_payload, with_release
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from genuine import Genuine, Presented
from shipped import P256

from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum

QUORUM = Family("quorums")


@QUORUM.attack("one signer counts as two", code="attestation.signature", view=View.ATTESTED, by=Attacker.INSIDER)
def give_the_same_signature_twice(genuine: Genuine) -> Presented:
    shown = with_release(genuine, lambda document: document.update(signatures=document["signatures"] * 2))
    return shown.but(trust=genuine.needing_two())


@QUORUM.attack(
    "one key under two key ids counts as two signers",
    code="attestation.signature",
    view=View.ATTESTED,
    by=Attacker.INSIDER,
)
def sign_under_two_key_ids(genuine: Genuine) -> Presented:
    def change(document: Document) -> None:
        document["signatures"].append({**document["signatures"][0], "keyid": "another"})

    return with_release(genuine, change).but(trust=genuine.needing_two())


@QUORUM.attack(
    "one key, two signatures that differ (ECDSA draws at random)",
    code="attestation.signature",
    view=View.ATTESTED,
    by=Attacker.INSIDER,
    suite=P256,
)
def sign_twice_with_one_key(genuine: Genuine) -> Presented:
    signer = genuine.run.signer
    return genuine.shows(release=dsse.sign(release_payload(genuine), [signer, signer]), trust=genuine.needing_two())


@QUORUM.attack("a stranger makes up the number", code="attestation.signature", view=View.ATTESTED, by=Attacker.INSIDER)
def make_up_the_number_with_a_stranger(genuine: Genuine) -> Presented:
    both = dsse.sign(release_payload(genuine), [genuine.run.signer, genuine.stranger.signer])
    return genuine.shows(release=both, trust=genuine.needing_two())


@QUORUM.attack(
    "one key listed twice reaches a threshold of two",
    code="attestation.threshold",
    view=View.TRUST,
    by=Attacker.INSIDER,
)
def list_one_key_twice(genuine: Genuine) -> Judgement:
    key = genuine.run.signer.public
    return lambda: Quorum((key, key), threshold=2)


@QUORUM.attack(
    "one key in two encodings reaches a threshold of two",
    code="attestation.threshold",
    view=View.TRUST,
    by=Attacker.INSIDER,
    suite=P256,
)
def list_one_key_in_two_encodings(genuine: Genuine) -> Judgement:
    key = genuine.run.signer.public
    compressed = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    again = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), compressed)
    return lambda: Quorum((key, again), threshold=2)


@QUORUM.attack("a threshold of none is always met", code="attestation.threshold", view=View.TRUST, by=Attacker.INSIDER)
def set_the_threshold_to_zero(genuine: Genuine) -> Judgement:
    return lambda: Quorum((genuine.run.signer.public,), threshold=0)


@QUORUM.attack("a negative threshold is always met", code="attestation.threshold", view=View.TRUST, by=Attacker.INSIDER)
def set_the_threshold_below_zero(genuine: Genuine) -> Judgement:
    return lambda: Quorum((genuine.run.signer.public,), threshold=-1)


@QUORUM.attack("no key refuses", code="attestation.threshold", view=View.TRUST, by=Attacker.INSIDER)
def trust_no_key_at_all(genuine: Genuine) -> Judgement:
    return lambda: Quorum((), threshold=1)
