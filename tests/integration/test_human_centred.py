"""The walk through one release runs as it stands, and what its document shows is what it prints."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "human-centred.md"
VARYING = (
    (r"[A-Za-z0-9+/]{43,}=*", "…"),  # keys, roots and signatures in base64
    (r"\b[0-9a-f]{8,}\b", "…"),  # digests, key ids
    (r"\b20\d\d-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?\b", "…"),
    (r"\b\d\d:\d\d:\d\dZ", "…"),
    (r"127\.0\.0\.1:\d+", "…"),
    (r"[ \t]+$", ""),
)


def without_what_varies(text: str) -> str:
    for pattern, put in VARYING:
        text = re.sub(pattern, put, text, flags=re.M)
    return text


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    folder = tmp_path_factory.mktemp("human-centred") / "walk"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", ROOT / "examples" / "human-centred" / "walk.sh", folder],
        env={**os.environ, "PATH": beside_python, "WITNESS_PORT": port},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout.replace(f"{folder.resolve()}/", "")


def test_every_command_ends_as_it_must(printed: str) -> None:
    assert printed.count("\n$ ") > 40


def test_the_document_shows_what_is_printed(printed: str) -> None:
    real = without_what_varies(printed)
    blocks = re.findall(r"```console\n(.*?)```", DOCUMENT.read_text(), re.S)
    assert len(blocks) > 12
    for block in blocks:
        assert without_what_varies(block) in real


def test_the_document_shows_every_part_of_the_walk(printed: str) -> None:
    parts = re.findall(r"^## (.*)$", printed, re.M)
    assert len(parts) > 10
    assert [part for part in parts if f"## {part}\n" not in DOCUMENT.read_text()] == []
