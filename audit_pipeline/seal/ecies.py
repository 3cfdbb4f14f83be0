"""ECIES-X25519 as MCUboot uses it to carry an image's AES key (docs/encrypted_images.md, "ECIES encryption").

An ephemeral key pair and the recipient's public key give a shared secret; HKDF-SHA256 (no salt, info
`MCUBoot_ECIES_v1`) makes 48 bytes of it: 16 for AES-128-CTR, which encrypts the image's key, and 32 for HMAC-SHA256
over the result. imgtool does the wrapping; this is the other direction, written on its own so that each checks the
other.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from audit_pipeline.errors import RejectedError

AES_KEY_BYTES = 16
WRAPPED_BYTES = 80

_MAC_BYTES = 32
_EPHEMERAL_BYTES = 32
_INFO = b"MCUBoot_ECIES_v1"
_FIELD_PRIME = 2**255 - 19
_PROBE = X25519PrivateKey.from_private_bytes(bytes(_EPHEMERAL_BYTES))


@dataclass(frozen=True)
class WrappedKey:
    """The value of TLV 0x33: ephemeral public key (32 bytes), HMAC-SHA256 (32), encrypted AES key (16)."""

    ephemeral: bytes
    mac: bytes
    ciphertext: bytes

    @classmethod
    def from_bytes(cls, value: bytes) -> WrappedKey:
        """Split the TLV's 80 bytes."""
        mac_end = _EPHEMERAL_BYTES + _MAC_BYTES
        return cls(value[:_EPHEMERAL_BYTES], value[_EPHEMERAL_BYTES:mac_end], value[mac_end:])


def is_canonical(public: bytes) -> bool:
    """Whether 32 bytes are the one encoding of their X25519 u-coordinate.

    RFC 7748 section 5 masks the top bit and reduces modulo 2^255 - 19, so several encodings mean the same key and an
    image could be altered without any receiver noticing.
    """
    return int.from_bytes(public, "little") < _FIELD_PRIME


def is_low_order(public: bytes | X25519PublicKey) -> bool:
    """Whether a public key makes the shared secret all zero with everybody (RFC 7748 section 6.1)."""
    key = X25519PublicKey.from_public_bytes(public) if isinstance(public, bytes) else public
    try:
        # Any clamped scalar is a multiple of the cofactor, so a fixed one tells as much as a random one.
        _PROBE.exchange(key)
    except ValueError:
        return True
    return False


def unwrap(wrapped: WrappedKey, recipient: X25519PrivateKey) -> bytes:
    """The 16-byte AES key in a wrapped key.

    Raises:
        RejectedError: `image.ephemeral-low-order`, or `image.wrong-recipient` where the MAC does not hold.
    """
    if is_low_order(wrapped.ephemeral):
        raise RejectedError("image.ephemeral-low-order", "the ephemeral X25519 key gives an all-zero shared secret")
    shared = recipient.exchange(X25519PublicKey.from_public_bytes(wrapped.ephemeral))
    derived = HKDF(hashes.SHA256(), AES_KEY_BYTES + _MAC_BYTES, salt=None, info=_INFO).derive(shared)
    mac = hmac.HMAC(derived[AES_KEY_BYTES:], hashes.SHA256())
    mac.update(wrapped.ciphertext)
    try:
        mac.verify(wrapped.mac)
    except InvalidSignature:
        raise RejectedError(
            "image.wrong-recipient",
            "the image was not encrypted for this recipient, or its key was altered",
            hint="decrypt with the private key whose public half the image was sealed for",
        ) from None
    return aes_ctr(derived[:AES_KEY_BYTES], wrapped.ciphertext)


def aes_ctr(key: bytes, data: bytes) -> bytes:
    """AES-CTR with a counter that starts at zero; its own inverse.

    The zero start is MCUboot's format and safe only because every image has its own random key.
    """
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return cipher.update(data) + cipher.finalize()
