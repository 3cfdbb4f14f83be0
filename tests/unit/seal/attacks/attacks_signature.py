"""The signature itself: a second one made from the first, or one that is none."""

from __future__ import annotations

from attack import Family
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from genuine import Genuine, Presented
from shipped import P256

SIGNATURE = Family("signature forms")
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_L = 2**252 + 27742317777372353535851937790883648493


def _p256(genuine: Genuine, signature: bytes) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x22, lambda _: signature).whole())


def _ed25519(genuine: Genuine, signature: bytes) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x24, lambda _: signature).whole())


@SIGNATURE.attack("a second valid signature without the key: (r, n − s)", code="image.signature", suite=P256)
def negate_s(genuine: Genuine) -> Presented:
    r, s = decode_dss_signature(genuine.pieces.value(0x22))
    return _p256(genuine, encode_dss_signature(r, _N - s))


@SIGNATURE.attack("a second encoding: the length in long form", code="image.signature", suite=P256)
def write_der_with_a_long_length(genuine: Genuine) -> Presented:
    der = genuine.pieces.value(0x22)
    return _p256(genuine, der[:1] + b"\x81" + der[1:])


@SIGNATURE.attack("a second encoding: a zero before r", code="image.signature", suite=P256)
def write_der_with_a_leading_zero(genuine: Genuine) -> Presented:
    der = genuine.pieces.value(0x22)
    padded = bytes([0x30, der[1] + 1, 0x02, der[3] + 1, 0x00]) + der[4:]
    return _p256(genuine, padded)


@SIGNATURE.attack("bytes behind the DER, which old imgtool padded to 72", code="image.signature", suite=P256)
def pad_the_signature(genuine: Genuine) -> Presented:
    return _p256(genuine, genuine.pieces.value(0x22).ljust(72, b"\x00"))


@SIGNATURE.attack("r = s = 0 satisfies an equation nobody checks for zero", code="image.signature", suite=P256)
def sign_with_zeros(genuine: Genuine) -> Presented:
    return _p256(genuine, encode_dss_signature(0, 0))


@SIGNATURE.attack("r = 0: the point at infinity", code="image.signature", suite=P256)
def sign_with_r_zero(genuine: Genuine) -> Presented:
    return _p256(genuine, encode_dss_signature(0, decode_dss_signature(genuine.pieces.value(0x22))[1]))


@SIGNATURE.attack("s = n is zero to whoever reduces first", code="image.signature", suite=P256)
def sign_with_s_the_order(genuine: Genuine) -> Presented:
    return _p256(genuine, encode_dss_signature(decode_dss_signature(genuine.pieces.value(0x22))[0], _N))


@SIGNATURE.attack("a negative r is read as positive by some", code="image.signature", suite=P256)
def sign_with_a_negative_r(genuine: Genuine) -> Presented:
    return _p256(genuine, bytes.fromhex("30060201800201 01".replace(" ", "")))


@SIGNATURE.attack("an empty signature is one that does not fail", code="image.tlv-length", suite=P256)
def sign_with_nothing(genuine: Genuine) -> Presented:
    return _p256(genuine, b"")


@SIGNATURE.attack("a second valid signature: S + L (RFC 8032 section 5.1.7)", code="image.signature")
def add_the_order_to_s(genuine: Genuine) -> Presented:
    signature = genuine.pieces.value(0x24)
    s = int.from_bytes(signature[32:], "little") + _L
    return _ed25519(genuine, signature[:32] + s.to_bytes(32, "little"))


@SIGNATURE.attack("zeros verify where R and A are of small order", code="image.signature")
def sign_with_zeros_on_ed25519(genuine: Genuine) -> Presented:
    return _ed25519(genuine, bytes(64))


@SIGNATURE.attack("the neutral point as R, S = 0", code="image.signature")
def sign_with_the_neutral_point(genuine: Genuine) -> Presented:
    return _ed25519(genuine, (1).to_bytes(32, "little") + bytes(32))
