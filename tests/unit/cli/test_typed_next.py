"""The command that is typed next is one that can be typed, and tells no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_pipeline.cli.reviewer import command
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL
from audit_pipeline.trail.place import Place


def test_what_was_given_is_given_again_and_quoted() -> None:
    typed = command("waive", "my run", trust=Path("t.yaml"), roots=[Path("a.pem")], trail=Place("the log.db"))
    assert typed == "audit waive 'my run' --trust t.yaml --root a.pem --trail 'the log.db'"
    assert command("release", "run", "--policy", "POLICY", trail=DEFAULT_TRAIL) == "audit release run --policy POLICY"


def test_a_server_is_named_as_it_was() -> None:
    assert command("waive", "run", trail=Place("postgresql://me@host/db")).endswith("--trail postgresql://me@host/db")


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "postgresql://me@/db?host=%2Frun&password=secret"])
def test_an_address_that_may_hold_a_password_is_not_repeated_nor_half_of_it(url: str) -> None:
    assert command("waive", "run", trail=Place(url)) == "audit waive run --trail URL"
