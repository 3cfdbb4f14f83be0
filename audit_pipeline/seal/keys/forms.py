"""The forms a key has here, told apart before use: imgtool takes any of them for any other without a word.

Two kinds of key sign (Ed25519, and ECDSA on P-256 with SHA-256) and two receive (X25519, and ECDH on P-256). A P-256
key looks the same in either use, so whoever asks for one says which use is meant, and no image takes one key for both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from audit_pipeline.errors import InputError

KeyKind = Literal["ed25519", "p256", "x25519"]

SignerPrivate: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey
SignerPublic: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey
RecipientPrivate: TypeAlias = X25519PrivateKey | EllipticCurvePrivateKey
RecipientPublic: TypeAlias = X25519PublicKey | EllipticCurvePublicKey
AnyPublic: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | X25519PublicKey

Key = TypeVar("Key")


@dataclass(frozen=True)
class KeyForm(Generic[Key]):
    """Classes of key that serve one purpose, and what people call them."""

    classes: tuple[Any, ...]
    name: str
    missing: str = "check the path"
    """what to do where there is no such file: only a key that signs is replaced by making one"""


SIGNER = KeyForm[SignerPrivate](
    (Ed25519PrivateKey, EllipticCurvePrivateKey),
    "a private key that signs (Ed25519 or P-256)",
    "check the path, or make one with `audit keys new`",
)
SIGNER_PUBLIC = KeyForm[SignerPublic](
    (Ed25519PublicKey, EllipticCurvePublicKey),
    "a public key that signatures are checked with (Ed25519 or P-256)",
    "check the path, or get the key from its owner",
)
RECIPIENT = KeyForm[RecipientPrivate](
    (X25519PrivateKey, EllipticCurvePrivateKey),
    "a device's private key (X25519 or P-256)",
    "check the path; a new key opens nothing that was sealed for another",
)
RECIPIENT_PUBLIC = KeyForm[RecipientPublic](
    (X25519PublicKey, EllipticCurvePublicKey),
    "a device's public key (X25519 or P-256)",
    "check the path, or get the device's public key; a new one would encrypt for a device that does not exist",
)
ANY_PUBLIC = KeyForm[AnyPublic]((Ed25519PublicKey, EllipticCurvePublicKey, X25519PublicKey), "a public key")
ANY_PRIVATE = KeyForm[SignerPrivate | RecipientPrivate]((*SIGNER.classes, *RECIPIENT.classes), "a private key")

_NAMES = (
    (Ed25519PrivateKey, "an Ed25519 private key"),
    (Ed25519PublicKey, "an Ed25519 public key"),
    (X25519PrivateKey, "an X25519 private key"),
    (X25519PublicKey, "an X25519 public key"),
    (EllipticCurvePrivateKey, "an elliptic-curve private key"),
    (EllipticCurvePublicKey, "an elliptic-curve public key"),
)


def require_key(key: object, wanted: KeyForm[Key], *, where: str | None = None) -> Key:
    """The key itself, if it has the form that is needed.

    Raises:
        InputError: `keys.wrong-kind`; a curve other than P-256 is one.
    """
    if isinstance(key, wanted.classes):
        if isinstance(key, (EllipticCurvePrivateKey, EllipticCurvePublicKey)) and not isinstance(key.curve, SECP256R1):
            raise _wrong_kind(f"a key on {key.curve.name}", wanted.name, where)
        narrowed: Key = key
        return narrowed
    given = next((name for form, name in _NAMES if isinstance(key, form)), f"a {type(key).__name__}")
    raise _wrong_kind(given, wanted.name, where)


def kind_of(key: SignerPrivate | RecipientPrivate | AnyPublic) -> KeyKind:
    """Which of the three kinds a key is; `p256` says nothing about its use."""
    if isinstance(key, (Ed25519PrivateKey, Ed25519PublicKey)):
        return "ed25519"
    return "x25519" if isinstance(key, (X25519PrivateKey, X25519PublicKey)) else "p256"


def spki(public: AnyPublic) -> bytes:
    """A public key as SubjectPublicKeyInfo in DER (RFC 5280 section 4.1): its one encoding here.

    cryptography writes P-256 points uncompressed, so two files with one key give the same bytes.
    """
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(public: AnyPublic) -> str:
    """SHA-256 of `spki`, hexadecimal; MCUboot's key hash is the same 32 bytes."""
    return hashlib.sha256(spki(public)).hexdigest()


def _wrong_kind(given: str, wanted: str, where: str | None) -> InputError:
    return InputError(
        "keys.wrong-kind",
        f"this is {given}, and {wanted} belongs here",
        where=where,
        hint="Ed25519 and P-256 keys sign; X25519 and P-256 keys are what an image is encrypted for",
    )
