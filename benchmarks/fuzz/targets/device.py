"""The C verifier of `signing/device`, under sanitizers: it must take and refuse the same images as `audit verify`.

An input is the number of a sample, whose keys the device has, and an image. Of an image with several faults the two may
name different ones, because they look in another order.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from audit_pipeline.seal.keys.forms import RecipientPrivate, kind_of, spki
from audit_pipeline.seal.verify import Trust, verify
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.samples import genuine
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.targets import images, tlvs
from benchmarks.fuzz.watch import Watch, require
from benchmarks.seal_material import build_verifier


@dataclass(frozen=True)
class _Device:
    """The program, which answers a line for each line."""

    folder: Path
    program: subprocess.Popen[bytes]
    answers: IO[bytes]

    @classmethod
    def start(cls, folder: Path) -> _Device:
        """Build it and write the keys; the terminal makes it answer at once and not when its buffer is full."""
        programs = build_verifier(folder, sanitized=True).programs
        for number, sealed in enumerate(genuine()):
            Path(folder, f"{number}.der").write_bytes(spki(sealed.signer.public))
            Path(folder, f"{number}.raw").write_bytes(_raw(sealed.recipient))
        terminal, its_end = os.openpty()
        program = subprocess.Popen([programs / "audit-image", "--batch"], stdin=subprocess.PIPE, stdout=its_end)
        os.close(its_end)
        return cls(folder, program, os.fdopen(terminal, "rb"))

    def says(self, number: int, image: bytes) -> str:
        """Its status of an image: "ok", or a code."""
        path = self.folder / "image"
        path.write_bytes(image)
        kind = kind_of(genuine()[number].recipient)
        line = "\t".join((str(path), str(self.folder / f"{number}.der"), kind, str(self.folder / f"{number}.raw")))
        assert self.program.stdin is not None
        try:
            self.program.stdin.write(f"{line}\n".encode())
            self.program.stdin.flush()
            return self.answers.readline().decode().strip()
        except OSError:
            return "nothing: the program has ended"


def _raw(key: RecipientPrivate) -> bytes:
    """32 bytes as a device holds them."""
    if isinstance(key, EllipticCurvePrivateKey):
        return key.private_numbers().private_value.to_bytes(32, "big")
    return key.private_bytes_raw()


@cache
def _device() -> _Device:
    return _Device.start(Path(tempfile.mkdtemp(prefix="audit-fuzz-")))


def target() -> Target:
    """Two readers, written apart, take the same images, and none but genuine ones under their own keys."""
    _device()
    documented = images.codes() | codes_of(["decrypt"])
    samples = tuple(bytes([number]) + sealed.image for number, sealed in enumerate(genuine()))
    return Target(samples, _alter, _judge, documented - {"release.image"})


def _alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    alter = draw.choice((images.alter, tlvs.alter))
    image = alter(draw, data[1:], [other[1:] for other in others])
    # Mostly whose image it is, as far as its bytes still show.
    near = [number for number, sealed in enumerate(genuine()) if sealed.image[32:48] == image[32:48]]
    return bytes([draw.choice(near or [draw.randrange(len(genuine()))])]) + image


def _judge(watch: Watch, data: bytes) -> None:
    number, image = data[0] % len(genuine()) if data else 0, data[1:]
    sealed = genuine()[number]
    watch.ask(lambda: verify(image, trust=Trust.one(sealed.signer.public), recipient=sealed.recipient))
    audit, device = watch.refusal or "ok", _device().says(number, image)
    require(device == "ok" or device.startswith("image."), f"the device says {device}")
    require((audit == "ok") == (device == "ok"), f"audit verify says {audit}, the device {device}")
