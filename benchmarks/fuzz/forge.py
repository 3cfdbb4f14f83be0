"""Images as a signer who cheats could make them: altered, then hashed, signed and encrypted again.

Without this a fuzzer never gets past the signature, and what is checked behind it stays unread.
"""

from __future__ import annotations

import dataclasses
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from audit_pipeline.seal.keys.forms import fingerprint
from benchmarks.fuzz.image_edits import Entry, Pieces
from benchmarks.fuzz.samples import Genuine

KEY_HASH, SHA256, ECDSA, ED25519, VERDICT = 0x01, 0x10, 0x22, 0x24, 0xA0


def ctr(key: bytes, data: bytes) -> bytes:
    """AES-CTR from zero, its own inverse."""
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return cipher.update(data) + cipher.finalize()


def resigned(sealed: Genuine, plain: Pieces) -> bytes:
    """The image of pieces whose payload is in the clear: hash and signature put right, the payload encrypted."""
    digest = hashlib.sha256(plain.signed_area(plain.payload)).digest()
    signature = sealed.signer.sign_hash(digest)
    right = {
        SHA256: digest,
        ECDSA: signature,
        ED25519: signature,
        KEY_HASH: bytes.fromhex(fingerprint(sealed.signer.public)),
    }
    unprotected = tuple((kind, right.get(kind, value)) for kind, value in plain.unprotected)
    return dataclasses.replace(plain, payload=ctr(sealed.aes_key, plain.payload), unprotected=unprotected).whole()


def in_the_clear(sealed: Genuine) -> Pieces:
    """A genuine image's pieces, its payload decrypted."""
    pieces = Pieces.of(sealed.image)
    return dataclasses.replace(pieces, payload=ctr(sealed.aes_key, pieces.payload))


def rebound(sealed: Genuine, verdict_sha256: str) -> bytes:
    """The image bound to another verdict."""
    pieces = in_the_clear(sealed)
    protected: tuple[Entry, ...] = tuple(
        (kind, bytes.fromhex(verdict_sha256) if kind == VERDICT else value) for kind, value in pieces.protected
    )
    return resigned(sealed, dataclasses.replace(pieces, protected=protected))
