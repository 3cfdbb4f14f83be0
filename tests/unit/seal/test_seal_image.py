from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import imgtool.image
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from imgtool.keys import Ed25519Public
from sealed_samples import SETTINGS, Sealed, seal_model

from audit_pipeline.errors import AuditError, InputError, ToolError
from audit_pipeline.seal.decrypt import open_model
from audit_pipeline.seal.ecies import aes_ctr, unwrap
from audit_pipeline.seal.image import Binding, SealSettings, build
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.version import ImageVersion

BINDING = Binding("a0" * 32, "a2" * 32)


def build_with(**changed: Any) -> bytes:
    given: dict[str, Any] = {
        "signer": Ed25519PrivateKey.generate(),
        "recipient": X25519PrivateKey.generate().public_key(),
        "settings": SETTINGS,
        "binding": BINDING,
    }
    return build(changed.pop("tflite", bytes(64)), **(given | changed))


def code_of(**changed: Any) -> str:
    with pytest.raises(AuditError) as caught:
        build_with(**changed)
    return caught.value.code


@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 1000, 4097])
def test_the_recipient_gets_the_exact_model_without_its_padding(size: int) -> None:
    sealed = seal_model(size)
    assert open_model(read(sealed.image), sealed.recipient) == sealed.model
    assert len(sealed.image) == 384 + -(-size // 16) * 16


def test_the_payload_is_encrypted(small: Sealed) -> None:
    for start in range(len(small.model) - 7):
        assert small.model[start : start + 8] not in small.image


def test_two_images_of_one_model_share_neither_key_nor_ephemeral() -> None:
    signer, recipient = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    first, second = (read(seal_model(64, signer=signer, recipient=recipient).image) for _ in range(2))
    assert first.image_hash == second.image_hash
    assert first.wrapped.ephemeral != second.wrapped.ephemeral
    assert unwrap(first.wrapped, recipient) != unwrap(second.wrapped, recipient)


def test_imgtool_verifies_the_image_once_it_is_decrypted(small: Sealed, tmp_path: Path) -> None:
    # imgtool cannot check an encrypted image; header and flags stay as they are, only the payload is made plain.
    sealed = read(small.image)
    plain = aes_ctr(unwrap(sealed.wrapped, small.recipient), sealed.parsed.payload)
    path = tmp_path / "plain.bin"
    path.write_bytes(small.image[:32] + plain + small.image[32 + len(plain) :])
    key = Ed25519Public(small.signer.public_key())
    result, version, digest, _ = imgtool.image.Image.verify(str(path), key)
    assert result == imgtool.image.VerifyResult.OK
    assert (version, digest) == ((1, 4, 0, 7), sealed.image_hash)


def test_the_extreme_version_and_counter_fit() -> None:
    settings = SealSettings(ImageVersion(0xFF, 0xFF, 0xFFFF, 0xFFFF_FFFF), 0xFFFF_FFFF)
    sealed = read(build_with(settings=settings))
    assert (sealed.version, sealed.security_counter) == (settings.version, settings.security_counter)
    assert read(build_with(settings=SealSettings(ImageVersion(0, 0, 0), 0))).security_counter == 0


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    build_with()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("counter", [-1, 1 << 32])
def test_a_counter_that_is_no_u32_is_refused(counter: int) -> None:
    with pytest.raises(InputError) as caught:
        SealSettings(ImageVersion(1, 0, 0), counter)
    assert caught.value.code == "seal.counter-range"


@pytest.mark.parametrize("digest", ["", "ab", "g" * 64, "a0" * 33, "a0 " * 32, "A0" * 32])
def test_a_binding_takes_sha256_digests_only(digest: str) -> None:
    with pytest.raises(ValueError):
        Binding(digest, "a2" * 32)
    with pytest.raises(ValueError):
        Binding("a0" * 32, digest)


def test_a_missing_or_mistaken_signer_is_refused() -> None:
    ed25519, x25519 = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    for signer in (None, ed25519.public_key(), x25519, x25519.public_key()):
        assert code_of(signer=signer) == "keys.wrong-kind"


def test_a_missing_or_mistaken_recipient_is_refused() -> None:
    ed25519, x25519 = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    for recipient in (None, ed25519, ed25519.public_key(), x25519):
        assert code_of(recipient=recipient) == "keys.wrong-kind"


def test_a_recipient_of_low_order_is_refused() -> None:
    assert code_of(recipient=X25519PublicKey.from_public_bytes(bytes(32))) == "keys.low-order"


def test_an_empty_model_is_refused() -> None:
    assert code_of(tflite=b"") == "seal.empty-model"


def test_the_slot_must_hold_image_and_trailer() -> None:
    def slot(size: int) -> SealSettings:
        return SealSettings(ImageVersion(1, 0, 0), 1, slot_bytes=size)

    # MCUboot's trailer at 128 sectors and 1-byte writes: 3 * 128 status, 2 * 16 keys, 4 * 8 flags, 16 magic.
    fits = 384 + 64 + 384 + 32 + 32 + 16
    assert len(build_with(settings=slot(fits))) == 448
    assert code_of(settings=slot(fits - 1)) == "seal.slot-too-small"
    with pytest.raises(InputError):
        slot(0)


@pytest.mark.parametrize("flaw", [{"clear": True}, {"dont_encrypt": True}, {"user_sha": "512"}, {"is_pure": True}])
def test_what_imgtool_makes_wrong_never_leaves(monkeypatch: pytest.MonkeyPatch, flaw: dict[str, Any]) -> None:
    create = imgtool.image.Image.create

    def flawed(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **(kwargs | flaw))

    monkeypatch.setattr(imgtool.image.Image, "create", flawed)
    with pytest.raises(ToolError) as caught:
        build_with()
    assert caught.value.code == "seal.self-check"


def test_a_key_that_was_wrapped_wrongly_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap = imgtool.image.Image.ecies_hkdf

    def flawed(self: Any, enckey: Any, plainkey: bytes, sha: Any) -> Any:
        return wrap(self, enckey, bytes(len(plainkey)), sha)

    monkeypatch.setattr(imgtool.image.Image, "ecies_hkdf", flawed)
    assert code_of() == "seal.self-check"


def test_imgtools_own_refusal_becomes_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    import click

    def refuse(*_: Any, **__: Any) -> None:
        raise click.UsageError("no")

    monkeypatch.setattr(imgtool.image.Image, "create", refuse)
    assert code_of() == "seal.imgtool"


def test_the_image_hash_is_over_the_plain_image(small: Sealed) -> None:
    sealed = read(small.image)
    plain = sealed.parsed.header_area + small.model + sealed.parsed.protected_area
    assert hashlib.sha256(plain).digest() == sealed.image_hash
    assert struct.unpack_from("<I", small.image, 12) == (64,)


def test_verifying_needs_neither_tensorflow_nor_imgtool() -> None:
    script = (
        "import sys, audit_pipeline.seal.verify, audit_pipeline.seal.describe;"
        "print([name for name in ('tensorflow', 'imgtool', 'pandas', 'ai_edge_litert') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
