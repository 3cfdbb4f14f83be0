from __future__ import annotations

import functools
import hashlib
import itertools
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.ecies import RecipientKind, aes_ctr, unwrap
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.forms import RecipientPrivate, SignerPrivate, fingerprint
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.parse import PROTECTED_MAGIC, UNPROTECTED_MAGIC, Tlv, TlvType, parse
from audit_pipeline.seal.profile import SignatureKind, read
from audit_pipeline.seal.settings import AesBits, Binding, Dependency, SealSettings
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.verify import Companions, Trust
from audit_pipeline.seal.version import ImageVersion

POLICY = b"version: 1\nname: wearable\n"
LOG_SIZE, LOG_ROOT = 5, "a3" * 32

SIGNER_KINDS: tuple[SignatureKind, ...] = ("ed25519", "p256")
RECIPIENT_KINDS: tuple[RecipientKind, ...] = ("x25519", "p256")
AES_SIZES: tuple[AesBits, ...] = (128, 256)
COMBINATIONS = tuple(itertools.product(SIGNER_KINDS, RECIPIENT_KINDS, AES_SIZES))
"""All eight: what signs, what receives, bits of AES."""


def make_settings(aes_bits: AesBits = 128, **changed: Any) -> SealSettings:
    given: dict[str, Any] = {"version": ImageVersion(1, 4, 0, 7), "security_counter": 7, "aes_bits": aes_bits}
    return SealSettings(**(given | changed))


SETTINGS = make_settings()
FULL = make_settings(
    vendor="wearables.example.com",
    device_class="wrist-2",
    dependency=Dependency(1, ImageVersion(2, 0, 3, 9)),
    slot_bytes=1 << 20,
)
"""Every optional TLV is in the image."""


@dataclass(frozen=True)
class Sealed:
    """A model sealed as `audit ship` would, with everything that belongs to it and the secrets behind it."""

    signer: Signer
    recipient: RecipientPrivate
    settings: SealSettings
    model: bytes
    image: bytes
    verdict: bytes
    release: bytes

    @property
    def trust(self) -> Trust:
        return Trust.one(self.signer.public)

    @property
    def companions(self) -> Companions:
        return Companions(self.release, self.verdict, POLICY, self.model)


def new_signer(kind: SignatureKind = "ed25519") -> Signer:
    return Signer.of(new_signing_key(kind))


def new_signing_key(kind: SignatureKind = "ed25519") -> SignerPrivate:
    return Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(SECP256R1())


def new_recipient(kind: RecipientKind = "x25519") -> RecipientPrivate:
    return X25519PrivateKey.generate() if kind == "x25519" else generate_private_key(SECP256R1())


def verdict_of(model: bytes, *, policy: bytes = POLICY, **changed: Any) -> bytes:
    """The payload of a verdict about a model; `changed` replaces values of its predicate."""
    predicate = {
        "verdict": {"outcome": "PASS"},
        "policy": {"sha256": sha256_hex(policy)},
        "waivers": [],
        "approvals": [],
        "trail": {"policy_index": 0, "size": LOG_SIZE, "root": LOG_ROOT},
    }
    return make_statement([Subject("model.tflite", sha256_hex(model))], VERDICT_TYPE, predicate | changed)


def release_of(
    image: bytes, verdict: bytes, *, recipient: RecipientPrivate, settings: SealSettings = SETTINGS, **changed: Any
) -> bytes:
    """The payload of a release of an image; `changed` replaces values of the predicate's `image`."""
    part = {
        "sha256": sha256_hex(image),
        "version": str(settings.version),
        "security_counter": settings.security_counter,
        "device": device_of(settings),
        "signer": read(image).key_hash,
        "recipient": fingerprint(recipient.public_key()),
    }
    predicate = {"run": "a-run", "verdict": {"sha256": sha256_hex(verdict)}, "image": part | changed}
    return make_statement([Subject("firmware.bin", sha256_hex(image))], RELEASE_TYPE, predicate)


def device_of(settings: SealSettings) -> Mapping[str, Any] | None:
    least = settings.dependency
    device = {
        "vendor": settings.vendor,
        "class": settings.device_class,
        "depends_on": None if least is None else {"image": least.image, "version": str(least.version)},
    }
    return device if any(device.values()) else None


def seal_model(
    size: int,
    *,
    signer_kind: SignatureKind = "ed25519",
    recipient_kind: RecipientKind = "x25519",
    aes_bits: AesBits = 128,
    settings: SealSettings | None = None,
    signer: Signer | None = None,
    recipient: RecipientPrivate | None = None,
    verdict: Callable[[bytes], bytes] = verdict_of,
    seed: int = 0,
) -> Sealed:
    """A model of `size` random bytes, sealed; given settings or keys stand for the three kinds."""
    settings = settings or make_settings(aes_bits)
    signer = signer or new_signer(signer_kind)
    recipient = recipient or new_recipient(recipient_kind)
    model = random.Random(f"{size} {seed}").randbytes(size)
    payload = verdict(model)
    binding = Binding(sha256_hex(payload), sha256_hex(POLICY), LOG_SIZE, LOG_ROOT)
    image = build(model, signer=signer, recipient=recipient.public_key(), settings=settings, binding=binding)
    release = dsse.sign(release_of(image, payload, recipient=recipient, settings=settings), [signer])
    return Sealed(signer, recipient, settings, model, image, dsse.sign(payload, [signer]), release)


@functools.cache
def sample(
    signer_kind: SignatureKind = "ed25519", recipient_kind: RecipientKind = "x25519", aes_bits: AesBits = 128
) -> Sealed:
    """A sealed model of 64 bytes for each combination, made once."""
    return seal_model(64, signer_kind=signer_kind, recipient_kind=recipient_kind, aes_bits=aes_bits)


def reassemble(
    image: bytes,
    *,
    payload: bytes | None = None,
    protected: Sequence[Tlv] | None = None,
    unprotected: Sequence[Tlv] | None = None,
) -> bytes:
    """The image with other parts, its sizes made right again: what an attacker with a text book would send."""
    parsed = parse(image)
    payload = parsed.payload if payload is None else payload
    first = _area(PROTECTED_MAGIC, parsed.protected if protected is None else protected)
    second = _area(UNPROTECTED_MAGIC, parsed.unprotected if unprotected is None else unprotected)
    header = bytearray(parsed.header_area)
    struct.pack_into("<HI", header, 10, len(first), len(payload))
    return bytes(header) + payload + first + second


def with_value(image: bytes, kind: TlvType, value: bytes) -> bytes:
    """The image with another value in one TLV."""

    def swap(tlvs: tuple[Tlv, ...]) -> list[Tlv]:
        return [Tlv(tlv.type, 0, value) if tlv.type == kind else tlv for tlv in tlvs]

    parsed = parse(image)
    return reassemble(image, protected=swap(parsed.protected), unprotected=swap(parsed.unprotected))


def value_of(image: bytes, kind: TlvType) -> bytes:
    parsed = parse(image)
    return next(tlv.value for tlv in parsed.protected + parsed.unprotected if tlv.type == kind)


def aes_key_of(sealed: Sealed) -> bytes:
    """The key that the image is encrypted with, as only its recipient knows it."""
    return unwrap(read(sealed.image).wrapped, sealed.recipient)


def plain_image(sealed: Sealed) -> bytes:
    """The image as MCUboot hashes it: its payload in the clear, all else as it was."""
    return reassemble(sealed.image, payload=aes_ctr(aes_key_of(sealed), parse(sealed.image).payload))


def resealed(
    sealed: Sealed,
    *,
    plain: bytes | None = None,
    protected: Sequence[Tlv] | None = None,
    signer: Signer | None = None,
) -> bytes:
    """What a signer who cheats could make: other contents, hashed, signed and encrypted again under the same key."""
    key, signer = aes_key_of(sealed), signer or sealed.signer
    plain = aes_ctr(key, parse(sealed.image).payload) if plain is None else plain
    image = reassemble(sealed.image, payload=plain, protected=protected)
    parsed = parse(image)
    digest = hashlib.sha256(parsed.header_area + parsed.payload + parsed.protected_area).digest()
    signature = signer.sign_hash(digest)
    new = {
        TlvType.SHA256: digest,
        TlvType.KEY_HASH: bytes.fromhex(fingerprint(signer.public)),
        TlvType.ED25519: signature,
        TlvType.ECDSA: signature,
    }
    entries = [Tlv(tlv.type, 0, new.get(TlvType(tlv.type), tlv.value)) for tlv in parsed.unprotected]
    return reassemble(image, payload=aes_ctr(key, plain), unprotected=entries)


def _area(magic: int, tlvs: Sequence[Tlv]) -> bytes:
    body = b"".join(struct.pack("<HH", tlv.type, len(tlv.value)) + tlv.value for tlv in tlvs)
    return struct.pack("<HH", magic, len(body) + 4) + body


def flip(data: bytes, bit: int) -> bytes:
    """The data with one bit inverted; bit 0 is the lowest of the first byte."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def truncations(data: bytes) -> list[bytes]:
    """Every proper prefix."""
    return [data[:length] for length in range(len(data))]
