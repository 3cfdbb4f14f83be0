"""`audit verify` and `audit inspect` on images, in this process."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
)
from sealed_samples import POLICY, Sealed, flip, new_signer

from audit_pipeline.cli.main import main

PASSPHRASE = "correct horse"


@pytest.fixture
def folder(small: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder as far as `verify` looks at it, and the keys beside it."""
    files = {
        "firmware.bin": small.image,
        "verdict.dsse.json": small.verdict,
        "release.dsse.json": small.release,
        "policy.yaml": POLICY,
        "model.tflite": small.model,
        "signer.pem": small.signer.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "device.pem": small.recipient.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())
        ),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "device.pem").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIT_PASSPHRASE", PASSPHRASE)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Exit code and what `--json` prints."""
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--json"])
    streams = capsys.readouterr()
    return int(str(caught.value.code)), json.loads(streams.out or streams.err)


def verify(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, Any]:
    return run(capsys, "verify", "firmware.bin", "--signer", "signer.pem", *more)


def test_an_image_with_its_companions_beside_it_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = verify(capsys)
    assert (code, result["level"], result["binds_every_byte"]) == (0, "public", True)
    states = {check["name"]: check["state"] for check in result["checks"]}
    assert {name for name, state in states.items() if state != "passed"} == {"decryption"}
    assert len(states) == len(result["checks"])


@pytest.mark.parametrize("name", ["firmware.bin", "pipe.json"])
@pytest.mark.parametrize("put", [os.mkfifo, lambda place: Path(place).symlink_to("/dev/zero")])
def test_nobody_is_waited_for_who_writes_to_a_pipe(
    folder: Path, capsys: pytest.CaptureFixture[str], put: Callable[[Path], None], name: str
) -> None:
    (folder / name).unlink(missing_ok=True)
    put(folder / name)
    code, result = verify(capsys, *(["--release", name] if name != "firmware.bin" else []))
    assert (code, result["error"]["code"]) == (2, "file.unreadable")
    assert "a pipe or a device" in result["error"]["what"]


def test_no_more_is_said_to_be_bound_than_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*more: str) -> str:
        with pytest.raises(SystemExit):
            main(["verify", "firmware.bin", "--signer", "signer.pem", *more])
        return " ".join(capsys.readouterr().out.split())

    assert "every byte of the image is bound" in told("--recipient", "device.pem")
    (folder / "release.dsse.json").unlink()
    assert "ephemeral key could be its twin" in told("--recipient", "device.pem")
    assert "not every byte is bound" in told()


def test_the_device_key_gives_the_full_level(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = verify(capsys, "--recipient", "device.pem")
    assert (code, result["level"]) == (0, "full")
    (folder / "release.dsse.json").unlink()
    assert verify(capsys, "--recipient", "device.pem")[0] == 0


def test_without_the_release_nobody_is_told_that_all_is_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "release.dsse.json").unlink()
    code, result = verify(capsys)
    assert (code, result["binds_every_byte"]) == (3, False)


@pytest.mark.parametrize("more", [(), ("--recipient", "device.pem")])
def test_whoever_withholds_the_verdict_withholds_that_it_failed(
    folder: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    (folder / "verdict.dsse.json").unlink()
    code, result = verify(capsys, *more)
    assert (code, result["binds_every_byte"], result["shows_the_verdict"]) == (3, True, False)


def test_an_altered_image_fails_with_code_and_place(
    folder: Path, small: Sealed, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "firmware.bin").write_bytes(flip(small.image, 8 * 16))
    code, result = verify(capsys)
    assert (code, result["error"]["code"], result["error"]["where"]) == (1, "image.flags", "byte 16 of the image")


def test_a_waiver_that_the_verdict_does_not_list_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "waiver.json").write_bytes((folder / "verdict.dsse.json").read_bytes())
    code, result = verify(capsys, "--waiver", "waiver.json")
    assert (code, result["error"]["code"]) == (1, "waiver.untrusted")


def test_wrong_keys_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = new_signer("p256").public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "stranger.pem").write_bytes(stranger)
    code, result = run(capsys, "verify", "firmware.bin", "--signer", "stranger.pem")
    assert (code, result["error"]["code"]) == (1, "image.wrong-signer")
    assert "not from whoever sent the image" in result["error"]["hint"]
    code, result = run(capsys, "verify", "firmware.bin", "--signer", "device.pem")
    assert code == 2
    code, result = verify(capsys, "--recipient", "signer.pem")
    assert code == 2


def test_a_sealed_image_is_inspected_without_any_key(
    folder: Path, small: Sealed, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = run(capsys, "inspect", "firmware.bin")
    assert (code, result["sealed"]["security_counter"], result["departs"]) == (0, 7, None)
    with pytest.raises(SystemExit):
        main(["inspect", "firmware.bin"])
    out = capsys.readouterr().out
    assert base64.b16encode(bytes.fromhex("a3" * 32)).decode().lower() in out.replace("\n", "")
    assert "None" not in out


def test_verifying_loads_nothing_heavy(folder: Path) -> None:
    script = (
        "import sys; from audit_pipeline.cli.main import main\n"
        "try: main(['verify', 'firmware.bin', '--signer', 'signer.pem'])\n"
        "except SystemExit as left: assert not left.code, left.code\n"
        "heavy = ('tensorflow', 'numpy', 'pandas', 'imgtool', 'sqlalchemy', 'sqlmodel', 'ai_edge_litert')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "[]\n")
