"""The walk through sealing runs as it stands, and what its document shows is what it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "sealing"
VARYING = (
    (r"\b[0-9a-f]{8,}\b", "…"),  # digests, keys, signatures
    (r"\b20\d\d-\d\d-\d\d\b", "…"),  # the day on which the key was revoked
    (r"[ \t]+$", ""),
)


def without_what_varies(text: str) -> str:
    for pattern, put in VARYING:
        text = re.sub(pattern, put, text, flags=re.M)
    return text


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which("openssl") is None or shutil.which("bash") is None:
        pytest.skip("needs bash and OpenSSL")
    folder = tmp_path_factory.mktemp("sealing") / "by-hand"
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", EXAMPLE / "by_hand.sh", folder],
        env={**os.environ, "PATH": beside_python},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


def test_every_command_ends_as_it_must(printed: str) -> None:
    assert printed.count("\n$ ") > 40


def test_the_document_shows_what_is_printed(printed: str) -> None:
    real = without_what_varies(printed)
    blocks = re.findall(r"```console\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.S)
    assert len(blocks) > 8
    for block in blocks:
        if "left out:" in real and block.splitlines()[0] not in printed:
            continue  # the machine has no C compiler, or not every library
        assert without_what_varies(block) in real
