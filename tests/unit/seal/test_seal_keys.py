from __future__ import annotations

import base64
import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imgtool.keys import Ed25519Public

from audit_pipeline.errors import AuditError, InputError, ToolError
from audit_pipeline.seal import keys
from audit_pipeline.seal.keys import fingerprint

PASSPHRASE = b"correct horse battery staple"


@pytest.fixture
def signer(tmp_path: Path) -> keys.KeyFiles:
    return keys.new_key("ed25519", tmp_path / "release", PASSPHRASE)


@pytest.fixture
def recipient(tmp_path: Path) -> keys.KeyFiles:
    return keys.new_key("x25519", tmp_path / "device", PASSPHRASE)


def code_of(call: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(AuditError) as caught:
        call(*args)
    assert PASSPHRASE.decode() not in str(caught.value.to_json())
    return caught.value.code


def test_a_new_pair_loads_and_belongs_together(signer: keys.KeyFiles, recipient: keys.KeyFiles) -> None:
    public = keys.load_signer_public(signer.public)
    public.verify(keys.load_signer(signer.private, PASSPHRASE).sign(b"x"), b"x")
    assert fingerprint(public) == signer.fingerprint
    opened = keys.load_recipient(recipient.private, PASSPHRASE).public_key()
    assert opened.public_bytes_raw() == keys.load_recipient_public(recipient.public).public_bytes_raw()
    assert fingerprint(opened) == recipient.fingerprint


def test_the_files_are_named_and_placed_as_asked(signer: keys.KeyFiles, tmp_path: Path) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release.key.pem", "release.pub.pem"]
    assert (signer.private.parent, signer.public.parent) == (tmp_path, tmp_path)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_private_key_is_its_owners_alone_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        made = keys.new_key("x25519", tmp_path / "device", PASSPHRASE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(made.private.stat().st_mode) == 0o600


def test_the_private_key_is_encrypted_as_the_module_says(signer: keys.KeyFiles) -> None:
    pem = signer.private.read_text()
    assert pem.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    pbkdf2, hmac_sha256, aes_256_cbc = "2a864886f70d01050c", "2a864886f70d0209", "60864801650304012a"
    assert all(bytes.fromhex(oid) in der for oid in (pbkdf2, hmac_sha256, aes_256_cbc))
    assert b"\x02\x02" + (2048).to_bytes(2, "big") in der


def test_a_fingerprint_is_over_the_bytes_that_mcuboot_hashes(signer: keys.KeyFiles) -> None:
    spki = Ed25519Public(keys.load_signer_public(signer.public)).get_public_bytes()
    assert hashlib.sha256(spki).hexdigest() == signer.fingerprint


@pytest.mark.parametrize("taken", ["release.key.pem", "release.pub.pem"])
def test_an_existing_file_is_never_overwritten_and_no_half_pair_is_left(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("precious")
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", PASSPHRASE) == "keys.exists"
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "precious"


def test_a_dangling_link_in_the_place_of_a_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "release.key.pem").symlink_to(tmp_path / "elsewhere")
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", PASSPHRASE) == "keys.exists"
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_leaves_no_key_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ToolError, match="No space left"):
        keys.new_key("ed25519", tmp_path / "release", PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("passphrase", "code"), [(b"", "keys.passphrase-empty"), (b"x" * 1024, "keys.passphrase-too-long")]
)
def test_an_unusable_passphrase_is_refused_before_anything_is_written(
    tmp_path: Path, passphrase: bytes, code: str
) -> None:
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", passphrase) == code
    assert list(tmp_path.iterdir()) == []


def test_the_longest_passphrase_that_is_allowed_works(tmp_path: Path) -> None:
    made = keys.new_key("ed25519", tmp_path / "release", b"x" * 1023)
    keys.load_signer(made.private, b"x" * 1023)


def test_a_missing_folder_and_a_missing_name_are_named(tmp_path: Path) -> None:
    assert code_of(keys.new_key, "ed25519", tmp_path / "none" / "release", PASSPHRASE) == "keys.no-folder"
    assert code_of(keys.new_key, "ed25519", Path("/"), PASSPHRASE) == "keys.no-name"


@pytest.mark.parametrize(("passphrase", "code"), [(b"wrong", "keys.wrong-passphrase"), (b"", "keys.passphrase-empty")])
def test_a_wrong_passphrase_is_said(signer: keys.KeyFiles, passphrase: bytes, code: str) -> None:
    assert code_of(keys.load_signer, signer.private, passphrase) == code


def test_each_kind_of_key_is_refused_where_another_belongs(signer: keys.KeyFiles, recipient: keys.KeyFiles) -> None:
    assert code_of(keys.load_signer, recipient.private, PASSPHRASE) == "keys.wrong-kind"
    assert code_of(keys.load_recipient, signer.private, PASSPHRASE) == "keys.wrong-kind"
    assert code_of(keys.load_recipient_public, signer.public) == "keys.wrong-kind"
    assert code_of(keys.load_signer_public, recipient.public) == "keys.wrong-kind"
    for load in (keys.load_signer, keys.load_recipient):
        assert code_of(load, signer.public, PASSPHRASE) == "keys.public-where-private"
    for load_public in (keys.load_signer_public, keys.load_recipient_public):
        assert code_of(load_public, signer.private) == "keys.private-where-public"


def test_a_public_key_of_either_kind_can_be_named(signer: keys.KeyFiles, recipient: keys.KeyFiles) -> None:
    for made in (signer, recipient):
        public, kind = keys.load_any_public(made.public)
        assert (kind, fingerprint(public)) == (made.kind, made.fingerprint)
        assert code_of(keys.load_any_public, made.private) == "keys.private-where-public"


def test_a_foreign_kind_of_key_is_refused(tmp_path: Path) -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "p256.pub.pem").write_bytes(pem)
    for load in (keys.load_signer_public, keys.load_recipient_public, keys.load_any_public):
        assert code_of(load, tmp_path / "p256.pub.pem") == "keys.wrong-kind"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_private_key_that_others_may_touch_is_refused(signer: keys.KeyFiles, mode: int) -> None:
    signer.private.chmod(mode)
    assert code_of(keys.load_signer, signer.private, PASSPHRASE) == "keys.readable-by-others"


def test_a_private_key_without_a_passphrase_is_refused(signer: keys.KeyFiles, tmp_path: Path) -> None:
    bare = tmp_path / "bare.key.pem"
    bare.touch(0o600)
    bare.write_bytes(
        keys.load_signer(signer.private, PASSPHRASE).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for passphrase in (PASSPHRASE, b""):
        assert code_of(keys.load_signer, bare, passphrase) == "keys.no-passphrase"


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    assert code_of(keys.load_signer_public, tmp_path / "none.pem") == "keys.not-found"
    assert code_of(keys.load_signer_public, tmp_path) == "keys.unreadable"
    (tmp_path / "huge.pem").write_bytes(b"-----BEGIN PUBLIC KEY-----\n" * 10_000)
    assert code_of(keys.load_signer_public, tmp_path / "huge.pem") == "keys.not-pem"


@pytest.mark.parametrize("u", [0, 1, 2**255 - 20])
def test_a_recipient_of_low_order_is_refused(tmp_path: Path, u: int) -> None:
    public = X25519PublicKey.from_public_bytes(u.to_bytes(32, "little"))
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "weak.pub.pem").write_bytes(pem)
    assert code_of(keys.load_recipient_public, tmp_path / "weak.pub.pem") == "keys.low-order"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_content_of_a_key_file_gets_past_as_anything_but_an_input_error(tmp_path: Path, data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(["PUBLIC KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY"]))
    body = base64.encodebytes(data.draw(st.binary(max_size=120)))
    dashes = b"-----"
    framed = b"-----BEGIN " + label.encode() + dashes + b"\n" + body + b"-----END " + label.encode() + dashes + b"\n"
    path = tmp_path / "fuzz.pem"
    path.touch(0o600)
    path.write_bytes(data.draw(st.sampled_from([framed, framed[:-7], body, framed + framed])))
    for load, extra in ((keys.load_signer, (PASSPHRASE,)), (keys.load_recipient_public, ())):
        with pytest.raises(InputError):
            load(path, *extra)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_a_key_that_openssl_wrapped_with_scrypt_loads(signer: keys.KeyFiles, tmp_path: Path) -> None:
    wrapped = tmp_path / "scrypt.key.pem"
    command = ["openssl", "pkcs8", "-topk8", "-scrypt", "-in", str(signer.private), "-out", str(wrapped)]
    secret = PASSPHRASE.decode()
    subprocess.run(
        [*command, "-passin", f"pass:{secret}", "-passout", f"pass:{secret}"], check=True, capture_output=True
    )
    wrapped.chmod(0o600)
    assert fingerprint(keys.load_signer(wrapped, PASSPHRASE).public_key()) == signer.fingerprint
