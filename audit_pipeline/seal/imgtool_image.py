"""imgtool as a library: the one module that imports it, and that knows how it has to be held.

It prints to stdout, ends in click's exceptions, and takes any key for any other; what comes out is captured,
translated, and given keys whose kind was checked. It never sees the signing key: it says the image hash, and is given
the signature of it (`imgtool sign --vector-to-sign digest`, then `--fix-sig`), so a token signs as well as a file.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.seal.ecies import RecipientKind, WrappedKey, recipient_kind
from audit_pipeline.seal.keys.forms import AnyPublic, RecipientPrivate, RecipientPublic, SignerPublic, kind_of
from audit_pipeline.seal.parse import HEADER_BYTES, TlvType
from audit_pipeline.seal.profile import LOG_TLV, MODEL_TLV
from audit_pipeline.seal.settings import Binding, SealSettings

_COUNTED_KEY_BYTES = 16


@dataclass(frozen=True)
class Order:
    """What imgtool is to make; every key of a kind that was checked."""

    tflite: bytes
    signer: SignerPublic
    recipient: RecipientPublic
    settings: SealSettings
    binding: Binding


@dataclass(frozen=True)
class MadeImage:
    """imgtool's bytes, and the AES key it encrypted them with and how it wrapped that."""

    image: bytes
    wrapped: WrappedKey
    aes_key: bytes = field(repr=False)
    trial: WrappedKey
    """The same key, wrapped by the same code for `trial_recipient`."""
    trial_recipient: RecipientPrivate = field(repr=False)
    """A throw-away key of the recipient's kind."""


def image_hash(order: Order) -> bytes:
    """The SHA-256 that has to be signed: over header, plain payload and protected TLVs.

    Raises:
        ToolError: `seal.imgtool`.
    """
    image = _empty_image(order.settings)
    _create(image, order, vector_to_sign="digest")
    return bytes(image.payload)


def signed_image(order: Order, signature: bytes) -> MadeImage:
    """The image with a signature over its hash, encrypted under a new key.

    Raises:
        InputError: `seal.slot-too-small`.
        RejectedError: `image.wrapped-key`, imgtool wrapped no key, or more than one.
        ToolError: `seal.imgtool`.
    """
    image = _empty_image(order.settings)
    kind = recipient_kind(order.recipient)
    wrappings = _watch(image, kind)
    _create(image, order, fixed_sig={"value": signature})
    if len(wrappings) != 1:
        raise RejectedError("image.wrapped-key", f"imgtool wrapped {len(wrappings)} keys, not one")
    _check_slot(image, order.settings)
    throw_away = X25519PrivateKey.generate() if kind == "x25519" else generate_private_key(SECP256R1())
    aes_key, wrapped = wrappings[0]
    return MadeImage(bytes(image.payload), wrapped, aes_key, _wrap(image, throw_away.public_key(), aes_key), throw_away)


def _empty_image(settings: SealSettings) -> Any:
    from imgtool.image import Image
    from imgtool.version import SemiSemVersion

    version, vendor, device_class = settings.version, settings.vendor_id, settings.class_id
    return Image(
        version=SemiSemVersion(version.major, version.minor, version.revision, version.build),
        header_size=HEADER_BYTES,
        pad_header=True,
        endian="little",
        security_counter=settings.security_counter,
        # Text in the form of a UUID goes in as that UUID.
        vid=vendor and str(vendor),
        cid=device_class and str(device_class),
    )


def _create(image: Any, order: Order, **how: Any) -> None:
    import click

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            # imgtool's way to load a buffer; its `load` reads files only. Nothing is compressed.
            image.load_compressed(order.tflite, b"")
            image.create(
                None,
                "hash",
                _imgtool_key(order.recipient),
                pub_key=_imgtool_key(order.signer),
                dependencies=_dependencies(order.settings),
                custom_tlvs=_custom_tlvs(order.tflite, order.binding),
                encrypt_keylen=order.settings.aes_bits,
                **how,
            )
    except click.ClickException as error:
        raise ToolError("seal.imgtool", f"imgtool refused to make the image: {error.format_message()}") from error


def _imgtool_key(public: AnyPublic) -> Any:
    from imgtool.keys import ECDSA256P1Public, Ed25519Public, X25519Public

    return {"ed25519": Ed25519Public, "p256": ECDSA256P1Public, "x25519": X25519Public}[kind_of(public)](public)


def _dependencies(settings: SealSettings) -> dict[str, list[Any]] | None:
    from imgtool.image import DEP_IMAGES_KEY, DEP_VERSIONS_KEY

    least = settings.dependency
    return None if least is None else {DEP_IMAGES_KEY: [least.image], DEP_VERSIONS_KEY: [least.version]}


def _custom_tlvs(tflite: bytes, binding: Binding) -> dict[int, bytes]:
    return {
        int(TlvType.VERDICT): bytes.fromhex(binding.verdict_sha256),
        int(TlvType.MODEL): MODEL_TLV.pack(len(tflite), bytes.fromhex(sha256_hex(tflite))),
        int(TlvType.POLICY): bytes.fromhex(binding.policy_sha256),
        int(TlvType.LOG): LOG_TLV.pack(binding.log_size, bytes.fromhex(binding.log_root)),
    }


def _watch(image: Any, kind: RecipientKind) -> list[tuple[bytes, WrappedKey]]:
    """The list that every AES key this image wraps will be put on, with how it was wrapped."""
    wrappings: list[tuple[bytes, WrappedKey]] = []
    wrap = image.ecies_hkdf

    def watched(enckey: Any, plainkey: bytes, hmac_sha_alg: Any) -> tuple[bytes, bytes, bytes]:
        ciphertext, mac, ephemeral = wrap(enckey, plainkey, hmac_sha_alg)
        wrappings.append((plainkey, WrappedKey(kind, ephemeral, mac, ciphertext)))
        return ciphertext, mac, ephemeral

    image.ecies_hkdf = watched
    return wrappings


def _wrap(image: Any, recipient: RecipientPublic, aes_key: bytes) -> WrappedKey:
    from cryptography.hazmat.primitives.hashes import SHA256

    ciphertext, mac, ephemeral = image.ecies_hkdf(_imgtool_key(recipient), aes_key, SHA256())
    return WrappedKey(recipient_kind(recipient), ephemeral, mac, ciphertext)


def _check_slot(image: Any, settings: SealSettings) -> None:
    """Ask imgtool for its sum of image and trailer, once the image is made: then it is the only possible cause.

    imgtool counts 16 bytes for each of the two AES keys that MCUboot keeps in the trailer while it swaps, whatever
    their length (`Image._trailer_size`), so what AES-256 needs beyond that comes off the slot.
    """
    import click

    if settings.slot_bytes is None:
        return
    uncounted = 2 * (settings.aes_bits // 8 - _COUNTED_KEY_BYTES)
    # To imgtool a slot of 0 is one that need not be checked.
    image.slot_size = max(1, settings.slot_bytes - uncounted)
    try:
        image.check_trailer()
    except click.UsageError:
        raise InputError(
            "seal.slot-too-small",
            f"an image of {len(image.payload)} bytes and the bootloader's trailer do not fit the slot of "
            f"{settings.slot_bytes} bytes",
            hint="give a larger slot or a smaller model",
        ) from None
