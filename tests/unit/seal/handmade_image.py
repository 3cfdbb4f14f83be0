"""Sealed images made by hand from the format's table, without imgtool and without the writer under test.

Every part can be made wrong while all that lies around it (hash, wrapping, signature) is right: what a maker with the
keys and a mistake would send.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Entry = tuple[int, bytes]


@dataclass(frozen=True)
class Handmade:
    """An image to be. `change` gives one that differs in some field; `image` makes it."""

    signer: Ed25519PrivateKey | EllipticCurvePrivateKey
    recipient: X25519PrivateKey | EllipticCurvePrivateKey
    model: bytes
    aes_bytes: int = 16
    counter: int = 7
    header: dict[str, int] = field(default_factory=dict)
    optional: tuple[Entry, ...] = ()
    padding: bytes | None = None
    model_sha256: bytes | None = None
    log_size: int = 2**40 + 5
    high_s: bool = False
    signature: Callable[[int, int], bytes] = encode_dss_signature
    """How ECDSA's r and s are written."""

    def change(self, **fields: object) -> Handmade:
        return dataclasses.replace(self, **fields)  # type: ignore[arg-type]

    @property
    def protected(self) -> tuple[Entry, ...]:
        digest = hashlib.sha256(self.model).digest() if self.model_sha256 is None else self.model_sha256
        return (
            (0x50, struct.pack("<I", self.counter)),
            *self.optional,
            (0xA0, bytes(range(32))),
            (0xA1, struct.pack("<I", len(self.model)) + digest),
            (0xA2, bytes(range(32, 64))),
            (0xA3, struct.pack("<Q", self.log_size) + bytes(range(64, 96))),
        )

    def image(self) -> bytes:
        padding = bytes(-len(self.model) % 16) if self.padding is None else self.padding
        plain = self.model + padding
        protected = area(0x6908, self.protected)
        values = {"payload": len(plain), "protected": len(protected), "flags": self.aes_bytes // 4} | self.header
        header = struct.pack(
            "<IIHHIIBBHII",
            *(values.get(name, default) for name, default in _HEADER.items()),
        )
        digest = hashlib.sha256(header + plain + protected).digest()
        aes_key = bytes(range(100, 100 + self.aes_bytes))
        unprotected = (
            (0x10, digest),
            (0x01, hashlib.sha256(_spki(self.signer)).digest()),
            self._signature(digest),
            self._wrapped(aes_key),
        )
        return header + ctr(aes_key, plain) + protected + area(0x6907, unprotected)

    def _signature(self, digest: bytes) -> Entry:
        if isinstance(self.signer, Ed25519PrivateKey):
            return 0x24, self.signer.sign(digest)
        r, s = decode_dss_signature(self.signer.sign(digest, ECDSA(Prehashed(hashes.SHA256()))))
        pick = max if self.high_s else min
        return 0x22, self.signature(r, pick(s, P256_ORDER - s))

    def _wrapped(self, aes_key: bytes) -> Entry:
        if isinstance(self.recipient, EllipticCurvePrivateKey):
            one = generate_private_key(SECP256R1())
            form = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
            kind, point = 0x32, one.public_key().public_bytes(*form)
            shared = one.exchange(ECDH(), self.recipient.public_key())
        else:
            other = X25519PrivateKey.generate()
            kind, point = 0x33, other.public_key().public_bytes_raw()
            shared = other.exchange(self.recipient.public_key())
        size = len(aes_key)
        derived = HKDF(hashes.SHA256(), size + 32, salt=None, info=b"MCUBoot_ECIES_v1").derive(shared)
        ciphertext = ctr(derived[:size], aes_key)
        return kind, point + hmac.digest(derived[size:], ciphertext, "sha256") + ciphertext


_HEADER = {
    "magic": 0x96F3B83D,
    "load": 0,
    "size": 32,
    "protected": 0,
    "payload": 0,
    "flags": 0,
    "major": 1,
    "minor": 4,
    "revision": 300,
    "build": 70000,
    "reserved": 0,
}


ED25519_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
X25519_RECIPIENT = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
P256_SIGNER = derive_private_key(0x5EA1 << 200, SECP256R1())
P256_RECIPIENT = derive_private_key(0xDE71CE << 200, SECP256R1())
MODEL = bytes(range(200, 220))


def handmade(signs: str = "ed25519", receives: str = "x25519", aes_bits: int = 128) -> Handmade:
    """An image of a model of 20 bytes, without fault."""
    return Handmade(
        signer=ED25519_SIGNER if signs == "ed25519" else P256_SIGNER,
        recipient=X25519_RECIPIENT if receives == "x25519" else P256_RECIPIENT,
        model=MODEL,
        aes_bytes=aes_bits // 8,
    )


def with_optional(*entries: Entry) -> Handmade:
    """An image with these TLVs between security counter and verdict."""
    return handmade().change(optional=entries)


def area(magic: int, entries: tuple[Entry, ...]) -> bytes:
    """A TLV area with its head."""
    body = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in entries)
    return struct.pack("<HH", magic, len(body) + 4) + body


def ctr(key: bytes, data: bytes) -> bytes:
    """AES-CTR from a counter of zero."""
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    return cipher.update(data) + cipher.finalize()


def _spki(signer: Ed25519PrivateKey | EllipticCurvePrivateKey) -> bytes:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return signer.public_key().public_bytes(*form)
