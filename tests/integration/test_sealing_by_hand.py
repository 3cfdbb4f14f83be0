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
    (r"\+A[A-Za-z0-9+/]{43}\b", "+…"),  # a log's public key
    (r"\b[0-9a-f]{8,}\b", "…"),  # digests, keys, signatures
    (r"\b20\d\d-\d\d-\d\d\b", "…"),  # the day on which the key was revoked
    (r"[ \t]+$", ""),
)
DAILY_UNTIL = "\npart 'What is refused'\n"


def without_what_varies(text: str) -> str:
    for pattern, put in VARYING:
        text = re.sub(pattern, put, text, flags=re.M)
    return text


def walk(example: Path, folder: Path) -> str:
    """What the walk prints that lies in `example`."""
    if shutil.which("openssl") is None or shutil.which("bash") is None:
        pytest.skip("needs bash and OpenSSL")
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", example / "by_hand.sh", folder],
        env={**os.environ, "PATH": beside_python},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return walk(EXAMPLE, tmp_path_factory.mktemp("sealing") / "by-hand")


@pytest.fixture(scope="module")
def printed_daily(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the walk as far as it seals and verifies."""
    folder = tmp_path_factory.mktemp("sealing-daily")
    example = Path(shutil.copytree(EXAMPLE, folder / "example"))
    whole = (example / "by_hand.sh").read_text()
    assert whole.count(DAILY_UNTIL) == 1
    (example / "by_hand.sh").write_text(whole[: whole.index(DAILY_UNTIL)])
    return walk(example, folder / "by-hand")


def blocks_of_document() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.S)
    assert len(blocks) > 8
    return blocks


def test_the_first_half_shows_what_is_printed(printed_daily: str) -> None:
    """The whole walk, some eighty processes long, is run by `make bench-tests`."""
    real, typed = without_what_varies(printed_daily), printed_daily.splitlines()
    shown = [block for block in blocks_of_document() if block.splitlines()[0] in typed]
    assert len(shown) > 3
    for block in shown:
        assert without_what_varies(block) in real


def test_every_command_of_the_document_is_one_of_the_walk() -> None:
    """Whatever the day's half leaves out."""
    script = (EXAMPLE / "by_hand.sh").read_text()
    typed = [line[2:] for block in blocks_of_document() for line in block.splitlines() if line.startswith("$ ")]
    assert [command for command in typed if f"'{command}'" not in script] == []


@pytest.mark.bench
def test_every_command_ends_as_it_must(printed: str) -> None:
    assert printed.count("\n$ ") > 40


@pytest.mark.bench
def test_the_document_shows_what_is_printed(printed: str) -> None:
    """The whole of it; its first half is looked at every day."""
    real = without_what_varies(printed)
    for block in blocks_of_document():
        if "left out:" in real and block.splitlines()[0] not in printed:
            continue  # the machine has no C compiler, or not every library
        assert without_what_varies(block) in real
