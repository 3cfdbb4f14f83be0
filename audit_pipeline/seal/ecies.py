"""ECIES as MCUboot uses it to carry an image's AES key (docs/encrypted_images.md, "ECIES encryption").

An ephemeral key pair and the recipient's public key, both X25519 or both P-256, give a shared secret; HKDF-SHA256 (no
salt, info `MCUBoot_ECIES_v1`) makes two keys of it: one for AES-CTR, as long as the image's key, which it encrypts,
and 32 bytes for HMAC-SHA256 over the result. imgtool does the wrapping; this is the other direction, written on its
own so that each checks the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.keys.forms import RECIPIENT, RecipientPrivate, RecipientPublic, require_key

RecipientKind = Literal["x25519", "p256"]

EPHEMERAL_BYTES: dict[RecipientKind, int] = {"x25519": 32, "p256": 65}
MAC_BYTES = 32
WRAPPING_NAMES: dict[RecipientKind, str] = {"x25519": "ECIES-X25519", "p256": "ECIES-P256"}

_INFO = b"MCUBoot_ECIES_v1"
_X25519_PRIME = 2**255 - 19
_UNCOMPRESSED = 0x04
_NAMES: dict[RecipientKind, str] = {"x25519": "an X25519 key", "p256": "a P-256 key"}
_PROBE = X25519PrivateKey.from_private_bytes(bytes(32))


@dataclass(frozen=True)
class WrappedKey:
    """The value of TLV 0x33 (X25519) or 0x32 (P-256): an ephemeral public key, HMAC-SHA256, the encrypted AES key."""

    kind: RecipientKind
    ephemeral: bytes
    """X25519: the u-coordinate, 32 bytes little endian. P-256: the uncompressed point, 0x04 ‖ x ‖ y, big endian."""
    mac: bytes
    """32 bytes."""
    ciphertext: bytes
    """16 bytes for AES-128, 32 for AES-256."""

    @classmethod
    def from_bytes(cls, kind: RecipientKind, value: bytes) -> WrappedKey:
        """Split the TLV's value, whose length is the caller's to check."""
        mac_start = EPHEMERAL_BYTES[kind]
        mac_end = mac_start + MAC_BYTES
        return cls(kind, value[:mac_start], value[mac_start:mac_end], value[mac_end:])


def recipient_kind(key: RecipientPrivate | RecipientPublic) -> RecipientKind:
    """Which of the two kinds a key that receives is."""
    return "x25519" if isinstance(key, (X25519PrivateKey, X25519PublicKey)) else "p256"


@dataclass(frozen=True)
class EphemeralFault:
    """Why an ephemeral key is refused before anything is computed with it; `code` without its `image.` prefix."""

    code: str
    what: str
    at: int = field(default=0)
    """Byte of the key at fault."""


def ephemeral_fault(kind: RecipientKind, public: bytes) -> EphemeralFault | None:
    """What is wrong with an ephemeral key; None where it is in its one encoding and gives a secret that is one.

    X25519: RFC 7748 section 5 masks the top bit and reduces modulo 2^255 - 19, so several encodings mean one key and
    an image could be altered without any receiver noticing. P-256: SEC 1 section 2.3.4 knows compressed and hybrid
    points too; a point off the curve would give the private key away bit by bit. Infinity has no encoding of 65 bytes.
    """
    return _x25519_fault(public) if kind == "x25519" else _p256_fault(public)


def _x25519_fault(public: bytes) -> EphemeralFault | None:
    if int.from_bytes(public, "little") >= _X25519_PRIME:
        return EphemeralFault(
            "ephemeral-not-canonical", "the ephemeral X25519 key is not in its one canonical form", len(public) - 1
        )
    if is_low_order(public):
        return EphemeralFault("ephemeral-low-order", "the ephemeral X25519 key gives an all-zero shared secret")
    return None


def _p256_fault(public: bytes) -> EphemeralFault | None:
    if public[0] != _UNCOMPRESSED:
        return EphemeralFault("ephemeral-not-canonical", "the ephemeral P-256 key is not an uncompressed point (0x04)")
    try:
        # Checks that both coordinates are below the prime, and the curve's equation.
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public)
    except ValueError:
        return EphemeralFault("ephemeral-off-curve", "the ephemeral P-256 key is no point of the curve", 1)
    return None


def is_low_order(public: bytes | X25519PublicKey) -> bool:
    """Whether an X25519 public key makes the shared secret all zero with everybody (RFC 7748 section 6.1)."""
    key = X25519PublicKey.from_public_bytes(public) if isinstance(public, bytes) else public
    try:
        # Any clamped scalar is a multiple of the cofactor, so a fixed one tells as much as a random one.
        _PROBE.exchange(key)
    except ValueError:
        return True
    return False


def unwrap(wrapped: WrappedKey, recipient: RecipientPrivate) -> bytes:
    """The AES key in a wrapped key, 16 or 32 bytes.

    Raises:
        RejectedError: those of `ephemeral_fault`, or `image.wrong-recipient` where the recipient's key is of another
            kind or the MAC does not hold.
        InputError: `keys.wrong-kind`, this key receives nothing.
    """
    fault = ephemeral_fault(wrapped.kind, wrapped.ephemeral)
    if fault is not None:
        raise RejectedError(f"image.{fault.code}", fault.what, where="the image's wrapped key")
    key_bytes = len(wrapped.ciphertext)
    shared = _shared_secret(wrapped, require_key(recipient, RECIPIENT))
    derived = HKDF(hashes.SHA256(), key_bytes + MAC_BYTES, salt=None, info=_INFO).derive(shared)
    mac = hmac.HMAC(derived[key_bytes:], hashes.SHA256())
    mac.update(wrapped.ciphertext)
    try:
        mac.verify(wrapped.mac)
    except InvalidSignature:
        raise _wrong_recipient("the image was not encrypted for this recipient, or its key was altered") from None
    return aes_ctr(derived[:key_bytes], wrapped.ciphertext)


def _shared_secret(wrapped: WrappedKey, recipient: RecipientPrivate) -> bytes:
    kind = recipient_kind(recipient)
    if wrapped.kind != kind:
        raise _wrong_recipient(f"the image is encrypted for {_NAMES[wrapped.kind]}, this is {_NAMES[kind]}")
    if isinstance(recipient, EllipticCurvePrivateKey):
        return recipient.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), wrapped.ephemeral))
    return recipient.exchange(X25519PublicKey.from_public_bytes(wrapped.ephemeral))


def _wrong_recipient(what: str) -> RejectedError:
    return RejectedError(
        "image.wrong-recipient",
        what,
        where="the image's wrapped key",
        hint="decrypt with the private key whose public half the image was sealed for",
    )


def aes_ctr(key: bytes, data: bytes) -> bytes:
    """AES-CTR with a counter that starts at zero; its own inverse.

    The zero start is MCUboot's format and safe only because every image has its own random key.
    """
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return cipher.update(data) + cipher.finalize()
