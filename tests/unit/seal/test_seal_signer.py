from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.seal.keys.forms import kind_of
from audit_pipeline.seal.keys.signer import Signer, signature_holds, to_sign

ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = derive_private_key(11, SECP256R1())
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def holds(key: Ed25519PrivateKey | EllipticCurvePrivateKey, signature: bytes, message: bytes) -> bool:
    public = key.public_key()
    return signature_holds(public, signature, to_sign(kind_of(public), message))


@given(st.binary())
def test_ed25519_signs_the_message_as_the_library_does(message: bytes) -> None:
    signature = Signer.of(ED25519).sign(message)
    assert signature == ED25519.sign(message)
    assert holds(ED25519, signature, message)


@given(st.binary())
def test_p256_signs_the_sha256_of_a_message_and_the_library_agrees(message: bytes) -> None:
    signature = Signer.of(P256).sign(message)
    P256.public_key().verify(signature, message, ECDSA(SHA256()))
    assert holds(P256, signature, message)
    assert to_sign("p256", message) == hashlib.sha256(message).digest()


def test_an_image_s_hash_is_signed_as_it_is() -> None:
    digest = hashlib.sha256(b"image").digest()
    assert Signer.of(ED25519).sign_hash(digest) == ED25519.sign(digest)
    P256.public_key().verify(Signer.of(P256).sign_hash(digest), b"image", ECDSA(SHA256()))


def test_every_p256_signature_is_the_lower_of_its_two_forms_and_the_other_is_refused() -> None:
    signer = Signer.of(P256)
    for number in range(50):
        message = number.to_bytes(4, "big")
        r, s = decode_dss_signature(signer.sign(message))
        assert s <= ORDER // 2
        twin = encode_dss_signature(r, ORDER - s)
        P256.public_key().verify(twin, message, ECDSA(SHA256()))
        assert not holds(P256, twin, message)


def test_a_token_that_answers_with_the_higher_form_is_brought_to_the_lower() -> None:
    def high(digest: bytes) -> bytes:
        r, s = decode_dss_signature(Signer.of(P256).sign_hash(digest))
        return encode_dss_signature(r, ORDER - s)

    signature = Signer(P256.public_key(), high).sign(b"message")
    assert holds(P256, signature, b"message")


@pytest.mark.parametrize(
    "sloppy", [lambda s: s + b"\0", lambda s: b"\x30\x81" + s[1:], lambda s: b"", lambda s: s[:-1]]
)
def test_sloppy_der_is_refused(sloppy: object) -> None:
    signature = Signer.of(P256).sign(b"message")
    assert not holds(P256, sloppy(signature), b"message")  # type: ignore[operator]


@pytest.mark.parametrize("r_s", [(0, 0), (0, 1), (1, 0), (ORDER, 1), (1, ORDER), (1, 1)])
def test_degenerate_signatures_are_refused(r_s: tuple[int, int]) -> None:
    assert not holds(P256, encode_dss_signature(*r_s), b"message")


@pytest.mark.parametrize("answer", [b"", b"\0" * 64, bytes(72), b"\x30\x06\x02\x01\x01\x02\x01\x01"])
@pytest.mark.parametrize("public", [ED25519.public_key(), P256.public_key()], ids=["ed25519", "p256"])
def test_a_callback_that_gives_no_signature_of_its_key_is_a_tool_error(public: object, answer: bytes) -> None:
    with pytest.raises(ToolError) as caught:
        Signer(public, lambda _: answer).sign(b"message")  # type: ignore[arg-type]
    assert caught.value.code == "signer.failed"


def test_a_key_that_cannot_sign_is_an_input_error() -> None:
    for key in (X25519PrivateKey.generate(), generate_private_key(SECP384R1()), ED25519.public_key()):
        with pytest.raises(InputError) as caught:
            Signer.of(key)  # type: ignore[arg-type]
        assert caught.value.code == "keys.wrong-kind"
