"""A seal in words: by what it was signed and encrypted, and for which device."""

from __future__ import annotations

from audit_pipeline.seal_part import SealPart

_SIGNATURES = {"ed25519": "Ed25519", "p256": "ECDSA P-256"}
_ENCRYPTIONS = {"x25519": "ECIES-X25519", "p256": "ECIES-P256"}


def algorithms(seal: SealPart) -> str:
    """How the image is signed and encrypted."""
    return (
        f"signed with {_SIGNATURES[seal.signature]}, encrypted with {_ENCRYPTIONS[seal.encryption]} and "
        f"AES-{seal.aes_bits}-CTR"
    )


def device(seal: SealPart) -> str:
    """The device, and what it is to have beside the image."""
    named, needed = seal.device, seal.device.depends_on if seal.device else None
    words = "whichever holds the key below"
    if named is not None and named.vendor is not None:
        words = f"{named.vendor}, class {named.class_}" if named.class_ is not None else f"any of {named.vendor}"
    return f"{words}; with image {needed.image} of version {needed.version} or later" if needed else words
