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
EXAMPLE = ROOT / "examples" / "human-centred"
DAILY_UNTIL = "\npart 'Development: a looser threshold'\n"
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


def walk(example: Path, folder: Path) -> str:
    """What the walk prints that lies in `example`."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", example / "walk.sh", folder],
        env={**os.environ, "PATH": beside_python, "WITNESS_PORT": port},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout.replace(f"{folder.resolve()}/", "")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return walk(EXAMPLE, tmp_path_factory.mktemp("human-centred") / "walk")


@pytest.fixture(scope="module")
def printed_daily(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the walk as far as its first refusal."""
    folder = tmp_path_factory.mktemp("human-centred-daily")
    example = Path(shutil.copytree(EXAMPLE, folder / "example"))
    whole = (example / "walk.sh").read_text()
    assert whole.count(DAILY_UNTIL) == 1
    (example / "walk.sh").write_text(whole[: whole.index(DAILY_UNTIL)])
    return walk(example, folder / "walk")


def blocks_of_document() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", DOCUMENT.read_text(), re.S)
    assert len(blocks) > 12
    return blocks


def test_the_beginning_shows_what_is_printed(printed_daily: str) -> None:
    """The whole walk, from the refusal to what a keeper cannot take back, is run by `make bench-tests`."""
    real, typed = without_what_varies(printed_daily), printed_daily.splitlines()
    shown = [block for block in blocks_of_document() if block.splitlines()[0] in typed]
    assert len(shown) > 2
    for block in shown:
        assert without_what_varies(block) in real


def test_the_document_shows_every_part_of_the_walk_and_no_other_command() -> None:
    """Whatever the day's beginning leaves out."""
    script, text = (EXAMPLE / "walk.sh").read_text(), DOCUMENT.read_text()
    parts = re.findall(r"^part '(.*)'$", script, re.M)
    assert len(parts) > 10
    assert [part for part in parts if f"## {part}\n" not in text] == []
    typed = [line[2:] for block in blocks_of_document() for line in block.splitlines() if line.startswith("$ ")]
    known = script.replace("$port", "8099").replace('\\"', '"')
    assert [command for command in typed if f"'{command}'" not in known and f'"{command}"' not in known] == []


@pytest.mark.bench
def test_every_command_ends_as_it_must(printed: str) -> None:
    assert printed.count("\n$ ") > 40


@pytest.mark.bench
def test_the_document_shows_what_is_printed(printed: str) -> None:
    """The whole of it; its beginning is looked at every day."""
    real = without_what_varies(printed)
    for block in blocks_of_document():
        assert without_what_varies(block) in real


@pytest.mark.bench
def test_the_document_shows_every_part_that_was_walked(printed: str) -> None:
    parts = re.findall(r"^## (.*)$", printed, re.M)
    assert len(parts) > 10
    assert [part for part in parts if f"## {part}\n" not in DOCUMENT.read_text()] == []
