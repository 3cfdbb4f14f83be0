"""Key pairs: made, loaded, and refused where they do not belong."""

from __future__ import annotations

import base64
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imgtool.keys import Ed25519Public
from key_samples import CHEAP, PASSPHRASE, code_of

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys import load as keys
from audit_pipeline.seal.keys.forms import KeyKind, fingerprint, spki
from audit_pipeline.seal.keys.signer import signature_holds, to_sign

SIGNERS: tuple[KeyKind, ...] = ("ed25519", "p256")
RECIPIENTS: tuple[KeyKind, ...] = ("x25519", "p256")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, keys.KeyFiles]:
    """One pair of each kind, for tests that only read them."""
    folder = tmp_path_factory.mktemp("keys")
    kinds: tuple[KeyKind, ...] = ("ed25519", "p256", "x25519")
    return {kind: keys.new_key(kind, folder / kind, PASSPHRASE, log2_n=CHEAP) for kind in kinds}


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_new_signer_signs_what_its_public_file_verifies(made: dict[str, keys.KeyFiles], kind: KeyKind) -> None:
    public = keys.load_signer_public(made[kind].public)
    signer = keys.load_signer(made[kind].private, PASSPHRASE)
    assert signature_holds(public, signer.sign(b"x"), to_sign(kind, b"x"))
    assert spki(signer.public) == spki(public)
    assert fingerprint(public) == made[kind].fingerprint


@pytest.mark.parametrize("kind", RECIPIENTS)
def test_a_new_device_key_is_the_other_half_of_its_public_file(made: dict[str, keys.KeyFiles], kind: KeyKind) -> None:
    opened = keys.load_recipient(made[kind].private, PASSPHRASE).public_key()
    assert spki(opened) == spki(keys.load_recipient_public(made[kind].public))
    assert fingerprint(opened) == made[kind].fingerprint


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    first, second = (keys.new_key("p256", tmp_path / name, PASSPHRASE, log2_n=CHEAP) for name in "ab")
    assert first.fingerprint != second.fingerprint
    heads = {base64.b64decode(file.private.read_text().splitlines()[1])[4:32] for file in (first, second)}
    assert len(heads) == 2, "salt and nonce are new for each file"


def test_the_files_are_named_and_placed_as_asked(tmp_path: Path) -> None:
    files = keys.new_key("ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release.key.pem", "release.pub.pem"]
    assert (files.private.parent, files.public.parent) == (tmp_path, tmp_path)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_private_key_is_its_owners_alone_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files = keys.new_key("x25519", tmp_path / "device", PASSPHRASE, log2_n=CHEAP)
    finally:
        os.umask(before)
    assert stat.S_IMODE(files.private.stat().st_mode) == 0o600


def test_a_private_file_costs_a_guesser_what_the_module_says_unless_a_test_asks_for_less(tmp_path: Path) -> None:
    lines = keys.new_key("ed25519", tmp_path / "release", PASSPHRASE).private.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("-----BEGIN AUDIT PRIVATE KEY-----", "-----END AUDIT PRIVATE KEY-----")
    assert list(base64.b64decode("".join(lines[1:-1]))[:4]) == [1, 17, 8, 1]


def test_a_fingerprint_is_over_the_bytes_that_mcuboot_hashes(made: dict[str, keys.KeyFiles]) -> None:
    public = keys.load_signer_public(made["ed25519"].public)
    assert spki(public) == Ed25519Public(public).get_public_bytes()


@pytest.mark.parametrize(
    ("passphrase", "code"), [(b"", "keys.passphrase-empty"), (b"x" * 1024, "keys.passphrase-too-long")]
)
def test_an_unusable_passphrase_is_refused_before_anything_is_written(
    tmp_path: Path, passphrase: bytes, code: str
) -> None:
    assert code_of(keys.new_key, "ed25519", tmp_path / "release", passphrase) == code
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("passphrase", [b"x" * 1023, b"\0", b"\xff\xfe", "пароль".encode()])
def test_a_passphrase_is_bytes_and_each_of_them_counts(tmp_path: Path, passphrase: bytes) -> None:
    files = keys.new_key("ed25519", tmp_path / "release", passphrase, log2_n=CHEAP)
    keys.load_signer(files.private, passphrase)
    assert code_of(keys.load_signer, files.private, passphrase[:-1] + b"y") == "keys.wrong-passphrase"


@pytest.mark.parametrize("passphrase", [b"wrong", PASSPHRASE + b"\n", PASSPHRASE.upper()])
def test_a_wrong_passphrase_is_said(made: dict[str, keys.KeyFiles], passphrase: bytes) -> None:
    assert code_of(keys.load_signer, made["ed25519"].private, passphrase) == "keys.wrong-passphrase"


def test_no_passphrase_opens_no_key(made: dict[str, keys.KeyFiles]) -> None:
    assert code_of(keys.load_recipient, made["x25519"].private, b"") == "keys.passphrase-empty"


def test_a_key_is_refused_where_another_kind_belongs(made: dict[str, keys.KeyFiles]) -> None:
    assert code_of(keys.load_signer, made["x25519"].private, PASSPHRASE) == "keys.wrong-kind"
    assert code_of(keys.load_recipient, made["ed25519"].private, PASSPHRASE) == "keys.wrong-kind"
    assert code_of(keys.load_signer_public, made["x25519"].public) == "keys.wrong-kind"
    assert code_of(keys.load_recipient_public, made["ed25519"].public) == "keys.wrong-kind"


@pytest.mark.parametrize("kind", ["ed25519", "p256", "x25519"])
def test_halves_of_a_pair_are_not_taken_for_each_other(made: dict[str, keys.KeyFiles], kind: KeyKind) -> None:
    for load in (keys.load_signer, keys.load_recipient, keys.load_any_private):
        assert code_of(load, made[kind].public, PASSPHRASE) == "keys.public-where-private"
    assert code_of(keys.check_private_file, made[kind].public) == "keys.public-where-private"
    for load_public in (keys.load_signer_public, keys.load_recipient_public, keys.load_any_public):
        assert code_of(load_public, made[kind].private) == "keys.private-where-public"


@pytest.mark.parametrize("kind", ["ed25519", "p256", "x25519"])
def test_a_key_of_any_kind_can_be_named(made: dict[str, keys.KeyFiles], kind: KeyKind) -> None:
    public, named = keys.load_any_public(made[kind].public)
    assert (named, fingerprint(public)) == (kind, made[kind].fingerprint)
    assert spki(keys.load_any_private(made[kind].private, PASSPHRASE).public_key()) == spki(public)


@pytest.mark.parametrize("foreign", ["p384", "rsa"])
def test_a_foreign_kind_of_key_is_refused(tmp_path: Path, foreign: str) -> None:
    private = ec.generate_private_key(ec.SECP384R1()) if foreign == "p384" else rsa.generate_private_key(65537, 2048)
    path = tmp_path / "foreign.pem"
    path.touch(0o600)
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE),
        )
    )
    for load_private in (keys.load_signer, keys.load_recipient):
        assert code_of(load_private, path, PASSPHRASE) == "keys.wrong-kind"
    path.write_bytes(
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for load in (keys.load_signer_public, keys.load_recipient_public, keys.load_any_public):
        assert code_of(load, path) == "keys.wrong-kind"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_private_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    files = keys.new_key("ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP)
    files.private.chmod(mode)
    for load in (keys.load_signer, keys.load_recipient):
        assert code_of(load, files.private, PASSPHRASE) == "keys.readable-by-others"
    assert code_of(keys.check_private_file, files.private) == "keys.readable-by-others"
    assert code_of(keys.load_signer_public, files.private) == "keys.readable-by-others"


def test_who_may_enter_the_folder_does_not_matter_as_long_as_the_file_is_its_owners(tmp_path: Path) -> None:
    files = keys.new_key("ed25519", tmp_path / "release", PASSPHRASE, log2_n=CHEAP)
    tmp_path.chmod(0o755)
    keys.load_signer(files.private, PASSPHRASE)


@pytest.mark.parametrize("format_", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
def test_a_private_key_without_a_passphrase_is_refused(tmp_path: Path, format_: serialization.PrivateFormat) -> None:
    bare = tmp_path / "bare.key.pem"
    bare.touch(0o600)
    private = ec.generate_private_key(ec.SECP256R1())
    bare.write_bytes(private.private_bytes(serialization.Encoding.PEM, format_, serialization.NoEncryption()))
    for passphrase in (PASSPHRASE, b""):
        assert code_of(keys.load_signer, bare, passphrase) == "keys.no-passphrase"
    assert code_of(keys.check_private_file, bare) == "keys.no-passphrase"


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (lambda path: keys.load_signer(path, PASSPHRASE), "audit keys new"),
        (keys.check_private_file, "audit keys new"),
        (keys.load_signer_public, "from its owner"),
        (keys.load_recipient_public, "a device that does not exist"),
        (lambda path: keys.load_recipient(path, PASSPHRASE), "opens nothing"),
        (keys.load_any_public, "check the path"),
    ],
)
def test_only_a_missing_key_that_signs_is_made_anew(load: Callable[[Path], Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        load(tmp_path / "none.pem")
    assert refusal.value.code == "keys.not-found"
    assert words in (refusal.value.hint or "")
    assert ("audit keys new" in (refusal.value.hint or "")) == (words == "audit keys new")


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    assert code_of(keys.load_recipient_public, tmp_path / "none.pem") == "keys.not-found"
    assert code_of(keys.load_signer, tmp_path / "none.pem", PASSPHRASE) == "keys.not-found"
    assert code_of(keys.load_signer_public, tmp_path) == "keys.unreadable"
    assert code_of(keys.load_signer_public, Path("zero\0byte")) == "keys.unreadable"
    (tmp_path / "loop.pem").symlink_to(tmp_path / "loop.pem")
    assert code_of(keys.load_signer_public, tmp_path / "loop.pem") == "keys.unreadable"


def test_what_could_wait_or_go_on_for_ever_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pem", 0o600)
    assert code_of(keys.load_signer_public, tmp_path / "pipe.pem") == "keys.unreadable"
    assert code_of(keys.load_signer_public, Path("/dev/zero")) == "keys.unreadable"
    (tmp_path / "huge.pem").write_bytes(b"-----BEGIN PUBLIC KEY-----\n" * 10_000)
    assert code_of(keys.load_signer_public, tmp_path / "huge.pem") == "keys.not-pem"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_content_of_a_key_file_gets_past_as_anything_but_an_input_error(tmp_path: Path, data: st.DataObject) -> None:
    labels = ["PUBLIC KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "AUDIT PRIVATE KEY"]
    label = data.draw(st.sampled_from(labels)).encode()
    body = base64.encodebytes(data.draw(st.binary(max_size=120)))
    framed = b"-----BEGIN " + label + b"-----\n" + body + b"-----END " + label + b"-----\n"
    path = tmp_path / "fuzz.pem"
    path.touch(0o600)
    path.write_bytes(data.draw(st.sampled_from([framed, framed[:-7], body, framed + framed])))
    for load, extra in ((keys.load_signer, (PASSPHRASE,)), (keys.load_recipient_public, ())):
        with pytest.raises(InputError):
            load(path, *extra)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize("kdf", [["-scrypt"], ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "20000"]])
def test_a_key_that_openssl_protects_loads(tmp_path: Path, kdf: list[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    bare = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    wrapped = tmp_path / "wrapped.key.pem"
    secret = f"pass:{PASSPHRASE.decode()}"
    command = ["openssl", "pkcs8", "-topk8", *kdf, "-out", str(wrapped), "-passout", secret]
    subprocess.run(command, check=True, capture_output=True, input=bare)
    wrapped.chmod(0o600)
    assert spki(keys.load_signer(wrapped, PASSPHRASE).public) == spki(private.public_key())
    assert code_of(keys.load_signer, wrapped, b"wrong") == "keys.wrong-passphrase"
