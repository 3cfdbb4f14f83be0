"""Build a sealed MCUboot image, and open it again before anybody gets it.

imgtool would encrypt without a signing key, and take a signing key for the recipient and throw the image's key away.
Here both keys are required, of the right kind and not one and the same, and the image's AES key is watched for the
length of this function, so that the very bytes that are returned have been decrypted and compared with the model.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.seal.decrypt import plain_model
from audit_pipeline.seal.ecies import is_low_order, unwrap
from audit_pipeline.seal.image_signature import check_signature
from audit_pipeline.seal.imgtool_image import MadeImage, Order, image_hash, signed_image
from audit_pipeline.seal.keys.forms import RECIPIENT_PUBLIC, RecipientPublic, require_key, spki
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.profile import SealedImage, read
from audit_pipeline.seal.settings import Binding, SealSettings

_HASH_BYTES = 32


def build(
    tflite: bytes,
    *,
    signer: Signer,
    recipient: RecipientPublic,
    settings: SealSettings,
    binding: Binding,
) -> bytes:
    """The signed and encrypted image of a model.

    The AES key and the ephemeral key are new and random, so two images of one model differ.

    Raises:
        InputError: `keys.wrong-kind`, `keys.low-order`, `seal.one-key-two-roles`, `seal.empty-model` or
            `seal.slot-too-small`.
        ToolError: `signer.failed` and what the signer raises itself; `seal.imgtool` where imgtool refuses;
            `seal.self-check` where what it made does not hold.
    """
    check_pair(signer, require_key(recipient, RECIPIENT_PUBLIC))
    if not tflite:
        raise InputError("seal.empty-model", "there is no model to seal: the .tflite has no bytes")
    order = Order(tflite, signer.public, recipient, settings, binding)
    try:
        made = _signed(order, signer)
        _prove(made, order)
    except RejectedError as error:
        raise ToolError(
            "seal.self-check",
            f"the image that was just made does not hold and was thrown away: {error}",
            hint="report this, with the versions of imgtool and cryptography",
        ) from error
    return made.image


def check_pair(signer: Signer, recipient: RecipientPublic) -> None:
    """Refuse a pair of keys that no image is made for; whoever works for hours first may ask this before.

    Raises:
        InputError: `keys.low-order` or `seal.one-key-two-roles`.
    """
    if isinstance(recipient, X25519PublicKey) and is_low_order(recipient):
        raise InputError("keys.low-order", "nothing that is encrypted for this X25519 public key is secret")
    if spki(signer.public) == spki(recipient):
        raise InputError(
            "seal.one-key-two-roles",
            "the key that signs is also the one to encrypt for: every device would hold the signing key",
            hint="make the device a key of its own with audit keys new",
        )


def _signed(order: Order, signer: Signer) -> MadeImage:
    digest = image_hash(order)
    if len(digest) != _HASH_BYTES:
        raise RejectedError("image.hash", f"imgtool gave an image hash of {len(digest)} bytes, not {_HASH_BYTES}")
    return signed_image(order, signer.sign_hash(digest))


def _prove(made: MadeImage, order: Order) -> None:
    """Open the image with our own reader.

    That the recipient can unwrap the key cannot be shown without the recipient's private key. What is shown instead:
    the image holds what imgtool's wrapping gave for the recipient, and the same wrapping of the same key for a
    throw-away recipient can be unwrapped by our own code.

    Raises:
        RejectedError: something does not hold.
    """
    sealed = read(made.image)
    check_signature(sealed, [order.signer])
    if _values(sealed) != _ordered(order.settings, order.binding):
        raise RejectedError("image.values", "the image does not hold the values it was given")
    if sealed.wrapped != made.wrapped or unwrap(made.trial, made.trial_recipient) != made.aes_key:
        raise RejectedError("image.wrapped-key", "the image's key was not wrapped as it should be")
    if plain_model(sealed, made.aes_key) != order.tflite:
        raise RejectedError("image.model", "the decrypted payload is not the model")


def _values(sealed: SealedImage) -> tuple[object, ...]:
    return (
        sealed.version,
        sealed.security_counter,
        sealed.aes_bits,
        sealed.dependency,
        sealed.vendor_id,
        sealed.class_id,
        Binding(sealed.verdict_sha256, sealed.policy_sha256, sealed.log_size, sealed.log_root),
    )


def _ordered(settings: SealSettings, binding: Binding) -> tuple[object, ...]:
    return (
        settings.version,
        settings.security_counter,
        settings.aes_bits,
        settings.dependency,
        settings.vendor_id,
        settings.class_id,
        binding,
    )
