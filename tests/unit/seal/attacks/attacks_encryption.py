"""The wrapped key: bad points, wrong recipients, and a cipher that is its own inverse."""

from __future__ import annotations

import secrets

from attack import Attacker, Family, View
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from genuine import Genuine, Presented
from shipped import P256

ENCRYPTION = Family("encryption and ephemeral keys")
_P = 2**255 - 19
_P256_P = 2**256 - 2**224 + 2**192 + 2**96 - 1

# The u-coordinates of small order: RFC 7748 section 6.1 and https://cr.yp.to/ecdh.html#validate.
_ORDER_8 = (
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
)
_LOW_ORDER = {
    "of order 4 (zero)": (0).to_bytes(32, "little"),
    "of order 1 (one)": (1).to_bytes(32, "little"),
    "of order 8, the first": bytes.fromhex(_ORDER_8[0]),
    "of order 8, the second": bytes.fromhex(_ORDER_8[1]),
    "of order 2 (p − 1)": (_P - 1).to_bytes(32, "little"),
}
_NOT_CANONICAL = {
    "zero written as p": _P.to_bytes(32, "little"),
    "one written as p + 1": (_P + 1).to_bytes(32, "little"),
    "zero with the top bit set": (1 << 255).to_bytes(32, "little"),
}


def _with_ephemeral(genuine: Genuine, ephemeral: bytes) -> Presented:
    return genuine.shows(image=genuine.with_ephemeral(ephemeral))


def _enter(name: str, ephemeral: bytes, code: str) -> None:
    hope = "the shared secret is zero, so the AES key is known to everybody"

    @ENCRYPTION.attack(hope, code=code, name=f"an ephemeral key {name}")
    def present(genuine: Genuine) -> Presented:
        return genuine.shows(image=genuine.wrapped_with_zero_secret(ephemeral))


for _name, _point in _LOW_ORDER.items():
    _enter(_name, _point, "image.ephemeral-low-order")
for _name, _point in _NOT_CANONICAL.items():
    _enter(_name, _point, "image.ephemeral-not-canonical")


@ENCRYPTION.attack("a second file with the same meaning (RFC 7748 masks the bit)", code="image.ephemeral-not-canonical")
def set_the_top_bit_of_the_ephemeral_key(genuine: Genuine) -> Presented:
    ephemeral = bytearray(genuine.ephemeral)
    ephemeral[31] |= 0x80
    return _with_ephemeral(genuine, bytes(ephemeral))


@ENCRYPTION.attack(
    "a second file with the same meaning: the clamped scalar forgets a point of small order",
    code="release.image",
    view=View.ATTESTED,
)
def add_the_point_of_order_two_to_the_ephemeral_key(genuine: Genuine) -> Presented:
    """(u, v) + (0, 0) = (1/u, −v/u²) on Curve25519."""
    u = int.from_bytes(genuine.ephemeral, "little")
    return _with_ephemeral(genuine, pow(u, -1, _P).to_bytes(32, "little"))


@ENCRYPTION.attack(
    "the device multiplies on a weaker curve and leaks its key", code="image.ephemeral-off-curve", suite=P256
)
def give_a_point_off_the_curve(genuine: Genuine) -> Presented:
    changed = bytearray(genuine.ephemeral)
    changed[-1] ^= 1
    return _with_ephemeral(genuine, bytes(changed))


@ENCRYPTION.attack("infinity makes the secret zero", code="image.ephemeral-not-canonical", suite=P256)
def give_the_point_at_infinity(genuine: Genuine) -> Presented:
    return _with_ephemeral(genuine, bytes(65))


@ENCRYPTION.attack("the origin passes a check of the range", code="image.ephemeral-off-curve", suite=P256)
def give_the_origin(genuine: Genuine) -> Presented:
    return _with_ephemeral(genuine, b"\x04" + bytes(64))


@ENCRYPTION.attack(
    "a coordinate that is reduced by some and refused by others", code="image.ephemeral-off-curve", suite=P256
)
def give_a_coordinate_that_is_not_below_the_prime(genuine: Genuine) -> Presented:
    return _with_ephemeral(genuine, b"\x04" + _P256_P.to_bytes(32) + genuine.ephemeral[33:])


@ENCRYPTION.attack("a second file with the same meaning", code="image.tlv-length", suite=P256)
def compress_the_point(genuine: Genuine) -> Presented:
    point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), genuine.ephemeral)
    return _with_ephemeral(genuine, point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


@ENCRYPTION.attack("a second file with the same meaning", code="image.ephemeral-not-canonical", suite=P256)
def write_the_point_in_hybrid_form(genuine: Genuine) -> Presented:
    tag = 6 + (genuine.ephemeral[-1] & 1)
    return _with_ephemeral(genuine, bytes([tag]) + genuine.ephemeral[1:])


@ENCRYPTION.attack(
    "a second file with the same meaning: only x enters the secret",
    code="release.image",
    view=View.ATTESTED,
    suite=P256,
)
def negate_the_point(genuine: Genuine) -> Presented:
    y = _P256_P - int.from_bytes(genuine.ephemeral[33:])
    return _with_ephemeral(genuine, genuine.ephemeral[:33] + y.to_bytes(32))


@ENCRYPTION.attack("a device that was never meant to have it", code="image.wrong-recipient", view=View.DEVICE)
def give_the_image_to_another_device(genuine: Genuine) -> Presented:
    return genuine.shows(recipient=genuine.other_device)


@ENCRYPTION.attack("the key of the other curve opens it", code="image.wrong-recipient", view=View.DEVICE)
def give_the_image_to_a_device_of_the_other_curve(genuine: Genuine) -> Presented:
    return genuine.shows(recipient=Genuine.of(P256).run.recipient)


@ENCRYPTION.attack(
    "anybody may encrypt for a device: another payload under the same signature",
    code="release.image",
    view=View.ATTESTED,
)
def encrypt_another_model_for_the_device(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.encrypted_anew(secrets.token_bytes(len(genuine.run.model))))


@ENCRYPTION.attack(
    "a weight is altered blindly: in CTR a bit of the ciphertext is a bit of the model",
    code="release.image",
    view=View.ATTESTED,
)
def flip_a_bit_of_the_ciphertext(genuine: Genuine) -> Presented:
    payload = bytearray(genuine.pieces.payload)
    payload[40] ^= 0x80
    return genuine.shows(image=genuine.pieces.but(payload=bytes(payload)).whole())


@ENCRYPTION.attack("two layers trade places", code="release.image", view=View.ATTESTED)
def exchange_two_blocks_of_the_ciphertext(genuine: Genuine) -> Presented:
    data = genuine.pieces.payload
    return genuine.shows(image=genuine.pieces.but(payload=data[16:32] + data[:16] + data[32:]).whole())


@ENCRYPTION.attack("the device learns the attacker's AES key", code="release.image", view=View.ATTESTED)
def give_the_wrapped_key_of_an_older_image(genuine: Genuine) -> Presented:
    old = genuine.older_pieces.value(0x33)
    return genuine.shows(image=genuine.pieces.changed(0x33, lambda _: old).whole())


@ENCRYPTION.attack("the wrapping's MAC is not looked at", code="release.image", view=View.ATTESTED)
def flip_a_bit_of_the_wrapped_aes_key(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.pieces.changed(0x33, lambda value: value[:-1] + bytes([value[-1] ^ 1])).whole())


@ENCRYPTION.attack(
    "padding that no hash covers carries data", code="release.image", view=View.ATTESTED, by=Attacker.DEVICE
)
def fill_the_padding(genuine: Genuine) -> Presented:
    return genuine.shows(image=genuine.encrypted_anew(genuine.run.model, fill=b"\xff"))


@ENCRYPTION.attack(
    "the same content for a device that was never to have it: the signature signs the plain image",
    code="release.image",
    view=View.ATTESTED,
    by=Attacker.DEVICE,
)
def encrypt_the_same_model_for_another_device(genuine: Genuine) -> Presented:
    image = genuine.encrypted_anew(genuine.run.model, recipient=genuine.other_device)
    return genuine.shows(image=image, recipient=genuine.other_device)
