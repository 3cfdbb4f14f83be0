"""Whoever signs: a key in memory, a PKCS#11 token or a cloud service, all through one callback.

The callback of an Ed25519 key is given the message (RFC 8032 has no useful prehash here), that of a P-256 key the
SHA-256 of it, which is what tokens and key services sign. What comes back is not believed: it is checked against the
public key, so a token that answers with another key's signature is noticed before anything is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from audit_pipeline.errors import ToolError
from audit_pipeline.seal.keys.forms import (
    SIGNER,
    SIGNER_PUBLIC,
    KeyKind,
    SignerPrivate,
    SignerPublic,
    kind_of,
    require_key,
)

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the base point of P-256 (SP 800-186, 3.2.1.3)."""


class Signer:
    """Signs by a callback that holds the private key, or knows who does. Never shows any of it."""

    def __init__(self, public: SignerPublic, callback: Callable[[bytes], bytes]) -> None:
        """A signer.

        Args:
            public: the key that its signatures are checked with.
            callback: Ed25519: message → 64 bytes. P-256: SHA-256 digest (32 bytes) → ECDSA signature in DER.
        """
        self.public = require_key(public, SIGNER_PUBLIC)
        self._callback = callback

    @classmethod
    def of(cls, private: SignerPrivate) -> Signer:
        """A signer with its key in this process's memory."""
        key = require_key(private, SIGNER)
        if isinstance(key, EllipticCurvePrivateKey):
            return cls(key.public_key(), lambda digest: key.sign(digest, ECDSA(Prehashed(SHA256()))))
        return cls(key.public_key(), key.sign)

    def sign(self, message: bytes) -> bytes:
        """Sign a message: Ed25519 over its bytes, or ECDSA over its SHA-256.

        Raises:
            ToolError: `signer.failed`, what the callback gave is no signature of this key; or what it raises itself.
        """
        return self._checked(to_sign(kind_of(self.public), message))

    def sign_hash(self, digest: bytes) -> bytes:
        """Sign an image's SHA-256 as MCUboot reads it: ECDSA over this digest, or Ed25519 with it as the message.

        Raises:
            ToolError: as `sign`.
        """
        return self._checked(digest)

    def _checked(self, given: bytes) -> bytes:
        signature = self._callback(given)
        if isinstance(self.public, EllipticCurvePublicKey):
            signature = _low_s(signature)
        if not signature_holds(self.public, signature, given):
            raise ToolError(
                "signer.failed",
                "what the signer gave back is no signature of its key",
                hint="check that token, key label and public key belong together",
            )
        return signature


def to_sign(kind: KeyKind, message: bytes) -> bytes:
    """What a key of a kind is given of a message that it signs: Ed25519 the message, P-256 its SHA-256."""
    return hashlib.sha256(message).digest() if kind == "p256" else message


def signature_holds(public: SignerPublic, signature: bytes, given: bytes) -> bool:
    """Whether a signature over what the signer was given holds, and is in its one canonical form.

    From a signature (r, s) of ECDSA everybody can make (r, n − s), which holds too, and DER has sloppy encodings of
    either. Only strict DER with s ≤ n/2 is taken, so that nobody without the key can make a second signature.

    Args:
        public: the key.
        signature: Ed25519: 64 bytes; P-256: ECDSA in DER.
        given: see `to_sign`; of an image its SHA-256, whichever the key.
    """
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature, given)
            return True
        if not _is_canonical(signature):
            return False
        public.verify(signature, given, ECDSA(Prehashed(SHA256())))
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_canonical(signature: bytes) -> bool:
    try:
        r, s = decode_dss_signature(signature)
        return s <= _P256_ORDER // 2 and encode_dss_signature(r, s) == signature
    except ValueError:
        return False


def _low_s(signature: bytes) -> bytes:
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return signature
    return encode_dss_signature(r, min(s, _P256_ORDER - s)) if 0 < s < _P256_ORDER else signature
