from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imgtool.image
import imgtool.keys
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st
from sealed_samples import (
    AES_SIZES,
    COMBINATIONS,
    RECIPIENT_KINDS,
    SETTINGS,
    SIGNER_KINDS,
    Sealed,
    aes_key_of,
    make_settings,
    new_recipient,
    new_signer,
    new_signing_key,
    plain_image,
    sample,
    seal_model,
)

from audit_pipeline.errors import AuditError, ToolError
from audit_pipeline.seal.decrypt import open_model
from audit_pipeline.seal.ecies import RecipientKind
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.profile import SignatureKind, read
from audit_pipeline.seal.settings import AesBits, Binding, Dependency, SealSettings
from audit_pipeline.seal.version import ImageVersion

SIGNERS = {kind: new_signer(kind) for kind in SIGNER_KINDS}
RECIPIENTS = {kind: new_recipient(kind) for kind in RECIPIENT_KINDS}
BINDING = Binding("a0" * 32, "a2" * 32, 3, "a3" * 32)


def build_with(**changed: Any) -> bytes:
    usual: dict[str, Any] = {
        "signer": new_signer(),
        "recipient": new_recipient().public_key(),
        "settings": SETTINGS,
        "binding": BINDING,
    }
    return build(changed.pop("tflite", bytes(64)), **(usual | changed))


def code_of(**changed: Any) -> str:
    with pytest.raises(AuditError) as caught:
        build_with(**changed)
    return caught.value.code


@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 1000, 4097])
def test_the_recipient_gets_the_exact_model_without_its_padding(size: int) -> None:
    sealed = seal_model(size)
    assert open_model(read(sealed.image), sealed.recipient) == sealed.model
    assert len(sealed.image) == 428 + -(-size // 16) * 16


def test_the_payload_is_encrypted(small: Sealed) -> None:
    for start in range(len(small.model) - 7):
        assert small.model[start : start + 8] not in small.image


@pytest.mark.parametrize("kind", RECIPIENT_KINDS)
def test_two_images_of_one_model_share_neither_key_nor_ephemeral(kind: RecipientKind) -> None:
    signer, recipient = new_signer(), new_recipient(kind)
    one, two = (seal_model(64, signer=signer, recipient=recipient) for _ in range(2))
    first, second = read(one.image), read(two.image)
    assert first.image_hash == second.image_hash
    assert first.wrapped.ephemeral != second.wrapped.ephemeral
    assert aes_key_of(one) != aes_key_of(two)


@pytest.mark.parametrize(("signer", "recipient", "bits"), COMBINATIONS)
def test_imgtool_verifies_the_image_once_it_is_decrypted(
    signer: SignatureKind, recipient: RecipientKind, bits: AesBits, tmp_path: Path
) -> None:
    # imgtool cannot check an encrypted image; header and flags stay as they are, only the payload is made plain.
    made = sample(signer, recipient, bits)
    path = tmp_path / "plain.bin"
    path.write_bytes(plain_image(made))
    key = {"ed25519": imgtool.keys.Ed25519Public, "p256": imgtool.keys.ECDSA256P1Public}[signer](made.signer.public)
    result, version, digest, _ = imgtool.image.Image.verify(str(path), key)
    assert result == imgtool.image.VerifyResult.OK
    assert (version, digest) == ((1, 4, 0, 7), read(made.image).image_hash)


def test_the_ecdsa_signature_is_a_standard_one_over_the_plain_image() -> None:
    # MCUboot and imgtool hash the plain image themselves: cryptography does here, from the message and not the digest.
    for seed in range(20):
        made = seal_model(16, signer_kind="p256", seed=seed)
        sealed = read(made.image)
        public = made.signer.public
        assert isinstance(public, ec.EllipticCurvePublicKey)
        signed = plain_image(made)[: 32 + 16 + len(sealed.parsed.protected_area)]
        public.verify(sealed.signature, signed, ec.ECDSA(SHA256()))
        assert decode_dss_signature(sealed.signature)[1] < 2**255


def test_the_extreme_version_and_counter_fit() -> None:
    settings = make_settings(version=ImageVersion(0xFF, 0xFF, 0xFFFF, 0xFFFF_FFFF), security_counter=0xFFFF_FFFF)
    sealed = read(build_with(settings=settings))
    assert (sealed.version, sealed.security_counter) == (settings.version, settings.security_counter)
    lowest = make_settings(version=ImageVersion(0, 0, 0), security_counter=0)
    assert read(build_with(settings=lowest)).security_counter == 0


U8, U16, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
VERSIONS = st.builds(ImageVersion, U8, U8, U16, U32)


@given(
    size=st.integers(1, 100),
    combination=st.sampled_from(COMBINATIONS),
    version=VERSIONS,
    counter=U32,
    dependency=st.none() | st.builds(Dependency, U8, VERSIONS),
    device=st.sampled_from([(None, None), ("example.com", None), ("example.com", "class 1")]),
)
def test_whatever_is_chosen_reads_back(
    size: int,
    combination: tuple[SignatureKind, RecipientKind, AesBits],
    version: ImageVersion,
    counter: int,
    dependency: Dependency | None,
    device: tuple[str | None, str | None],
) -> None:
    signer, recipient, bits = combination
    settings = SealSettings(version, counter, bits, *device, dependency)
    made = seal_model(size, signer=SIGNERS[signer], recipient=RECIPIENTS[recipient], settings=settings)
    sealed = read(made.image)
    assert open_model(sealed, made.recipient) == made.model
    assert (sealed.signature_kind, sealed.recipient_kind, sealed.aes_bits) == combination
    assert (sealed.version, sealed.security_counter, sealed.dependency) == (version, counter, dependency)
    assert (sealed.vendor_id, sealed.class_id) == (settings.vendor_id, settings.class_id)


@pytest.mark.parametrize("kind", SIGNER_KINDS)
def test_a_signer_is_given_the_image_hash_and_nothing_else(kind: SignatureKind) -> None:
    key, seen = new_signing_key(kind), []

    def callback(digest: bytes) -> bytes:
        seen.append(digest)
        return Signer.of(key).sign_hash(digest)

    image = build_with(signer=Signer(key.public_key(), callback))
    assert seen == [read(image).image_hash]


def test_what_a_signer_raises_is_raised() -> None:
    def broken(_: bytes) -> bytes:
        raise ToolError("pkcs11.gone", "the token was pulled out")

    assert code_of(signer=Signer(new_signing_key().public_key(), broken)) == "pkcs11.gone"
    liar = Signer(new_signing_key().public_key(), new_signing_key().sign)  # type: ignore[arg-type, call-arg, union-attr]
    assert code_of(signer=liar) == "signer.failed"


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    build_with()
    assert capfd.readouterr() == ("", "")


def test_a_missing_or_mistaken_recipient_is_refused() -> None:
    ed25519, x25519 = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    other_curve = ec.generate_private_key(ec.SECP384R1()).public_key()
    for recipient in (None, ed25519, ed25519.public_key(), x25519, other_curve):
        assert code_of(recipient=recipient) == "keys.wrong-kind"


def test_a_recipient_of_low_order_is_refused() -> None:
    assert code_of(recipient=X25519PublicKey.from_public_bytes(bytes(32))) == "keys.low-order"


def test_one_key_for_both_roles_is_refused() -> None:
    key = new_signing_key("p256")
    assert code_of(signer=Signer.of(key), recipient=key.public_key()) == "seal.one-key-two-roles"


def test_an_empty_model_is_refused() -> None:
    assert code_of(tflite=b"") == "seal.empty-model"


@pytest.mark.parametrize("bits", AES_SIZES)
def test_the_slot_must_hold_image_and_trailer(bits: AesBits) -> None:
    # MCUboot's trailer (bootutil_area.c) at 128 sectors and 1-byte writes: 3 * 128 status, two AES keys, 4 * 8 flags,
    # 16 magic. imgtool's own sum has two keys of 16 bytes for AES-256 too.
    image = 428 + bits // 8 - 16 + 64
    fits = image + 3 * 128 + 2 * bits // 8 + 4 * 8 + 16
    assert len(build_with(settings=make_settings(bits, slot_bytes=fits))) == image
    for size in (fits - 1, image, 32, 1):
        assert code_of(settings=make_settings(bits, slot_bytes=size)) == "seal.slot-too-small"


@pytest.mark.parametrize("flaw", ["clear", "dont_encrypt", "user_sha", "encrypt_keylen"])
def test_what_imgtool_makes_wrong_never_leaves(monkeypatch: pytest.MonkeyPatch, flaw: str) -> None:
    create = imgtool.image.Image.create
    value = {"user_sha": "512", "encrypt_keylen": 256}.get(flaw, True)

    def flawed(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **(kwargs | {flaw: value}))

    monkeypatch.setattr(imgtool.image.Image, "create", flawed)
    assert code_of() == "seal.self-check"


def test_a_hash_that_no_signer_signs_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    create = imgtool.image.Image.create

    def flawed(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **(kwargs | {"user_sha": "512"}))

    monkeypatch.setattr(imgtool.image.Image, "create", flawed)
    assert code_of(signer=new_signer("p256")) == "seal.self-check"


def test_the_name_of_another_signer_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    create = imgtool.image.Image.create
    other = imgtool.keys.Ed25519Public(new_signer().public)

    def flawed(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **(kwargs | {"pub_key": other}))

    monkeypatch.setattr(imgtool.image.Image, "create", flawed)
    assert code_of() == "seal.self-check"


def test_another_wrapped_key_than_the_one_that_was_made_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    create = imgtool.image.Image.create

    def flawed(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        if "fixed_sig" in kwargs:
            self.payload[-1] ^= 1

    monkeypatch.setattr(imgtool.image.Image, "create", flawed)
    assert code_of() == "seal.self-check"


def test_values_that_imgtool_takes_from_elsewhere_never_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    init = imgtool.image.Image.__init__
    for name, value in (("security_counter", 8), ("vid", "other.example.com"), ("load_addr", 4096)):

        def flawed(self: Any, name: str = name, value: Any = value, **kwargs: Any) -> None:
            init(self, **(kwargs | {name: value}))

        monkeypatch.setattr(imgtool.image.Image, "__init__", flawed)
        assert code_of() == "seal.self-check"


@pytest.mark.parametrize("kind", RECIPIENT_KINDS)
def test_a_key_that_was_wrapped_wrongly_never_leaves(monkeypatch: pytest.MonkeyPatch, kind: RecipientKind) -> None:
    wrap = imgtool.image.Image.ecies_hkdf
    flaws: list[Callable[..., Any]] = [
        lambda self, enckey, plainkey, sha: wrap(self, enckey, bytes(len(plainkey)), sha),
        lambda self, enckey, plainkey, sha: (plainkey, *wrap(self, enckey, plainkey, sha)[1:]),
    ]
    for flaw in flaws:
        monkeypatch.setattr(imgtool.image.Image, "ecies_hkdf", flaw)
        assert code_of(recipient=new_recipient(kind).public_key()) == "seal.self-check"


def test_imgtools_own_refusal_becomes_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    import click

    def refuse(*_: Any, **__: Any) -> None:
        raise click.UsageError("no")

    monkeypatch.setattr(imgtool.image.Image, "create", refuse)
    assert code_of() == "seal.imgtool"


def test_no_key_shows_where_something_is_printed_or_raised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[bytes] = []
    made: list[Any] = []
    wrap = imgtool.image.Image.ecies_hkdf
    from audit_pipeline.seal import image as module

    def watched(self: Any, enckey: Any, plainkey: bytes, sha: Any) -> Any:
        seen.append(plainkey)
        return wrap(self, enckey, plainkey, sha)

    def broken(kept: Any, _: Any) -> None:
        made.append(kept)
        module.unwrap(kept.wrapped, kept.trial_recipient)

    monkeypatch.setattr(imgtool.image.Image, "ecies_hkdf", watched)
    monkeypatch.setattr(module, "_prove", broken)
    with pytest.raises(ToolError) as caught:
        build_with()
    shown = f"{made[0]!r} {caught.value!r} {caught.value} {caught.value.to_json()} {caplog.text}"
    for key in seen:
        assert key.hex() not in shown and repr(key)[2:-1] not in shown


def test_the_image_says_the_size_of_its_payload(small: Sealed) -> None:
    assert struct.unpack_from("<I", small.image, 12) == (64,)


def test_verifying_needs_neither_tensorflow_nor_imgtool() -> None:
    script = (
        "import sys, audit_pipeline.seal.verify, audit_pipeline.seal.describe, audit_pipeline.seal.image;"
        "print([name for name in ('tensorflow', 'imgtool', 'click', 'pandas', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_sealing_needs_no_tensorflow() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import sealed_samples; sealed_samples.seal_model(100);"
        "print([name for name in ('tensorflow', 'numpy', 'pandas', 'ai_edge_litert') if name in sys.modules])"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", script, here], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
