"""No message, log or traceback holds a byte of a key or a passphrase, in any writing."""

from __future__ import annotations

import base64
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from key_samples import CHEAP, private_file
from soft_token import PIN, SoftToken, needs_token, soft_token

from audit_pipeline.cli.main import main
from audit_pipeline.errors import AuditError
from audit_pipeline.seal.keys import key_block, key_export, pkcs8
from audit_pipeline.seal.keys import load as keys
from audit_pipeline.seal.keys.pem import read_pem

PASSPHRASE = b"zQ7#vW2!kX9@pL4$gD5"
WRONG = b"J8&hT3*mB6^yN1%cR0+"
WINDOW = 5
"""So many consecutive bytes of a secret count as a leak."""


def writings(secret: bytes) -> Iterator[str]:
    """Every way a few bytes of a secret may stand in a text."""
    for start in range(len(secret) - WINDOW + 1):
        part = secret[start : start + WINDOW]
        yield part.decode("latin-1")
        yield repr(part)[2:-1]
        yield part.hex()
        yield " ".join(f"{byte:02x}" for byte in part)
        yield ", ".join(f"0x{byte:02x}" for byte in part)
        yield ", ".join(str(byte) for byte in part)
    for shift in range(3):
        encoded = base64.b64encode(secret[shift : shift + (len(secret) - shift) // 3 * 3]).decode()
        yield from (encoded[start : start + 8] for start in range(0, len(encoded) - 7, 4))


def assert_keeps(text: str, *secrets: bytes) -> None:
    for secret in secrets:
        for written in writings(secret):
            assert written.lower() not in text.lower(), f"a secret stands in the text, written {len(written)} long"


@pytest.mark.parametrize(
    "tell", [bytes.hex, repr, list, lambda b: base64.b64encode(b"12" + b).decode(), lambda b: b.hex(" ").upper()]
)
def test_these_tests_would_notice(tell: Callable[[bytes], object]) -> None:
    secret = bytes(range(150, 182))
    with pytest.raises(AssertionError, match="a secret stands"):
        assert_keeps(f"left over: {tell(secret)}", secret)


class Samples:
    """One device's key and one signer's, in files of every kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.device = keys.new_key("x25519", folder / "device", PASSPHRASE, log2_n=CHEAP)
        self.signer = keys.new_key("p256", folder / "release", PASSPHRASE, log2_n=CHEAP)
        opened = [keys.load_any_private(file.private, PASSPHRASE) for file in (self.device, self.signer)]
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.ders = [key.private_bytes(serialization.Encoding.DER, *plain) for key in opened]
        self.bare = private_file(folder / "bare.pem", "PRIVATE KEY", self.ders[0])
        self.public_label = private_file(folder / "mislabelled.pem", "PUBLIC KEY", self.ders[1])
        self.open = folder / "open.pem"
        self.open.write_bytes(self.signer.private.read_bytes())
        self.open.chmod(0o644)
        block = read_pem(self.device.private.read_bytes(), where="").content
        self.cut = private_file(folder / "cut.pem", key_block.LABEL, block[:-3])
        self.dear = private_file(folder / "dear.pem", key_block.LABEL, block[:1] + b"\x3f" + block[2:])
        self.odd = private_file(
            folder / "odd.pem", key_block.LABEL, key_block.protect(self.ders[0][:-9], PASSPHRASE, log2_n=CHEAP)
        )
        self.as_pkcs8 = private_file(
            folder / "pkcs8.pem",
            pkcs8.LABEL,
            read_pem(key_export.export_private(opened[0], "pem", PASSPHRASE), where="").content,
        )
        self.two = folder / "two.pem"
        self.two.touch(0o600)
        self.two.write_bytes(self.bare.read_bytes() * 2)

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """Both keys' own bytes without what every PKCS#8 has in common, and both passphrases."""
        return (self.ders[0][-32:], self.ders[1][36:68], PASSPHRASE, WRONG)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(tmp_path_factory.mktemp("secrets"))


FAILURES: dict[str, Callable[[Samples], object]] = {
    "wrong passphrase": lambda s: keys.load_recipient(s.device.private, WRONG),
    "wrong passphrase, PKCS#8": lambda s: keys.load_recipient(s.as_pkcs8, WRONG),
    "empty passphrase": lambda s: keys.load_recipient(s.device.private, b""),
    "wrong kind": lambda s: keys.load_signer(s.device.private, PASSPHRASE),
    "public where private": lambda s: keys.load_signer(s.signer.public, PASSPHRASE),
    "private where public": lambda s: keys.load_signer_public(s.signer.private),
    "private key in the clear": lambda s: keys.load_recipient(s.bare, PASSPHRASE),
    "private key in the clear where public": lambda s: keys.load_recipient_public(s.bare),
    "private key under a public label": lambda s: keys.load_any_public(s.public_label),
    "private key under a public label where private": lambda s: keys.load_signer(s.public_label, PASSPHRASE),
    "world-readable": lambda s: keys.load_signer(s.open, PASSPHRASE),
    "cut short": lambda s: keys.load_recipient(s.cut, PASSPHRASE),
    "too dear": lambda s: keys.load_recipient(s.dear, PASSPHRASE),
    "no key inside": lambda s: keys.load_recipient(s.odd, PASSPHRASE),
    "two keys": lambda s: keys.load_recipient(s.two, PASSPHRASE),
    "missing": lambda s: keys.load_recipient(s.folder / "none.pem", PASSPHRASE),
    "exists": lambda s: keys.new_key("x25519", s.folder / "device", PASSPHRASE, log2_n=CHEAP),
    "no folder": lambda s: keys.new_key("x25519", s.folder / "none" / "device", PASSPHRASE, log2_n=CHEAP),
    "too long": lambda s: keys.new_key("x25519", s.folder / "long", PASSPHRASE * 99, log2_n=CHEAP),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_no_error_tells_a_secret_nor_do_the_errors_behind_it(
    samples: Samples, failure: Callable[[Samples], object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(AuditError) as caught:
        failure(samples)
    error: BaseException | None = caught.value
    text = [json.dumps(caught.value.to_json()), caplog.text]
    while error is not None:
        text += [str(error), repr(error), *traceback.format_exception(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    assert_keeps("\n".join(text), *samples.secrets)


def test_what_holds_a_key_does_not_show_it(samples: Samples) -> None:
    signer = keys.load_signer(samples.signer.private, PASSPHRASE)
    device = keys.load_recipient(samples.device.private, PASSPHRASE)
    shown = [*map(repr, (signer, device, samples.device)), *map(str, (signer, device)), repr(vars(signer))]
    assert_keeps("\n".join(shown), *samples.secrets)


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


COMMANDS: dict[str, tuple[str, Callable[[Samples], list[str | Path]]]] = {
    "wrong passphrase": ("keys.wrong-passphrase", lambda s: ["keys", "export", s.device.private]),
    "world-readable": ("keys.readable-by-others", lambda s: ["keys", "fingerprint", s.open]),
    "private where public": ("keys.private-where-public", lambda s: ["keys", "fingerprint", s.device.private]),
    "key in the clear": ("keys.no-passphrase", lambda s: ["keys", "export", s.bare]),
    "key exists": ("keys.exists", lambda s: ["keys", "new", s.folder / "device"]),
    "missing": ("keys.not-found", lambda s: ["keys", "export", s.folder / "none.pem"]),
    "never printed": ("keys.export-place", lambda s: ["keys", "export", s.device.private, "--private", "--as", "c"]),
    "recipient missing": (
        "keys.not-found",
        lambda s: ["verify", s.device.public, "--signer", s.signer.public, "--recipient", s.folder / "none.pem"],
    ),
    "recipient is public": (
        "keys.public-where-private",
        lambda s: ["verify", s.device.public, "--signer", s.signer.public, "--recipient", s.device.public],
    ),
}


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize(("code", "arguments"), COMMANDS.values(), ids=COMMANDS.keys())
def test_no_command_tells_a_secret(
    samples: Samples,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: str,
    arguments: Callable[[Samples], list[str | Path]],
    as_json: bool,
) -> None:
    monkeypatch.setenv("AUDIT_PASSPHRASE", WRONG.decode())
    before = sorted(samples.folder.iterdir())
    assert run(*arguments(samples), *(["--json"] if as_json else [])) == 2
    streams = capsys.readouterr()
    assert code in streams.out + streams.err
    assert_keeps(streams.out + streams.err, *samples.secrets)
    assert sorted(samples.folder.iterdir()) == before


@pytest.mark.parametrize("arguments", [["--passphrase", "x"], ["--pin", "x"], ["--password=x"]])
def test_no_command_takes_a_passphrase_from_its_arguments(
    samples: Samples, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run("keys", "export", samples.device.private, *arguments) == 2
    assert "(usage)" in capsys.readouterr().err


def test_a_defect_leaves_a_traceback_without_the_values_in_it(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something nobody foresaw")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(key_export, "export_private", broken)
    monkeypatch.setenv("AUDIT_PASSPHRASE", PASSPHRASE.decode())
    out = tmp_path / "out.c"
    assert run("keys", "export", samples.device.private, "--private", "--as", "c", "--out", out) == 4
    (left,) = tmp_path.iterdir()
    assert "something nobody foresaw" in left.read_text()
    streams = capsys.readouterr()
    assert_keeps(left.read_text() + streams.out + streams.err, *samples.secrets)


def test_a_full_disk_at_the_command_leaves_nothing_and_tells_nothing(samples: Samples, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from audit_pipeline.cli.main import main; main()"]
    limited = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))  # noqa: E731
    environment = {**os.environ, "AUDIT_PASSPHRASE": PASSPHRASE.decode()}
    arguments = [
        "keys",
        "export",
        str(samples.device.private),
        "--private",
        "--as",
        "c",
        "--out",
        str(tmp_path / "out.c"),
    ]
    done = subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, text=True, preexec_fn=limited, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "keys.write-failed" in done.stderr
    assert_keeps(done.stdout + done.stderr, *samples.secrets)
    assert list(tmp_path.iterdir()) == []


def test_a_warning_comes_with_an_exported_key_and_not_the_key(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIT_PASSPHRASE", PASSPHRASE.decode())
    for form in ("raw", "c", "mcuboot-c", "pem"):
        assert run("keys", "export", samples.device.private, "--private", "--as", form, "--out", tmp_path / form) == 0
    streams = capsys.readouterr()
    assert streams.err.count("warning") == 4
    assert_keeps(streams.out + streams.err, *samples.secrets)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    for made in soft_token(tmp_path_factory.mktemp("token")):
        made.make("p256", "release", b"\x01")
        yield made


@needs_token
@pytest.mark.parametrize(
    ("key", "pin"), [("object=release", WRONG), ("object=none", PIN), ("object=release", WRONG + b"\xff")]
)
def test_no_error_of_a_token_tells_the_pin(token: SoftToken, key: str, pin: bytes) -> None:
    with pytest.raises(AuditError) as caught:
        keys.load_signer(token.uri(key), pin)
    error: BaseException | None = caught.value
    text = [json.dumps(caught.value.to_json())]
    while error is not None:
        text += [str(error), *traceback.format_exception(error)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert_keeps("\n".join(text), PIN, WRONG)
    assert_keeps(repr(keys.load_signer(token.uri(), PIN)), PIN)
