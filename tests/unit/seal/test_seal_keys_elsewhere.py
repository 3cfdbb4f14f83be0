"""The two examples of a key that is not in this process: a token, and a service that signs digests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from key_samples import CHEAP, PASSPHRASE
from soft_token import MODULE, PIN, needs_token

from audit_pipeline.seal import dsse
from audit_pipeline.seal.decrypt import open_model
from audit_pipeline.seal.keys import load as keys
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.verify import Companions, Trust, verify

EXAMPLES = Path(__file__).parents[3] / "examples" / "sealing"
SCRIPT = EXAMPLES / "cloud_signer.py"
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "SERVICE_TOKEN": "a token of the test",
    "AUDIT_PASSPHRASE": PASSPHRASE.decode(),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cloud")
    for kind, name in (("p256", "release"), ("p256", "other"), ("x25519", "device")):
        keys.new_key(kind, folder / name, PASSPHRASE, log2_n=CHEAP)
    (folder / "model.tflite").write_bytes(bytes(range(256)) * 8)
    (folder / "policy.yaml").write_text("version: 1\n")
    return folder


@pytest.fixture(scope="module")
def service(world: Path) -> Iterator[str]:
    command = [sys.executable, str(SCRIPT), "serve", "release.key.pem"]
    with subprocess.Popen(command, cwd=world, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running.stdout.readline().strip()
        running.terminate()


def seal(
    world: Path, service: str, out: Path, signer: str = "release", token: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        SCRIPT,
        "seal",
        service,
        f"{signer}.pub.pem",
        "device.pub.pem",
        "model.tflite",
        "policy.yaml",
    ]
    environment = {**ENVIRONMENT, "SERVICE_TOKEN": token or ENVIRONMENT["SERVICE_TOKEN"]}
    environment.pop("AUDIT_PASSPHRASE")
    return subprocess.run(
        [*command, out], cwd=world, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_an_image_and_its_verdict_are_signed_by_another_process(world: Path, service: str, tmp_path: Path) -> None:
    done = seal(world, service, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    public = keys.load_signer_public(world / "release.pub.pem")
    envelope = (tmp_path / "out" / "verdict.dsse.json").read_bytes()
    dsse.verify(envelope, Quorum((public,)), where="verdict")
    image = (tmp_path / "out" / "firmware.bin").read_bytes()
    report = verify(image, trust=Trust.one(public), companions=Companions(policy=b"version: 1\n"))
    assert {check.name for check in report.checks if check.state == "passed"} >= {"image-signature", "policy"}
    device = keys.load_recipient(world / "device.key.pem", PASSPHRASE)
    assert open_model(read(image), device) == (world / "model.tflite").read_bytes()


def test_a_service_with_another_key_is_noticed_and_nothing_is_written(
    world: Path, service: str, tmp_path: Path
) -> None:
    done = seal(world, service, tmp_path / "out", signer="other")
    assert (done.returncode, "signer.failed" in done.stderr) == (4, True)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_token_gets_no_signature(world: Path, service: str, tmp_path: Path) -> None:
    done = seal(world, service, tmp_path / "out", token="guessed")
    assert (done.returncode, "signer.service" in done.stderr) == (4, True)
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_is_away_is_said(world: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        done = seal(world, f"http://127.0.0.1:{taken.getsockname()[1]}", tmp_path / "out")
    assert (done.returncode, "signer.service" in done.stderr) == (4, True)
    assert list(tmp_path.iterdir()) == []


@needs_token
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_the_walk_with_a_token_runs_as_it_stands(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "PKCS11_MODULE": str(MODULE), "AUDIT_PASSPHRASE": PIN.decode()}
    command = ["bash", EXAMPLES / "pkcs11.sh", tmp_path / "token"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Verified OK" in done.stdout
    fingerprints = [line for line in done.stdout.splitlines() if line.startswith("p256 ")]
    assert len(fingerprints) == 2
    assert len(set(fingerprints)) == 1
