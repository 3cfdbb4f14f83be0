"""Keys as other tools and firmware take them, held against imgtool, openssl and a compiler."""

from __future__ import annotations

import io
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from imgtool.keys import ECDSA256P1, X25519, ECDSA256P1Public, Ed25519Public
from key_samples import CHEAP, PASSPHRASE, code_of

from audit_pipeline.cli.main import main
from audit_pipeline.seal.keys import load as keys
from audit_pipeline.seal.keys.forms import AnyPublic, spki
from audit_pipeline.seal.keys.key_export import PublicForm, export_private, export_public

PRIVATE = {
    "ed25519": Ed25519PrivateKey.generate(),
    "p256": generate_private_key(SECP256R1()),
    "x25519": X25519PrivateKey.generate(),
}
PUBLIC: dict[str, AnyPublic] = {kind: private.public_key() for kind, private in PRIVATE.items()}
KINDS = tuple(PUBLIC)


def tokens(c_source: str) -> list[str]:
    """C without comments, preprocessor and layout."""
    bare = re.sub(r"/\*.*?\*/|#[^\n]*", "", c_source, flags=re.DOTALL)
    return re.findall(r"\w+|[^\w\s]", bare)


def array(c_source: str) -> bytes:
    return bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})", c_source))


def holds(longer: list[str], shorter: list[str]) -> bool:
    return " ".join(shorter) in " ".join(longer)


@pytest.mark.parametrize("kind", KINDS)
def test_pem_and_der_are_the_spki(kind: str) -> None:
    pem = export_public(PUBLIC[kind], "pem")
    assert spki(serialization.load_pem_public_key(pem)) == export_public(PUBLIC[kind], "der") == spki(PUBLIC[kind])


@pytest.mark.parametrize(("kind", "size"), [("ed25519", 32), ("x25519", 32), ("p256", 65)])
def test_raw_is_the_end_of_the_spki(kind: str, size: int) -> None:
    assert export_public(PUBLIC[kind], "raw") == spki(PUBLIC[kind])[-size:]


@pytest.mark.parametrize("kind", KINDS)
def test_c_holds_the_spki_that_the_device_verifier_takes(kind: str) -> None:
    assert array(export_public(PUBLIC[kind], "c").decode()) == spki(PUBLIC[kind])


@pytest.mark.parametrize(("kind", "imgtool_class"), [("ed25519", Ed25519Public), ("p256", ECDSA256P1Public)])
def test_a_bootloaders_public_key_is_what_imgtool_getpub_prints(kind: str, imgtool_class: type) -> None:
    theirs = io.StringIO()
    imgtool_class(PUBLIC[kind]).emit_c_public(file=theirs)
    assert holds(tokens(export_public(PUBLIC[kind], "mcuboot-c").decode()), tokens(theirs.getvalue()))


@pytest.mark.parametrize(("kind", "imgtool_class"), [("x25519", X25519), ("p256", ECDSA256P1)])
def test_a_bootloaders_private_key_is_what_imgtool_getpriv_prints(kind: str, imgtool_class: type) -> None:
    theirs = io.StringIO()
    imgtool_class(PRIVATE[kind]).emit_private(minimal=False, format="pkcs8", file=theirs)
    ours = export_private(PRIVATE[kind], "mcuboot-c", PASSPHRASE).decode()
    assert holds(tokens(ours), tokens(theirs.getvalue()))


@pytest.mark.parametrize("kind", ["x25519", "p256"])
def test_a_devices_private_scalar_gives_its_public_key_back(kind: str) -> None:
    scalar = array(export_private(PRIVATE[kind], "c", PASSPHRASE).decode())
    assert len(scalar) == 32
    again: AnyPublic = (
        X25519PrivateKey.from_private_bytes(scalar).public_key()
        if kind == "x25519"
        else derive_private_key(int.from_bytes(scalar, "big"), SECP256R1()).public_key()
    )
    assert export_private(PRIVATE[kind], "raw", PASSPHRASE) == scalar
    assert spki(again) == spki(PUBLIC[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_private_key_as_pem_opens_with_the_same_passphrase_elsewhere(kind: str) -> None:
    pem = export_private(PRIVATE[kind], "pem", PASSPHRASE)
    opened = serialization.load_pem_private_key(pem, PASSPHRASE)
    assert spki(opened.public_key()) == spki(PUBLIC[kind])


def test_a_key_that_signs_is_never_written_for_a_device_to_hold() -> None:
    for form in ("raw", "c", "mcuboot-c"):
        assert code_of(export_private, PRIVATE["ed25519"], form, PASSPHRASE) == "keys.wrong-kind"
    assert code_of(export_public, PUBLIC["x25519"], "mcuboot-c") == "keys.wrong-kind"


SIGN_KEY_H = """
#include <stdint.h>
struct bootutil_key { const uint8_t *key; const unsigned int *len; };
extern const struct bootutil_key bootutil_keys[];
extern const struct bootutil_key bootutil_enc_key;
extern const int bootutil_key_cnt;
"""
"""What MCUboot's boot/bootutil/include/bootutil/sign_key.h declares of keys."""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.parametrize("form", ["c", "mcuboot-c"])
def test_the_c_source_compiles_without_a_warning(tmp_path: Path, form: PublicForm) -> None:
    (tmp_path / "bootutil").mkdir()
    (tmp_path / "bootutil" / "sign_key.h").write_text(SIGN_KEY_H)
    sources = [
        export_public(public, form) for kind, public in PUBLIC.items() if (kind, form) != ("x25519", "mcuboot-c")
    ]
    sources += [export_private(PRIVATE[kind], form, PASSPHRASE) for kind in ("x25519", "p256")]
    for number, source in enumerate(sources):
        path = tmp_path / f"key{number}.c"
        path.write_bytes(source)
        strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
        subprocess.run(["gcc", *strict, "-I", tmp_path, "-c", path, "-o", tmp_path / "key.o"], check=True)


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> keys.KeyFiles:
    monkeypatch.setenv("AUDIT_PASSPHRASE", PASSPHRASE.decode())
    return keys.new_key("x25519", tmp_path / "device", PASSPHRASE, log2_n=CHEAP)


def audit(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def test_the_command_prints_the_bytes_and_nothing_else(
    device: keys.KeyFiles, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert audit("keys", "export", device.public, "--as", "raw") == 0
    assert capfdbinary.readouterr().out == export_public(keys.load_any_public(device.public)[0], "raw")


def test_a_lost_public_file_is_made_again_from_the_private_one(
    device: keys.KeyFiles, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert audit("keys", "export", device.private) == 0
    assert capfdbinary.readouterr().out == device.public.read_bytes()


@pytest.mark.parametrize("form", ["raw", "mcuboot-c"])
def test_a_private_key_goes_to_a_new_file_of_its_owner_with_a_warning(
    form: str, device: keys.KeyFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "enc_key"
    command = ("keys", "export", device.private, "--private", "--as", form, "--out", out)
    assert audit(*command) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "in the clear" in " ".join(capsys.readouterr().err.split())
    written = out.read_bytes()
    assert audit(*command) == 2
    assert out.read_bytes() == written


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--private", "--as", "c"], "keys.export-place"),
        (["--private", "--as", "der", "--out", "x"], "keys.export-form"),
        (["--as", "mcuboot-c"], "keys.wrong-kind"),
    ],
)
def test_what_is_not_exported_is_said_and_nothing_is_written(
    device: keys.KeyFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert audit("keys", "export", device.private, *arguments) == 2
    assert code in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
