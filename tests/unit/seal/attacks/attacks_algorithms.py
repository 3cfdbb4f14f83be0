"""Algorithm confusion: the right bytes under the wrong name."""

from __future__ import annotations

import hashlib

from attack import Attacker, Family
from forge import Pieces
from genuine import Genuine, Presented, raw_ecdsa
from shipped import P256, Suite

ALGORITHMS = Family("algorithm confusion")
_AES256 = Suite(aes_bits=256)


def _same(value: bytes) -> bytes:
    return value


def _renamed(genuine: Genuine, kind: int, becomes: int) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(kind, _same, becomes=becomes).whole())


@ALGORITHMS.attack("64 random bytes parse as a signature of the other scheme", code="image.signature-kind")
def call_the_ed25519_signature_ecdsa(genuine: Genuine) -> Presented:
    return _renamed(genuine, 0x24, 0x22)


@ALGORITHMS.attack("a verifier chosen by the TLV, not by its key", code="image.tlv-length", suite=P256)
def call_the_ecdsa_signature_ed25519(genuine: Genuine) -> Presented:
    return _renamed(genuine, 0x22, 0x24)


@ALGORITHMS.attack("r ‖ s as other formats write it, taken for DER", code="image.signature", suite=P256)
def write_the_ecdsa_signature_as_r_and_s(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x22, raw_ecdsa).whole())


@ALGORITHMS.attack(
    "the attacker picks the scheme: an Ed25519 signature where a P-256 key is trusted",
    code="image.wrong-signer",
    suite=P256,
    by=Attacker.STRANGER,
)
def sign_with_the_other_scheme(genuine: Genuine) -> Presented:
    other = Genuine.of(Suite())
    entries = tuple(
        (0x24, other.pieces.value(0x24)) if kind == 0x22 else (kind, value)
        for kind, value in genuine.pieces.unprotected
    )
    swapped = Pieces(genuine.pieces.header, genuine.pieces.payload, genuine.pieces.protected, entries)
    return genuine.shows(image=swapped.changed(0x01, lambda _: other.pieces.value(0x01)).whole())


@ALGORITHMS.attack("32 bytes of X25519 are read as the start of a P-256 point", code="image.tlv-length")
def call_the_x25519_wrapping_p256(genuine: Genuine) -> Presented:
    return _renamed(genuine, 0x33, 0x32)


@ALGORITHMS.attack("a P-256 point cut to an X25519 key", code="image.tlv-length", suite=P256)
def call_the_p256_wrapping_x25519(genuine: Genuine) -> Presented:
    return _renamed(genuine, 0x32, 0x33)


@ALGORITHMS.attack("the missing half of the AES key is read from whatever follows", code="image.tlv-length")
def raise_the_flag_of_aes_256_over_a_key_of_128_bits(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(flags=0x8))


@ALGORITHMS.attack("the AES key is cut in half", code="image.tlv-length", suite=_AES256)
def raise_the_flag_of_aes_128_over_a_key_of_256_bits(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(flags=0x4))


@ALGORITHMS.attack("two readers take two different keys", code="image.flags")
def raise_both_flags_of_encryption(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(flags=0xC))


@ALGORITHMS.attack("the bootloader inflates what nobody audited", code="image.flags")
def raise_the_flag_of_compression(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(flags=0x404))


@ALGORITHMS.attack("the payload is copied over other code in RAM", code="image.flags")
def raise_the_flag_of_loading_into_ram(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.whole(flags=0x24))


@ALGORITHMS.attack("the hash drops out of what is signed", code="image.tlv-set")
def call_the_signature_pure(genuine: Genuine) -> Presented:
    pieces = genuine.pieces.but(unprotected=((0x25, b"\x01"), *genuine.pieces.unprotected))
    return genuine.shows(image=pieces.whole())


@ALGORITHMS.attack("a hash that the signature does not speak of", code="image.tlv-set")
def give_a_sha_384_for_the_sha_256(genuine: Genuine) -> Presented:
    return genuine.shows(
        image=genuine.pieces.changed(0x10, lambda value: hashlib.sha384(value).digest(), becomes=0x11).whole()
    )


@ALGORITHMS.attack("a longer hash whose first half is the attacker's", code="image.tlv-set")
def give_a_sha_512_for_the_sha_256(genuine: Genuine) -> Presented:
    return genuine.shows(
        image=genuine.pieces.changed(0x10, lambda value: hashlib.sha512(value).digest(), becomes=0x12).whole()
    )


@ALGORITHMS.attack("a scheme with a key nobody checks", code="image.tlv-set", by=Attacker.STRANGER)
def call_the_signature_rsa(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x24, lambda _: bytes(256), becomes=0x20).whole())


@ALGORITHMS.attack("AES key wrap with a key the attacker knows", code="image.tlv-set")
def call_the_wrapping_aes_kw(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x33, lambda _: bytes(24), becomes=0x31).whole())


@ALGORITHMS.attack("RSA-OAEP, which the attacker wraps as well as anybody", code="image.tlv-set")
def call_the_wrapping_rsa(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x33, lambda _: bytes(256), becomes=0x30).whole())


@ALGORITHMS.attack("the MAC of the wrapping is cut short to what can be guessed", code="image.tlv-set")
def call_the_wrapping_that_of_sha_512(genuine: Genuine) -> Presented:
    return _renamed(genuine, 0x33, 0x34)
