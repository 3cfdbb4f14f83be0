from __future__ import annotations

import dataclasses
import hashlib
import hmac
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sealed_samples import RECIPIENT_KINDS, new_recipient

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal.ecies import (
    RecipientKind,
    WrappedKey,
    aes_ctr,
    ephemeral_fault,
    is_low_order,
    recipient_kind,
    unwrap,
)
from audit_pipeline.seal.keys.forms import RecipientPrivate

X25519_PRIME = 2**255 - 19
P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
# The u-coordinates whose order divides the cofactor: cr.yp.to/ecdh.html, "validate". Canonical forms only.
LOW_ORDER = [
    0,
    1,
    X25519_PRIME - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
]


def wrap(aes_key: bytes, recipient: RecipientPrivate) -> WrappedKey:
    """ECIES as MCUboot documents it, written again from RFC 5869 (HKDF by hand) for this test."""
    if isinstance(recipient, X25519PrivateKey):
        own = X25519PrivateKey.generate()
        ephemeral, shared = own.public_key().public_bytes_raw(), own.exchange(recipient.public_key())
    else:
        other = ec.generate_private_key(ec.SECP256R1())
        ephemeral = other.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        shared = other.exchange(ec.ECDH(), recipient.public_key())
    extracted = hmac.digest(bytes(32), shared, "sha256")
    derived, block = b"", b""
    for counter in (1, 2):
        block = hmac.digest(extracted, block + b"MCUBoot_ECIES_v1" + bytes([counter]), "sha256")
        derived += block
    cipher = Cipher(algorithms.AES(derived[: len(aes_key)]), modes.CTR(bytes(16))).encryptor()
    ciphertext = cipher.update(aes_key)
    mac = hmac.digest(derived[len(aes_key) : len(aes_key) + 32], ciphertext, "sha256")
    return WrappedKey(recipient_kind(recipient), ephemeral, mac, ciphertext)


def code_of(wrapped: WrappedKey, recipient: RecipientPrivate) -> str:
    with pytest.raises(RejectedError) as caught:
        unwrap(wrapped, recipient)
    assert caught.value.where is not None
    return caught.value.code


def point(x: int, y: int, prefix: int = 4) -> bytes:
    return bytes([prefix]) + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def on_curve(x: int) -> int | None:
    """A y for an x of P-256, None where the curve has none; the prime is 3 modulo 4."""
    square = (x**3 - 3 * x + P256_B) % P256_PRIME
    y = pow(square, (P256_PRIME + 1) // 4, P256_PRIME)
    return y if y * y % P256_PRIME == square else None


@pytest.mark.parametrize("bits", [128, 256])
@pytest.mark.parametrize("kind", RECIPIENT_KINDS)
def test_what_another_implementation_wraps_is_unwrapped(kind: RecipientKind, bits: int) -> None:
    rng = random.Random(bits)
    for _ in range(20):
        recipient, key = new_recipient(kind), rng.randbytes(bits // 8)
        wrapped = wrap(key, recipient)
        assert WrappedKey.from_bytes(kind, wrapped.ephemeral + wrapped.mac + wrapped.ciphertext) == wrapped
        assert unwrap(wrapped, recipient) == key


@pytest.mark.parametrize("kind", RECIPIENT_KINDS)
def test_an_altered_wrapped_key_is_rejected(kind: RecipientKind) -> None:
    recipient = new_recipient(kind)
    wrapped = wrap(bytes(16), recipient)
    for field in ("mac", "ciphertext"):
        value = getattr(wrapped, field)
        for position in range(len(value)):
            changed = value[:position] + bytes([value[position] ^ 1]) + value[position + 1 :]
            assert code_of(dataclasses.replace(wrapped, **{field: changed}), recipient) == "image.wrong-recipient"
    other = dataclasses.replace(wrapped, ephemeral=wrap(bytes(16), recipient).ephemeral)
    assert code_of(other, recipient) == "image.wrong-recipient"


def test_a_recipient_of_the_other_kind_is_told_so() -> None:
    for kind, other in (RECIPIENT_KINDS, RECIPIENT_KINDS[::-1]):
        with pytest.raises(RejectedError, match=r"encrypted for .*, this is") as caught:
            unwrap(wrap(bytes(16), new_recipient(kind)), new_recipient(other))
        assert caught.value.code == "image.wrong-recipient"


def test_what_receives_nothing_is_an_input_error() -> None:
    wrapped = wrap(bytes(16), new_recipient())
    for key in (Ed25519PrivateKey.generate(), new_recipient().public_key(), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(InputError) as caught:
            unwrap(wrapped, key)  # type: ignore[arg-type]
        assert caught.value.code == "keys.wrong-kind"


@pytest.mark.parametrize("u", LOW_ORDER)
def test_a_key_that_makes_an_all_zero_secret_is_rejected(u: int) -> None:
    ephemeral = u.to_bytes(32, "little")
    assert is_low_order(ephemeral) and is_low_order(X25519PublicKey.from_public_bytes(ephemeral))
    wrapped = WrappedKey("x25519", ephemeral, bytes(32), bytes(16))
    assert code_of(wrapped, new_recipient()) == "image.ephemeral-low-order"


@pytest.mark.parametrize("u", [X25519_PRIME, X25519_PRIME + 1, X25519_PRIME + 9, 2**255 - 1, 2**255, 2**255 + 9])
def test_a_second_encoding_of_an_x25519_key_is_rejected(u: int) -> None:
    wrapped = WrappedKey("x25519", u.to_bytes(32, "little"), bytes(32), bytes(16))
    assert code_of(wrapped, new_recipient()) == "image.ephemeral-not-canonical"


def test_true_keys_are_canonical_and_of_full_order() -> None:
    for _ in range(100):
        x25519, p256 = X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
        assert ephemeral_fault("x25519", x25519.public_key().public_bytes_raw()) is None
        numbers = p256.public_key().public_numbers()
        assert ephemeral_fault("p256", point(numbers.x, numbers.y)) is None


@pytest.mark.parametrize("prefix", [0x00, 0x02, 0x03, 0x05, 0x06, 0x07, 0xFF])
def test_another_form_of_a_p256_point_is_rejected(prefix: int) -> None:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    wrapped = WrappedKey("p256", point(numbers.x, numbers.y, prefix), bytes(32), bytes(16))
    assert code_of(wrapped, new_recipient("p256")) == "image.ephemeral-not-canonical"


def test_points_off_the_curve_and_coordinates_beyond_the_prime_are_rejected() -> None:
    recipient = new_recipient("p256")
    numbers = recipient.public_key().public_numbers()  # type: ignore[union-attr]
    x, y = next((x, y) for x in range(1, 100) if (y := on_curve(x)) is not None)
    assert ephemeral_fault("p256", point(x, y)) is None
    for wrong in (
        point(numbers.x, numbers.y ^ 1),
        point(numbers.x ^ 1, numbers.y),
        point(0, 0),
        point(x + P256_PRIME, y),
        point(x, P256_PRIME),
        point(2**256 - 1, 2**256 - 1),
    ):
        assert code_of(WrappedKey("p256", wrong, bytes(32), bytes(16)), recipient) == "image.ephemeral-off-curve"


def test_an_ephemeral_key_has_equals_which_only_the_release_can_tell_apart() -> None:
    # ECDH takes the x of a shared point: (x, y) and (x, -y) give the same. X25519 scalars are multiples of 8, so a
    # point of order 2 added to the key vanishes, which takes u to 1/u. Both are true keys in their one encoding.
    x25519, p256 = new_recipient("x25519"), new_recipient("p256")
    first, second = wrap(b"k" * 16, x25519), wrap(b"k" * 16, p256)
    inverse = pow(int.from_bytes(first.ephemeral, "little"), -1, X25519_PRIME)
    equal = dataclasses.replace(first, ephemeral=inverse.to_bytes(32, "little"))
    assert equal != first and unwrap(equal, x25519) == b"k" * 16
    x, y = (int.from_bytes(part, "big") for part in (second.ephemeral[1:33], second.ephemeral[33:]))
    equal = dataclasses.replace(second, ephemeral=point(x, P256_PRIME - y))
    assert equal != second and unwrap(equal, p256) == b"k" * 16


def test_aes_ctr_matches_the_published_cipher() -> None:
    # In CTR mode the key stream's first block is the cipher of the counter, 0: AES-128 of the zero block under the
    # zero key is "H" of test case 1 in NIST SP 800-38D's validation set, AES-256's that of test case 13.
    assert aes_ctr(bytes(16), bytes(16)).hex() == "66e94bd4ef8a2c3b884cfa59ca342b2e"
    assert aes_ctr(bytes(32), bytes(16)).hex() == "dc95c078a2408989ad48a21492842087"


def test_aes_ctr_is_its_own_inverse() -> None:
    key, data = hashlib.sha256(b"k").digest(), random.Random(1).randbytes(1000)
    assert aes_ctr(key, aes_ctr(key, data)) == data != aes_ctr(key, data)
