"""What an image sealed by `audit` must be: one exact set of TLVs in one order, and nothing that MCUboot would ignore.

Protected, in this order: security counter (0x50); optionally a dependency (0x40), the vendor's UUID (0x74) and, behind
that only, the device class's (0x75); verdict (0xA0), model (0xA1), policy (0xA2), audit log (0xA3). Unprotected, in
this order: SHA-256 (0x10), key hash (0x01), signature (ECDSA 0x22 or Ed25519 0x24), AES key (ECIES-P256 0x32 or
ECIES-X25519 0x33). Each exactly once.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from audit_pipeline.seal.ecies import EPHEMERAL_BYTES, MAC_BYTES, RecipientKind, WrappedKey, ephemeral_fault
from audit_pipeline.seal.parse import HEADER_BYTES, Header, ParsedImage, Tlv, TlvType, parse, rejected
from audit_pipeline.seal.settings import AesBits, Dependency
from audit_pipeline.seal.tlv_order import Place, in_order
from audit_pipeline.seal.version import ImageVersion

SignatureKind = Literal["ed25519", "p256"]

BLOCK_BYTES = 16

MODEL_TLV = struct.Struct("<I32s")
"""TLV 0xA1: u32 length of the .tflite in bytes, then its SHA-256."""

LOG_TLV = struct.Struct("<Q32s")
"""TLV 0xA3: u64 number of entries of the audit log, then the root hash over them."""

_COUNTER = struct.Struct("<I")
_DEPENDENCY = struct.Struct("<B3sBBHI")
_LOAD_ADDRESS_OFFSET = 4
_PAYLOAD_SIZE_OFFSET = 12
_FLAGS_OFFSET = 16

_AES_BITS: dict[int, AesBits] = {0x4: 128, 0x8: 256}
_SIGNATURES: dict[int, SignatureKind] = {TlvType.ECDSA: "p256", TlvType.ED25519: "ed25519"}
_WRAPPINGS: dict[int, RecipientKind] = {TlvType.ENC_P256: "p256", TlvType.ENC_X25519: "x25519"}


_PROTECTED = (
    Place((TlvType.SECURITY_COUNTER,)),
    Place((TlvType.DEPENDENCY,), optional=True),
    Place((TlvType.VENDOR,), optional=True),
    Place((TlvType.DEVICE_CLASS,), optional=True),
    Place((TlvType.VERDICT,)),
    Place((TlvType.MODEL,)),
    Place((TlvType.POLICY,)),
    Place((TlvType.LOG,)),
)
_UNPROTECTED = (
    Place((TlvType.SHA256,)),
    Place((TlvType.KEY_HASH,)),
    Place(tuple(_SIGNATURES)),
    Place(tuple(_WRAPPINGS)),
)
_LENGTHS: dict[int, int] = {
    TlvType.KEY_HASH: 32,
    TlvType.SHA256: 32,
    TlvType.ED25519: 64,
    TlvType.DEPENDENCY: _DEPENDENCY.size,
    TlvType.SECURITY_COUNTER: _COUNTER.size,
    TlvType.VENDOR: 16,
    TlvType.DEVICE_CLASS: 16,
    TlvType.VERDICT: 32,
    TlvType.MODEL: MODEL_TLV.size,
    TlvType.POLICY: 32,
    TlvType.LOG: LOG_TLV.size,
}
_ECDSA_LENGTHS = range(8, 73)
"""DER of two positive integers below 2^256: a SEQUENCE of two INTEGERs of 1 to 33 bytes."""


@dataclass(frozen=True)
class SealedImage:
    """An image of this profile, its values read but none of them believed yet. Digests are lower-case hexadecimal."""

    parsed: ParsedImage
    version: ImageVersion
    security_counter: int
    dependency: Dependency | None
    vendor_id: UUID | None
    class_id: UUID | None
    verdict_sha256: str
    """SHA-256 of the verdict attestation's payload."""
    model_bytes: int
    """Length of the .tflite before it was padded to whole blocks."""
    model_sha256: str
    policy_sha256: str
    log_size: int
    """Entries of the audit log at the checkpoint that the verdict names."""
    log_root: str
    image_hash: bytes
    """SHA-256 over header, plain payload and protected TLVs; what the signature signs."""
    key_hash: str
    """SHA-256 of the signer's public key in SubjectPublicKeyInfo DER."""
    signature_kind: SignatureKind
    signature: bytes
    """Ed25519: 64 bytes. P-256: ECDSA's (r, s) in DER."""
    aes_bits: AesBits
    wrapped: WrappedKey

    @property
    def recipient_kind(self) -> RecipientKind:
        """Which kind of key the image is encrypted for."""
        return self.wrapped.kind

    def where(self, kind: TlvType) -> str:
        """Place of an entry, for messages; every entry that this is asked for stands in the image."""
        tlv = next(tlv for tlv in self.parsed.protected + self.parsed.unprotected if tlv.type == kind)
        return f"byte {tlv.value_offset} of the image"


def read(image: bytes) -> SealedImage:
    """Parse an image and hold it against the profile.

    Raises:
        RejectedError: those of `parse.parse`, and `image.load-address`, `image.flags`, `image.payload-size`,
            `image.tlv-set`, `image.tlv-length`, `image.dependency`, `image.model-length`, `image.log-size`,
            `image.ephemeral-not-canonical`, `image.ephemeral-low-order` or `image.ephemeral-off-curve`.
    """
    return read_parsed(parse(image))


def read_parsed(parsed: ParsedImage) -> SealedImage:
    """As `read`, for an image that is parsed already."""
    aes_bits = _checked_aes_bits(parsed.header)
    payload_end = HEADER_BYTES + parsed.header.payload_bytes
    protected = _in_protected_order(parsed.protected, payload_end)
    unprotected_start = payload_end + parsed.header.protected_bytes
    unprotected = in_order(parsed.unprotected, _UNPROTECTED, "unprotected", unprotected_start)
    for tlv in parsed.protected + parsed.unprotected:
        _check_length(tlv, aes_bits)
    model_bytes, model_sha256 = _model(protected[TlvType.MODEL], parsed.header)
    log_size, log_root = _log(protected[TlvType.LOG])
    signature, wrapped = parsed.unprotected[-2:]
    return SealedImage(
        parsed=parsed,
        version=parsed.header.version,
        security_counter=_COUNTER.unpack(protected[TlvType.SECURITY_COUNTER].value)[0],
        dependency=_dependency(protected.get(TlvType.DEPENDENCY)),
        vendor_id=_uuid(protected.get(TlvType.VENDOR)),
        class_id=_uuid(protected.get(TlvType.DEVICE_CLASS)),
        verdict_sha256=protected[TlvType.VERDICT].value.hex(),
        model_bytes=model_bytes,
        model_sha256=model_sha256,
        policy_sha256=protected[TlvType.POLICY].value.hex(),
        log_size=log_size,
        log_root=log_root,
        image_hash=unprotected[TlvType.SHA256].value,
        key_hash=unprotected[TlvType.KEY_HASH].value.hex(),
        signature_kind=_SIGNATURES[signature.type],
        signature=signature.value,
        aes_bits=aes_bits,
        wrapped=_wrapped(wrapped),
    )


def _checked_aes_bits(header: Header) -> AesBits:
    if header.load_address:
        raise rejected("load-address", "a sealed image has no load address", _LOAD_ADDRESS_OFFSET)
    if header.flags not in _AES_BITS:
        raise rejected(
            "flags",
            f"flags are 0x{header.flags:08x}, a sealed image has AES-128 (0x4) or AES-256 (0x8) and nothing else",
            _FLAGS_OFFSET,
        )
    if header.payload_bytes == 0 or header.payload_bytes % BLOCK_BYTES:
        raise rejected(
            "payload-size",
            f"an encrypted payload is whole blocks of {BLOCK_BYTES} bytes, not {header.payload_bytes}",
            _PAYLOAD_SIZE_OFFSET,
        )
    return _AES_BITS[header.flags]


def _in_protected_order(found: tuple[Tlv, ...], start: int) -> dict[int, Tlv]:
    entries = in_order(found, _PROTECTED, "protected", start)
    if TlvType.DEVICE_CLASS in entries and TlvType.VENDOR not in entries:
        offset = entries[TlvType.DEVICE_CLASS].offset
        raise rejected("tlv-set", "the image names a device class (0x75) and no vendor (0x74)", offset)
    return entries


def _check_length(tlv: Tlv, aes_bits: AesBits) -> None:
    allowed = range(_LENGTHS[tlv.type], _LENGTHS[tlv.type] + 1) if tlv.type in _LENGTHS else _ECDSA_LENGTHS
    if tlv.type in _WRAPPINGS:
        length = EPHEMERAL_BYTES[_WRAPPINGS[tlv.type]] + MAC_BYTES + aes_bits // 8
        allowed = range(length, length + 1)
    if len(tlv.value) not in allowed:
        wanted = str(allowed[0]) if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"
        raise rejected("tlv-length", f"TLV 0x{tlv.type:02x} has {len(tlv.value)} bytes, not {wanted}", tlv.offset + 2)


def _model(tlv: Tlv, header: Header) -> tuple[int, str]:
    model_bytes, sha256 = MODEL_TLV.unpack(tlv.value)
    padded = -(-model_bytes // BLOCK_BYTES) * BLOCK_BYTES
    if padded != header.payload_bytes:
        raise rejected(
            "model-length",
            f"a model of {model_bytes} bytes fills {padded}, the payload has {header.payload_bytes}",
            tlv.value_offset,
        )
    return model_bytes, sha256.hex()


def _log(tlv: Tlv) -> tuple[int, str]:
    size, root = LOG_TLV.unpack(tlv.value)
    if size == 0:
        raise rejected("log-size", "an audit log that holds the image's findings is not empty", tlv.value_offset)
    return size, root.hex()


def _dependency(tlv: Tlv | None) -> Dependency | None:
    if tlv is None:
        return None
    image, padding, major, minor, revision, build = _DEPENDENCY.unpack(tlv.value)
    if any(padding):
        raise rejected("dependency", "the three bytes that pad a dependency are not zero", tlv.value_offset + 1)
    return Dependency(image, ImageVersion(major, minor, revision, build))


def _uuid(tlv: Tlv | None) -> UUID | None:
    return None if tlv is None else UUID(bytes=tlv.value)


def _wrapped(tlv: Tlv) -> WrappedKey:
    wrapped = WrappedKey.from_bytes(_WRAPPINGS[tlv.type], tlv.value)
    fault = ephemeral_fault(wrapped.kind, wrapped.ephemeral)
    if fault is not None:
        raise rejected(fault.code, fault.what, tlv.value_offset + fault.at)
    return wrapped
