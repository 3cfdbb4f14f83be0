"""Open a sealed image: decrypt its payload and hold the plain bytes against everything the image says of them."""

from __future__ import annotations

import hashlib

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.ecies import aes_ctr, unwrap
from audit_pipeline.seal.keys.forms import RecipientPrivate
from audit_pipeline.seal.parse import HEADER_BYTES, TlvType
from audit_pipeline.seal.profile import SealedImage


def open_model(sealed: SealedImage, recipient: RecipientPrivate) -> bytes:
    """The exact .tflite in an image. The signature over the image hash is the caller's to check.

    Raises:
        RejectedError: `image.wrong-recipient`, `image.hash`, `image.padding` or `image.model`.
        InputError: `keys.wrong-kind`, this key receives nothing.
    """
    return plain_model(sealed, unwrap(sealed.wrapped, recipient))


def plain_model(sealed: SealedImage, aes_key: bytes) -> bytes:
    """As `open_model`, for the AES key itself.

    The hash covers header, plain payload and protected TLVs, so a bit that was altered in any of them ends here.
    """
    plain = aes_ctr(aes_key, sealed.parsed.payload)
    digest = hashlib.sha256(sealed.parsed.header_area + plain + sealed.parsed.protected_area).digest()
    if digest != sealed.image_hash:
        raise RejectedError(
            "image.hash",
            "the image hash does not fit the decrypted image: header, payload or protected TLVs were altered",
            where=sealed.where(TlvType.SHA256),
            hint="get the image again from its maker",
        )
    model, padding = plain[: sealed.model_bytes], plain[sealed.model_bytes :]
    if any(padding):
        raise RejectedError(
            "image.padding",
            "the bytes that fill the last block are not zero",
            where=f"byte {HEADER_BYTES + sealed.model_bytes} of the image",
        )
    if hashlib.sha256(model).hexdigest() != sealed.model_sha256:
        raise RejectedError(
            "image.model",
            "the model in the image is not the one that TLV 0xA1 names",
            where=sealed.where(TlvType.MODEL),
        )
    return model
