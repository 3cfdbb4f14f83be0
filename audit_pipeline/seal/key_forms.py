"""The four forms a key has here, told apart before use: imgtool takes any of them for any other without a word."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from audit_pipeline.errors import InputError

Key = TypeVar("Key")


@dataclass(frozen=True)
class KeyForm(Generic[Key]):
    """A class of key and what people call it."""

    form: Any
    name: str


SIGNER = KeyForm[Ed25519PrivateKey](Ed25519PrivateKey, "an Ed25519 private key")
SIGNER_PUBLIC = KeyForm[Ed25519PublicKey](Ed25519PublicKey, "an Ed25519 public key")
RECIPIENT = KeyForm[X25519PrivateKey](X25519PrivateKey, "an X25519 private key")
RECIPIENT_PUBLIC = KeyForm[X25519PublicKey](X25519PublicKey, "an X25519 public key")

_FORMS = (SIGNER, SIGNER_PUBLIC, RECIPIENT, RECIPIENT_PUBLIC)


def require_key(key: object, wanted: KeyForm[Key], *, where: str | None = None) -> Key:
    """The key itself, if it has the form that is needed.

    Raises:
        InputError: `keys.wrong-kind`.
    """
    if isinstance(key, wanted.form):
        narrowed: Key = key
        return narrowed
    given = next((form.name for form in _FORMS if isinstance(key, form.form)), f"a {type(key).__name__}")
    raise InputError(
        "keys.wrong-kind",
        f"this is {given}, and {wanted.name} belongs here",
        where=where,
        hint="Ed25519 signs; X25519 is what an image is encrypted for",
    )


def fingerprint(public: Ed25519PublicKey | X25519PublicKey) -> str:
    """SHA-256 of the key as SubjectPublicKeyInfo DER, hexadecimal; MCUboot's key hash is the same 32 bytes."""
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
