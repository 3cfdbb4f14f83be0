"""An image as plain values for `audit inspect`: what it says of itself, none of it verified, no key needed."""

from __future__ import annotations

from typing import Any

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.ecies import WRAPPING_NAMES
from audit_pipeline.seal.image_signature import SIGNATURE_NAMES
from audit_pipeline.seal.parse import ParsedImage, Tlv, TlvType, parse
from audit_pipeline.seal.profile import SealedImage, read_parsed
from audit_pipeline.seal.settings import Dependency

_NAMES = {
    TlvType.KEY_HASH: "SHA-256 of the signer's public key",
    TlvType.SHA256: "image hash (SHA-256 over header, plain payload and protected TLVs)",
    TlvType.ECDSA: "ECDSA-P256 signature over the image hash",
    TlvType.ED25519: "Ed25519 signature over the image hash",
    TlvType.ENC_P256: "AES key, wrapped for the recipient (ECIES-P256)",
    TlvType.ENC_X25519: "AES key, wrapped for the recipient (ECIES-X25519)",
    TlvType.DEPENDENCY: "dependency: least version of another image",
    TlvType.SECURITY_COUNTER: "security counter",
    TlvType.VENDOR: "vendor's UUID",
    TlvType.DEVICE_CLASS: "device class's UUID",
    TlvType.VERDICT: "SHA-256 of the verdict attestation's payload",
    TlvType.MODEL: "model length and SHA-256",
    TlvType.POLICY: "SHA-256 of the policy",
    TlvType.LOG: "size and root of the audit log",
}


def describe(image: bytes) -> dict[str, Any]:
    """Header, TLVs and, for an image of `audit`'s own profile, the values it holds.

    An MCUboot image of another profile is described too; `sealed` is then null and `departs` says where it departs.

    Raises:
        RejectedError: these bytes are not an MCUboot image at all, or a damaged one (see `parse.parse`).
    """
    parsed = parse(image)
    sealed, departs = _profile(parsed)
    header = parsed.header
    return {
        "image_bytes": len(image),
        "image_sha256": sha256_hex(image),
        "header": {
            "version": str(header.version),
            "flags": f"0x{header.flags:08x}",
            "load_address": f"0x{header.load_address:08x}",
            "header_bytes": header.header_bytes,
            "payload_bytes": header.payload_bytes,
            "protected_bytes": header.protected_bytes,
        },
        "protected": [_entry(tlv) for tlv in parsed.protected],
        "unprotected": [_entry(tlv) for tlv in parsed.unprotected],
        "sealed": _values(sealed) if sealed else None,
        "departs": departs,
    }


def _profile(parsed: ParsedImage) -> tuple[SealedImage | None, str | None]:
    try:
        return read_parsed(parsed), None
    except RejectedError as error:
        return None, str(error)


def _entry(tlv: Tlv) -> dict[str, Any]:
    return {
        "type": f"0x{tlv.type:02x}",
        "name": _NAMES[TlvType(tlv.type)] if tlv.type in _NAMES else "unknown",
        "offset": tlv.offset,
        "bytes": len(tlv.value),
        "value": tlv.value.hex(),
    }


def _values(sealed: SealedImage) -> dict[str, Any]:
    return {
        "version": str(sealed.version),
        "security_counter": sealed.security_counter,
        "vendor_id": sealed.vendor_id and str(sealed.vendor_id),
        "class_id": sealed.class_id and str(sealed.class_id),
        "dependency": _dependency(sealed.dependency),
        "model_bytes": sealed.model_bytes,
        "model_sha256": sealed.model_sha256,
        "policy_sha256": sealed.policy_sha256,
        "verdict_sha256": sealed.verdict_sha256,
        "log_size": sealed.log_size,
        "log_root": sealed.log_root,
        "signer": sealed.key_hash,
        "image_hash": sealed.image_hash.hex(),
        "signature": SIGNATURE_NAMES[sealed.signature_kind],
        "encryption": f"{WRAPPING_NAMES[sealed.recipient_kind]}, AES-{sealed.aes_bits}-CTR",
    }


def _dependency(dependency: Dependency | None) -> dict[str, Any] | None:
    return None if dependency is None else {"image": dependency.image, "version": str(dependency.version)}
