"""The signature of an image: what MCUboot checks, and that algorithm, key hash and key belong together."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.keys.forms import SIGNER_PUBLIC, SignerPublic, fingerprint, kind_of, require_key
from audit_pipeline.seal.keys.signer import signature_holds
from audit_pipeline.seal.parse import TlvType
from audit_pipeline.seal.profile import SealedImage, SignatureKind

SIGNATURE_TLVS: dict[SignatureKind, TlvType] = {"ed25519": TlvType.ED25519, "p256": TlvType.ECDSA}
SIGNATURE_NAMES: dict[SignatureKind, str] = {"ed25519": "Ed25519", "p256": "ECDSA-P256"}


def check_signature(sealed: SealedImage, trusted: Sequence[SignerPublic]) -> SignerPublic:
    """The trusted key that signed the image hash.

    Raises:
        RejectedError: `image.wrong-signer`, the key hash is of none of them; `image.signature-kind`, the signature is
            not of that key's algorithm; or `image.signature`.
        InputError: `keys.wrong-kind`, a key that no signature is checked with.
    """
    by_hash = {fingerprint(require_key(key, SIGNER_PUBLIC)): key for key in trusted}
    key = by_hash.get(sealed.key_hash)
    if key is None:
        names = ", ".join(f"{digest[:16]}…" for digest in by_hash)
        raise RejectedError(
            "image.wrong-signer",
            f"the image names signing key {sealed.key_hash[:16]}…, trusted is {names or 'none'}",
            where=sealed.where(TlvType.KEY_HASH),
            hint="get the maker's current public key from them, not from whoever sent the image",
        )
    where = sealed.where(SIGNATURE_TLVS[sealed.signature_kind])
    if kind_of(key) != sealed.signature_kind:
        raise RejectedError(
            "image.signature-kind",
            f"the signature is {SIGNATURE_NAMES[sealed.signature_kind]}, the key that the image names is not",
            where=where,
        )
    if not signature_holds(key, sealed.signature, sealed.image_hash):
        raise RejectedError(
            "image.signature",
            "the signature does not fit the image hash, or is not in its one canonical form",
            where=where,
            hint="get the image again from its maker",
        )
    return key
