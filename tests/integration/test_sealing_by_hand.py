"""The walk through sealing runs as it stands, and what its document shows is what it prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from walked_document import Walk

EXAMPLE = Path(__file__).parents[2] / "examples" / "sealing"
WALK = Walk(
    script=EXAMPLE / "by_hand.sh",
    document=EXAMPLE / "README.md",
    daily_until="\npart 'What is refused'\n",
    varying=(
        (r"\+A[A-Za-z0-9+/]{43}\b", "+…"),  # a log's public key
        (r"\b[0-9a-f]{8,}\b", "…"),  # digests, keys, signatures
        (r"\b20\d\d-\d\d-\d\d\b", "…"),  # the day on which the key was revoked
        (r"[ \t]+$", ""),
    ),
    needs=("bash", "openssl"),
)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return WALK.printed(tmp_path_factory.mktemp("sealing") / "by-hand")


def test_the_first_half_shows_what_is_printed(tmp_path: Path) -> None:
    """The whole walk, some eighty processes long, is run by `make bench-tests`."""
    assert WALK.require_shown(WALK.printed_daily(tmp_path), of_daily=True) > 3


def test_every_command_of_the_document_is_one_of_the_walk() -> None:
    """Whatever the day's half leaves out."""
    script = WALK.script.read_text()
    assert [command for command in WALK.commands() if f"'{command}'" not in script] == []


@pytest.mark.bench
def test_every_command_ends_as_it_must(printed: str) -> None:
    assert printed.count("\n$ ") > 40


@pytest.mark.bench
def test_the_document_shows_what_is_printed(printed: str) -> None:
    """The whole of it; its first half is looked at every day."""
    assert WALK.require_shown(printed) > 8
