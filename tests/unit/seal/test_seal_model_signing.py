"""The library `model_signing` verifies what our own page of code writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.model_signing import sign_model

MODEL = b"TFL3" + bytes(range(256)) * 8


class Signed:
    """A model, its signature and the key, as files."""

    def __init__(self, folder: Path) -> None:
        self.signer = Signer.of(generate_private_key(SECP256R1()))
        self.model, self.signature, self.key = folder / "model.tflite", folder / "model.sig", folder / "key.pub.pem"
        self.model.write_bytes(MODEL)
        self.signature.write_bytes(sign_model(MODEL, "model.tflite", self.signer))
        self.write_key(self.signer)

    def write_key(self, signer: Signer) -> None:
        form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key.write_bytes(signer.public.public_bytes(*form))

    def verify(self) -> None:
        from model_signing.verifying import Config

        Config().use_elliptic_key_verifier(public_key=self.key).verify(self.model, self.signature)


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    pytest.importorskip("model_signing")
    return Signed(tmp_path)


def test_the_library_verifies_it(signed: Signed) -> None:
    signed.verify()


def test_its_command_line_verifies_it(signed: Signed) -> None:
    arguments = ["verify", "key", signed.model, "--signature", signed.signature, "--public_key", signed.key]
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "succeeded" in done.stdout + done.stderr) == (0, True), done.stderr


def test_a_model_may_be_renamed(signed: Signed) -> None:
    signed.model = signed.model.rename(signed.model.with_name("other-name.tflite"))
    signed.verify()


def test_an_altered_model_is_refused(signed: Signed) -> None:
    signed.model.write_bytes(MODEL[:-1] + b"\0")
    with pytest.raises(ValueError, match="mismatch"):
        signed.verify()


def test_another_key_is_refused(signed: Signed) -> None:
    signed.write_key(Signer.of(generate_private_key(SECP256R1())))
    with pytest.raises(ValueError, match="Key mismatch"):
        signed.verify()


def test_a_signature_has_the_librarys_own_form(signed: Signed, tmp_path: Path) -> None:
    from model_signing.signing import Config

    private = tmp_path / "key.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(generate_private_key(SECP256R1()).private_bytes(*form))
    theirs = tmp_path / "theirs.sig"
    Config().use_elliptic_key_signer(private_key=private).sign(signed.model, theirs)
    assert shape(json.loads(signed.signature.read_bytes())) == shape(json.loads(theirs.read_bytes()))


def shape(value: object) -> object:
    """The keys of a document and the kinds of its values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def test_an_ed25519_key_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        sign_model(MODEL, "model.tflite", Signer.of(Ed25519PrivateKey.generate()))
    assert caught.value.code == "keys.wrong-kind"
