"""Whether an image is signed by a key that the trust file revokes, which is not merely a key that nobody knows.

Such a key is in no role, so the image would be refused as another stranger's. Whoever is told only that would look for
its public key, and find the thief's.
"""

from __future__ import annotations

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.parse import TlvType
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.trust.listing import name_of
from audit_pipeline.seal.trust.schema import TrustDocument


def require_unrevoked_signer(image: bytes, document: TrustDocument) -> None:
    """Refuse an image that names a revoked key.

    Args:
        image: the whole file.
        document: a trust file that is believed.

    Raises:
        RejectedError: `image.wrong-signer`; or the image is no sealed one (see `profile.read`).
    """
    sealed = read(image)
    revoked = next((entry for entry in document.revoked if entry.fingerprint == sealed.key_hash), None)
    if revoked is None:
        return
    name = name_of(document, sealed.key_hash)
    key = f"{name} ({sealed.key_hash[:16]}…)" if name else f"{sealed.key_hash[:16]}…"
    raise RejectedError(
        "image.wrong-signer",
        f"the image names signing key {key}, which was revoked on {revoked.at[:10]}: {revoked.reason}",
        where=sealed.where(TlvType.KEY_HASH),
        hint="have it released again with a key that counts",
    )
