"""Key and key-hash substitution: somebody else's key in the trusted key's place."""

from __future__ import annotations

import hashlib

from attack import Attacker, Family, View
from genuine import Genuine, Presented
from shipped import P256

from audit_pipeline.seal.keys.forms import spki
from audit_pipeline.seal.verify import Trust

KEYS = Family("key substitution")


@KEYS.attack("the key hash is all that is compared", code="image.signature", by=Attacker.STRANGER)
def sign_with_another_key_under_the_trusted_key_hash(genuine: Genuine) -> Presented:
    signature = genuine.stranger.signer.sign_hash(genuine.pieces.value(0x10))
    return genuine.shows(image=genuine.pieces.changed(0x24, lambda _: signature).whole())


@KEYS.attack(
    "an image that holds together is an image that is trusted", code="image.wrong-signer", by=Attacker.STRANGER
)
def present_an_image_of_another_maker(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.stranger.image)


@KEYS.attack("the same on the other curve", code="image.signature", by=Attacker.STRANGER, suite=P256)
def sign_on_p256_with_another_key_under_the_trusted_key_hash(genuine: Genuine) -> Presented:
    signature = genuine.stranger.signer.sign_hash(genuine.pieces.value(0x10))
    return genuine.shows(image=genuine.pieces.changed(0x22, lambda _: signature).whole())


@KEYS.attack("the verifier takes the key from the image", code="image.tlv-set", by=Attacker.STRANGER)
def bring_the_whole_public_key_along(genuine: Genuine) -> Presented:
    own = genuine.stranger.signer
    pieces = genuine.pieces.changed(0x01, lambda _: spki(own.public), becomes=0x02)
    signature = own.sign_hash(genuine.pieces.value(0x10))
    return genuine.shows(image=pieces.changed(0x24, lambda _: signature).whole())


@KEYS.attack("a key hash that no key has matches an empty slot", code="image.wrong-signer")
def zero_the_key_hash(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x01, lambda _: bytes(32)).whole())


@KEYS.attack("one matching hash among several is enough", code="image.tlv-set", by=Attacker.STRANGER)
def name_two_keys(genuine: Genuine) -> Presented:
    own = hashlib.sha256(spki(genuine.stranger.signer.public)).digest()
    entries = list(genuine.pieces.unprotected)
    entries.insert(2, (0x01, own))
    return genuine.shows(image=genuine.pieces.but(unprotected=tuple(entries)).whole())


@KEYS.attack("the signature of one image for another", code="image.signature")
def transplant_the_signature_of_an_older_image(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x24, lambda _: genuine.older_pieces.value(0x24)).whole())


@KEYS.attack("hash and signature fit each other, so the image must be whole", code="release.image", view=View.ATTESTED)
def transplant_hash_and_signature_of_an_older_image(genuine: Genuine) -> Presented:
    old = genuine.older_pieces
    pieces = genuine.pieces.changed(0x24, lambda _: old.value(0x24)).changed(0x10, lambda _: old.value(0x10))
    return genuine.shows(image=pieces.whole())


@KEYS.attack("a new head on an old body", code="release.image", view=View.ATTESTED)
def transplant_every_unprotected_tlv_of_an_older_image(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.but(unprotected=genuine.older_pieces.unprotected).whole())


@KEYS.attack(
    "the digest that an attestation's signature signs, as the image hash: one P-256 key signs both",
    code="release.image",
    view=View.ATTESTED,
    suite=P256,
)
def pass_off_an_attestation_signature_as_the_image_signature(genuine: Genuine) -> Presented:
    message, signature = genuine.signed_attestation()
    pieces = genuine.pieces.changed(0x10, lambda _: hashlib.sha256(message).digest())
    return genuine.shows(image=pieces.changed(0x22, lambda _: signature).whole())


@KEYS.attack(
    "whoever takes a key out of a device can sign for all of them",
    code="image.one-key-two-roles",
    view=View.DEVICE,
    by=Attacker.DEVICE,
    suite=P256,
)
def sign_with_the_key_that_receives(genuine: Genuine) -> Presented:
    device = genuine.run.recipient
    nothing = dict.fromkeys(("release", "verdict", "policy", "model"))
    return genuine.shows(image=genuine.resigned(device), trust=Trust.one(device.public_key()), **nothing)


@KEYS.attack("a key nobody revoked in time", code="image.wrong-signer", by=Attacker.FORMER)
def sign_with_a_key_that_was_rotated_out(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.resigned(genuine.former))
