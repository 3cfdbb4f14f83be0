from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.image import Binding, SealSettings, build
from audit_pipeline.seal.parse import PROTECTED_MAGIC, UNPROTECTED_MAGIC, Tlv, parse
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.verify import Companions, Trust
from audit_pipeline.seal.version import ImageVersion

SETTINGS = SealSettings(ImageVersion(1, 4, 0, 7), security_counter=7)
POLICY = b"version: 1\nname: wearable\n"


@dataclass(frozen=True)
class Sealed:
    """A model sealed as `audit ship` would, with everything that belongs to it and the secrets behind it."""

    signer: Ed25519PrivateKey
    recipient: X25519PrivateKey
    model: bytes
    image: bytes
    verdict: bytes
    release: bytes

    @property
    def trust(self) -> Trust:
        return Trust.one(self.signer.public_key())

    @property
    def companions(self) -> Companions:
        return Companions(self.release, self.verdict, POLICY, self.model)


def verdict_of(model: bytes, *, outcome: str = "PASS", policy: bytes = POLICY) -> bytes:
    predicate = {"verdict": {"outcome": outcome}, "policy": {"sha256": sha256_hex(policy)}}
    return make_statement([Subject("model.tflite", sha256_hex(model))], VERDICT_TYPE, predicate)


def release_of(image: bytes, verdict: bytes) -> bytes:
    subject = Subject("firmware.bin", sha256_hex(image))
    return make_statement([subject], RELEASE_TYPE, {"verdict": {"sha256": sha256_hex(verdict)}})


def seal_model(
    size: int,
    *,
    signer: Ed25519PrivateKey | None = None,
    recipient: X25519PrivateKey | None = None,
    verdict: Callable[[bytes], bytes] = verdict_of,
) -> Sealed:
    signer = signer or Ed25519PrivateKey.generate()
    recipient = recipient or X25519PrivateKey.generate()
    model = random.Random(size).randbytes(size)
    payload = verdict(model)
    image = build(
        model,
        signer=signer,
        recipient=recipient.public_key(),
        settings=SETTINGS,
        binding=Binding(sha256_hex(payload), sha256_hex(POLICY)),
    )
    release = dsse.sign(release_of(image, payload), signer)
    return Sealed(signer, recipient, model, image, dsse.sign(payload, signer), release)


def reassemble(
    image: bytes, *, protected: Sequence[Tlv] | None = None, unprotected: Sequence[Tlv] | None = None
) -> bytes:
    """The image with other TLVs, its sizes made right again: what an attacker with a text book would send."""
    parsed = parse(image)
    first = _area(PROTECTED_MAGIC, parsed.protected if protected is None else protected)
    second = _area(UNPROTECTED_MAGIC, parsed.unprotected if unprotected is None else unprotected)
    header = bytearray(parsed.header_area)
    struct.pack_into("<H", header, 10, len(first))
    return bytes(header) + parsed.payload + first + second


def _area(magic: int, tlvs: Sequence[Tlv]) -> bytes:
    body = b"".join(struct.pack("<HH", tlv.type, len(tlv.value)) + tlv.value for tlv in tlvs)
    return struct.pack("<HH", magic, len(body) + 4) + body


def flip(data: bytes, bit: int) -> bytes:
    """The data with one bit inverted; bit 0 is the lowest of the first byte."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
