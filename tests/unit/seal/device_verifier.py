"""The C verifier of `signing/device`, built in a folder of the test's own and run over many images at once."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from audit_pipeline.seal.keys.forms import RecipientPrivate, SignerPublic, spki

SOURCE = Path(__file__).resolve().parents[3] / "signing" / "device"
_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Opening:
    """An image, and the keys that a device would open it with."""

    image: bytes
    signer: SignerPublic
    recipient: RecipientPrivate


@dataclass(frozen=True)
class Opened:
    """What the program said: the status, and where it is "ok" the values of the image and the model."""

    status: str
    values: dict[str, str] = field(default_factory=dict)
    model: bytes | None = None


@dataclass(frozen=True)
class DeviceVerifier:
    """The programs that `make` left in a folder."""

    programs: Path

    def statuses(self, openings: Sequence[Opening]) -> list[str]:
        """The status of each image, "ok" or a code, from one run of the program."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lines = [_written(opening, folder, str(index)) for index, opening in enumerate(openings)]
            told = self.run("audit-image", "--batch", given="".join("\t".join(line) + "\n" for line in lines))
        assert told.returncode == 0, told.stderr
        return told.stdout.split()

    def open(self, opening: Opening, *options: str) -> Opened:
        """Open one image; `options` are those of the program."""
        with tempfile.TemporaryDirectory() as name:
            image, signer, kind, recipient = _written(opening, Path(name), "one")
            model = Path(name) / "model.tflite"
            keys = ("--signer", signer, f"--{kind}", recipient)
            told = self.run("audit-image", image, *keys, "--out", str(model), *options)
            status, *lines = told.stdout.splitlines()
            assert (told.returncode, told.stderr) == (0 if status == "ok" else 1, ""), told.stderr
            values = dict(line.split(maxsplit=1) for line in lines)
            return Opened(status, values, model.read_bytes() if model.exists() else None)

    def fuzz(self, opening: Opening, what: str, seed: int = 0) -> dict[str, int]:
        """How often each status came when the image was altered: "flips", "truncations" or a number of mutations."""
        with tempfile.TemporaryDirectory() as name:
            told = self.run("fuzz-image", *_written(opening, Path(name), "one"), what, str(seed))
        assert told.returncode == 0, told.stderr
        return {status: int(times) for status, times in (line.split() for line in told.stdout.splitlines())}

    def run(self, program: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run `audit-image` or `fuzz-image`."""
        return subprocess.run(
            [self.programs / program, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )


def build_verifier(folder: Path, *, sanitized: bool = False) -> DeviceVerifier:
    """Compile the verifier into a folder, which then has it in `build`; warnings are errors."""
    build = folder / "build"
    goal = "check" if sanitized else "all"
    command = ["make", "--silent", "-C", str(SOURCE), "CC=gcc", f"BUILD={build}", goal]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, ""), made.stderr
    return DeviceVerifier(build / "check" if sanitized else build)


def lacking_for_host() -> str | None:
    """What this machine lacks to build and run the verifier; None where it has all."""
    missing = [tool for tool in ("gcc", "make") if shutil.which(tool) is None]
    if missing:
        return f"no {' and no '.join(missing)} on this machine"
    headers = [f"-include{header}" for header in ("mbedtls/ecdh.h", "sodium.h")]
    found = (
        subprocess.run(["gcc", "-E", *headers, "-xc", "/dev/null"], capture_output=True, check=False).returncode == 0
    )
    return None if found else "no headers of mbed TLS or libsodium (libmbedtls-dev, libsodium-dev)"


def raw_private(key: RecipientPrivate) -> tuple[str, bytes]:
    """A recipient's kind, and its 32 bytes as a device holds them."""
    if isinstance(key, EllipticCurvePrivateKey):
        return "p256", key.private_numbers().private_value.to_bytes(32, "big")
    return "x25519", key.private_bytes_raw()


def _written(opening: Opening, folder: Path, stem: str) -> tuple[str, str, str, str]:
    kind, raw = raw_private(opening.recipient)
    parts = ((".bin", opening.image), (".pub.der", spki(opening.signer)), (".raw", raw))
    paths = []
    for suffix, content in parts:
        path = folder / f"{stem}{suffix}"
        path.write_bytes(content)
        paths.append(str(path))
    image, signer, recipient = paths
    return image, signer, kind, recipient
