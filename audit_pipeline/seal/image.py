"""Build a sealed MCUboot image with imgtool as a library, and open it again before anybody gets it.

imgtool would encrypt without a signing key, take a signing key for the recipient and throw the image's key away,
print to stdout, and end in click's exceptions. Here both keys are required and of one kind each, stdout is captured,
and the image's AES key is watched for the length of this function, so that the very bytes that are returned have
been decrypted and compared with the model.
"""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.seal.decrypt import plain_model
from audit_pipeline.seal.ecies import WrappedKey, is_low_order, unwrap
from audit_pipeline.seal.key_forms import RECIPIENT_PUBLIC, SIGNER, require_key
from audit_pipeline.seal.parse import HEADER_BYTES, TlvType
from audit_pipeline.seal.profile import MODEL_TLV, read
from audit_pipeline.seal.verify import check_signature
from audit_pipeline.seal.version import ImageVersion

_COUNTER_LIMIT = 0xFFFF_FFFF
_AES_BITS = 128
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SealSettings:
    """What the maker chooses for an image.

    Raises:
        InputError: `seal.counter-range` or `seal.slot-range`.
    """

    version: ImageVersion
    security_counter: int
    """u32; a bootloader with rollback protection refuses an image whose counter is below the last one it accepted."""
    slot_bytes: int | None = None
    """Flash of the image slot, which must also hold MCUboot's trailer; None where it is not known."""

    def __post_init__(self) -> None:
        if not 0 <= self.security_counter <= _COUNTER_LIMIT:
            raise InputError(
                "seal.counter-range", f"the security counter is a u32, and {self.security_counter} is not one"
            )
        if self.slot_bytes is not None and self.slot_bytes <= 0:
            raise InputError("seal.slot-range", f"an image slot of {self.slot_bytes} bytes holds nothing")


@dataclass(frozen=True)
class Binding:
    """What allowed the image: SHA-256 of the verdict attestation's payload and of the policy file.

    Raises:
        ValueError: one of them is not a SHA-256 in lower-case hexadecimal.
    """

    verdict_sha256: str
    policy_sha256: str

    def __post_init__(self) -> None:
        for digest in (self.verdict_sha256, self.policy_sha256):
            if not _SHA256.fullmatch(digest):
                raise ValueError("a digest is 64 lower-case hexadecimal digits")


@dataclass(frozen=True)
class _Made:
    """imgtool's bytes, and the key it encrypted them with and how it wrapped that; never leaves this module."""

    image: bytes
    aes_key: bytes
    wrapped: WrappedKey
    trial: bytes
    """The same key, wrapped by imgtool for a throw-away recipient and unwrapped by our own code."""


def build(
    tflite: bytes,
    *,
    signer: Ed25519PrivateKey,
    recipient: X25519PublicKey,
    settings: SealSettings,
    binding: Binding,
) -> bytes:
    """The signed and encrypted image of a model.

    The AES key and the ephemeral key are new and random, so two images of one model differ.

    Raises:
        InputError: `keys.wrong-kind`, `keys.low-order`, `seal.empty-model` or `seal.slot-too-small`.
        ToolError: `seal.imgtool` where imgtool refuses, `seal.self-check` where what it made does not hold.
    """
    require_key(signer, SIGNER)
    if is_low_order(require_key(recipient, RECIPIENT_PUBLIC)):
        raise InputError("keys.low-order", "nothing that is encrypted for this X25519 public key is secret")
    if not tflite:
        raise InputError("seal.empty-model", "there is no model to seal: the .tflite has no bytes")
    try:
        made = _make(tflite, signer, recipient, settings, binding)
        _prove(made, tflite, signer, settings, binding)
    except RejectedError as error:
        raise ToolError(
            "seal.self-check",
            f"the image that was just made does not hold and was thrown away: {error}",
            hint="report this, with the versions of imgtool and cryptography",
        ) from error
    return made.image


def _make(
    tflite: bytes,
    signer: Ed25519PrivateKey,
    recipient: X25519PublicKey,
    settings: SealSettings,
    binding: Binding,
) -> _Made:
    import click
    from imgtool.keys import Ed25519, X25519Public

    made, wrappings = _watched_image(settings)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            # imgtool's way to load a buffer; its `load` reads files only. Nothing is compressed.
            made.load_compressed(tflite, b"")
            made.create(
                Ed25519(signer),
                "hash",
                X25519Public(recipient),
                custom_tlvs=_custom_tlvs(tflite, binding),
                encrypt_keylen=_AES_BITS,
            )
    except click.ClickException as error:
        raise ToolError("seal.imgtool", f"imgtool refused to make the image: {error.format_message()}") from error
    if len(wrappings) != 1:
        raise RejectedError("image.wrapped-key", f"imgtool wrapped {len(wrappings)} keys, not one")
    _check_slot(made, settings.slot_bytes)
    aes_key, wrapped = wrappings[0]
    return _Made(bytes(made.payload), aes_key, wrapped, _unwrapped_by_throw_away(made, aes_key))


def _watched_image(settings: SealSettings) -> tuple[Any, list[tuple[bytes, WrappedKey]]]:
    """An empty imgtool image, and the list that every AES key it wraps will be put on, with how it was wrapped."""
    from imgtool.image import Image
    from imgtool.version import SemiSemVersion

    version = settings.version
    made = Image(
        version=SemiSemVersion(version.major, version.minor, version.revision, version.build),
        header_size=HEADER_BYTES,
        pad_header=True,
        endian="little",
        security_counter=settings.security_counter,
    )
    wrappings: list[tuple[bytes, WrappedKey]] = []
    wrap = made.ecies_hkdf

    def watched(enckey: Any, plainkey: bytes, hmac_sha_alg: Any) -> tuple[bytes, bytes, bytes]:
        ciphertext, mac, ephemeral = wrap(enckey, plainkey, hmac_sha_alg)
        wrappings.append((plainkey, WrappedKey(ephemeral, mac, ciphertext)))
        return ciphertext, mac, ephemeral

    made.ecies_hkdf = watched
    return made, wrappings


def _unwrapped_by_throw_away(made: Any, aes_key: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from imgtool.keys import X25519Public

    throw_away = X25519PrivateKey.generate()
    ciphertext, mac, ephemeral = made.ecies_hkdf(X25519Public(throw_away.public_key()), aes_key, SHA256())
    return unwrap(WrappedKey(ephemeral, mac, ciphertext), throw_away)


def _custom_tlvs(tflite: bytes, binding: Binding) -> dict[int, bytes]:
    return {
        int(TlvType.VERDICT): bytes.fromhex(binding.verdict_sha256),
        int(TlvType.MODEL): MODEL_TLV.pack(len(tflite), bytes.fromhex(sha256_hex(tflite))),
        int(TlvType.POLICY): bytes.fromhex(binding.policy_sha256),
    }


def _check_slot(made: Any, slot_bytes: int | None) -> None:
    """Ask imgtool for its sum of image and trailer, once the image is made: then it is the only possible cause."""
    import click

    made.slot_size = slot_bytes or 0
    try:
        made.check_trailer()
    except click.UsageError as error:
        raise InputError(
            "seal.slot-too-small",
            f"the image does not fit its slot of {slot_bytes} bytes: {error.format_message()}",
            hint="give a larger slot or a smaller model",
        ) from None


def _prove(made: _Made, tflite: bytes, signer: Ed25519PrivateKey, settings: SealSettings, binding: Binding) -> None:
    """Open the image with our own reader.

    That the recipient can unwrap the key cannot be shown without the recipient's private key. What is shown instead:
    the image holds what imgtool's wrapping gave for the recipient, and the same wrapping of the same key for a
    throw-away recipient was unwrapped by our own code.

    Raises:
        RejectedError: something does not hold.
    """
    sealed = read(made.image)
    check_signature(sealed, signer.public_key())
    expected = (settings.version, settings.security_counter, binding.verdict_sha256, binding.policy_sha256)
    if (sealed.version, sealed.security_counter, sealed.verdict_sha256, sealed.policy_sha256) != expected:
        raise RejectedError("image.values", "the image does not hold the version, counter and digests it was given")
    if sealed.wrapped != made.wrapped or made.trial != made.aes_key:
        raise RejectedError("image.wrapped-key", "the image's key was not wrapped as it should be")
    if plain_model(sealed, made.aes_key) != tflite:
        raise RejectedError("image.model", "the decrypted payload is not the model")
