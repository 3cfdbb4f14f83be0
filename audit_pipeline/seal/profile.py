"""What an image sealed by `audit` must be: one exact set of TLVs in one order, and nothing that MCUboot would ignore.

Protected, in this order: security counter (0x50), verdict (0xA0), model (0xA1), policy (0xA2).
Unprotected, in this order: SHA-256 (0x10), key hash (0x01), Ed25519 signature (0x24), ECIES-X25519 key (0x33).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from audit_pipeline.seal.ecies import WRAPPED_BYTES, WrappedKey, is_canonical, is_low_order
from audit_pipeline.seal.parse import HEADER_BYTES, ParsedImage, Tlv, TlvType, parse, rejected
from audit_pipeline.seal.version import ImageVersion

BLOCK_BYTES = 16
FLAG_ENCRYPTED_AES128 = 0x4

MODEL_TLV = struct.Struct("<I32s")
"""TLV 0xA1: u32 length of the .tflite in bytes, then its SHA-256."""

_COUNTER = struct.Struct("<I")
_LOAD_ADDRESS_OFFSET = 4
_PAYLOAD_SIZE_OFFSET = 12
_FLAGS_OFFSET = 16
_TLV_HEAD_BYTES = 4

_PROTECTED = (
    (TlvType.SECURITY_COUNTER, _COUNTER.size),
    (TlvType.VERDICT, 32),
    (TlvType.MODEL, MODEL_TLV.size),
    (TlvType.POLICY, 32),
)
_UNPROTECTED = (
    (TlvType.SHA256, 32),
    (TlvType.KEY_HASH, 32),
    (TlvType.ED25519, 64),
    (TlvType.ENC_X25519, WRAPPED_BYTES),
)


@dataclass(frozen=True)
class SealedImage:
    """An image of this profile, its values read but none of them believed yet. Digests are lower-case hexadecimal."""

    parsed: ParsedImage
    version: ImageVersion
    security_counter: int
    verdict_sha256: str
    """SHA-256 of the verdict attestation's payload."""
    model_bytes: int
    """Length of the .tflite before it was padded to whole blocks."""
    model_sha256: str
    policy_sha256: str
    image_hash: bytes
    """SHA-256 over header, plain payload and protected TLVs; what the signature signs."""
    key_hash: str
    """SHA-256 of the signer's public key in SubjectPublicKeyInfo DER."""
    signature: bytes
    wrapped: WrappedKey


def read(image: bytes) -> SealedImage:
    """Parse an image and hold it against the profile.

    Raises:
        RejectedError: those of `parse.parse`, and `image.load-address`, `image.flags`, `image.payload-size`,
            `image.tlv-set`, `image.tlv-length`, `image.model-length`, `image.ephemeral-not-canonical` or
            `image.ephemeral-low-order`.
    """
    return read_parsed(parse(image))


def read_parsed(parsed: ParsedImage) -> SealedImage:
    """As `read`, for an image that is parsed already."""
    _check_header(parsed)
    counter, verdict, model, policy = _exactly(parsed.protected, _PROTECTED, "protected")
    image_hash, key_hash, signature, wrapped = _exactly(parsed.unprotected, _UNPROTECTED, "unprotected")
    model_bytes, model_sha256 = MODEL_TLV.unpack(model.value)
    padded = -(-model_bytes // BLOCK_BYTES) * BLOCK_BYTES
    if padded != parsed.header.payload_bytes:
        raise rejected(
            "model-length",
            f"a model of {model_bytes} bytes fills {padded}, the payload has {parsed.header.payload_bytes}",
            model.offset + _TLV_HEAD_BYTES,
        )
    return SealedImage(
        parsed=parsed,
        version=parsed.header.version,
        security_counter=_COUNTER.unpack(counter.value)[0],
        verdict_sha256=verdict.value.hex(),
        model_bytes=model_bytes,
        model_sha256=model_sha256.hex(),
        policy_sha256=policy.value.hex(),
        image_hash=image_hash.value,
        key_hash=key_hash.value.hex(),
        signature=signature.value,
        wrapped=_wrapped(wrapped),
    )


def _check_header(parsed: ParsedImage) -> None:
    header = parsed.header
    if header.load_address:
        raise rejected("load-address", "a sealed image has no load address", _LOAD_ADDRESS_OFFSET)
    if header.flags != FLAG_ENCRYPTED_AES128:
        raise rejected(
            "flags", f"flags are 0x{header.flags:08x}, a sealed image has AES-128 encryption only (0x4)", _FLAGS_OFFSET
        )
    if header.payload_bytes == 0 or header.payload_bytes % BLOCK_BYTES:
        raise rejected(
            "payload-size",
            f"an encrypted payload is whole blocks of {BLOCK_BYTES} bytes, not {header.payload_bytes}",
            _PAYLOAD_SIZE_OFFSET,
        )


def _exactly(found: tuple[Tlv, ...], wanted: tuple[tuple[TlvType, int], ...], area: str) -> tuple[Tlv, ...]:
    """The entries, if they are the wanted ones, each once, in order and of the right length."""
    types = [f"0x{kind:02x}" for kind, _ in wanted]
    if [tlv.type for tlv in found] != [kind for kind, _ in wanted]:
        raise rejected(
            "tlv-set",
            f"the {area} TLVs are [{', '.join(f'0x{tlv.type:02x}' for tlv in found)}], not [{', '.join(types)}]",
            _first_difference(found, wanted),
        )
    for tlv, (kind, length) in zip(found, wanted, strict=True):
        if len(tlv.value) != length:
            raise rejected("tlv-length", f"TLV 0x{kind:02x} has {len(tlv.value)} bytes, not {length}", tlv.offset + 2)
    return found


def _first_difference(found: tuple[Tlv, ...], wanted: tuple[tuple[TlvType, int], ...]) -> int:
    for tlv, (kind, _) in zip(found, wanted, strict=False):
        if tlv.type != kind:
            return tlv.offset
    if len(found) > len(wanted):
        return found[len(wanted)].offset
    return found[-1].offset + _TLV_HEAD_BYTES + len(found[-1].value) if found else HEADER_BYTES


def _wrapped(tlv: Tlv) -> WrappedKey:
    wrapped = WrappedKey.from_bytes(tlv.value)
    at = tlv.offset + _TLV_HEAD_BYTES
    if not is_canonical(wrapped.ephemeral):
        raise rejected("ephemeral-not-canonical", "the ephemeral X25519 key is not in its one canonical form", at)
    if is_low_order(wrapped.ephemeral):
        raise rejected("ephemeral-low-order", "the ephemeral X25519 key gives an all-zero shared secret", at)
    return wrapped
