"""The walk through one release runs as it stands, and what its document shows is what it prints."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from walked_document import Walk

ROOT = Path(__file__).parents[2]
WALK = Walk(
    script=ROOT / "examples" / "human-centred" / "walk.sh",
    document=ROOT / "docs" / "human-centred.md",
    daily_until="\npart 'Development: a looser threshold'\n",
    varying=(
        (r"[A-Za-z0-9+/]{43,}=*", "…"),  # keys, roots and signatures in base64
        (r"\b[0-9a-f]{8,}\b", "…"),  # digests, key ids
        (r"\b20\d\d-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?\b", "…"),
        (r"\b\d\d:\d\d:\d\dZ", "…"),
        (r"127\.0\.0\.1:\d+", "…"),
        (r"[ \t]+$", ""),
    ),
)


def free_port() -> dict[str, str]:
    """Where the witness of the walk listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {"WITNESS_PORT": str(free.getsockname()[1])}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return WALK.printed(tmp_path_factory.mktemp("human-centred") / "walk", free_port())


def test_the_beginning_shows_what_is_printed(tmp_path: Path) -> None:
    """The whole walk, from the refusal to what a keeper cannot take back, is run by `make bench-tests`."""
    assert WALK.require_shown(WALK.printed_daily(tmp_path, free_port()), of_daily=True) > 2


def test_the_document_shows_every_part_of_the_walk_and_no_other_command() -> None:
    """Whatever the day's beginning leaves out."""
    script, text = WALK.script.read_text(), WALK.document.read_text()
    parts = re.findall(r"^part '(.*)'$", script, re.M)
    assert len(parts) > 10
    assert [part for part in parts if f"## {part}\n" not in text] == []
    known = script.replace("$port", "8099").replace('\\"', '"')
    assert [line for line in WALK.commands() if f"'{line}'" not in known and f'"{line}"' not in known] == []


@pytest.mark.bench
def test_every_command_ends_as_it_must(printed: str) -> None:
    assert printed.count("\n$ ") > 40


@pytest.mark.bench
def test_the_document_shows_what_is_printed(printed: str) -> None:
    """The whole of it; its beginning is looked at every day."""
    assert WALK.require_shown(printed) > 12


@pytest.mark.bench
def test_the_document_shows_every_part_that_was_walked(printed: str) -> None:
    parts = re.findall(r"^## (.*)$", printed, re.M)
    assert len(parts) > 10
    assert [part for part in parts if f"## {part}\n" not in WALK.document.read_text()] == []
