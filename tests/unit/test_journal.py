from __future__ import annotations

from pathlib import Path

import pytest

from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.journal import Journal
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.memory import Memory
from audit_pipeline.trail.note import Note

POLICY = PolicyPart(name="small", file="fair.yaml", sha256="a2" * 32, document={"human_centred": {"author": "a"}})


def now() -> str:
    return "2026-01-01T00:00:00Z"


def kinds(trail: Trail) -> list[str]:
    return [entry.kind for entry in trail.entries("one")]


def test_a_run_that_breaks_off_is_entered_as_broken_off(tmp_path: Path) -> None:
    with Trail.open(tmp_path / "audit.db") as trail:
        with pytest.raises(ZeroDivisionError), Journal(trail, "one", now) as journal:
            journal.begin(POLICY, "0" * 64)
            raise ZeroDivisionError
        assert kinds(trail) == ["policy", "aborted"]
        with pytest.raises(InputError) as caught, Journal(trail, "one", now):
            pass
        assert caught.value.code == "run.known"


def test_of_two_runs_of_one_name_at_once_one_begins_and_the_other_leaves_no_word_in_its_name(tmp_path: Path) -> None:
    with Trail.open(tmp_path / "audit.db") as trail, Journal(trail, "one", now) as first:
        with pytest.raises(InputError) as caught, Journal(trail, "one", now) as second:
            first.begin(POLICY, "0" * 64)
            second.begin(POLICY, "0" * 64)
        assert caught.value.code == "run.known"
        assert kinds(trail) == ["policy"]


def test_a_run_that_never_began_is_not_broken_off(tmp_path: Path) -> None:
    with Trail.open(tmp_path / "audit.db") as trail:
        with pytest.raises(ZeroDivisionError), Journal(trail, "one", now):
            raise ZeroDivisionError
        assert kinds(trail) == []


def test_a_seal_that_was_recorded_and_not_signed_for_is_entered_as_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(memory: Memory, note: Note) -> None:
        raise ToolError("trail.memory-unwritten", "the disk is full")

    with Trail.open(tmp_path / "audit.db") as trail:
        with pytest.raises(ToolError), Journal(trail, "one", now) as journal:
            journal.begin(POLICY, "0" * 64)
            monkeypatch.setattr(Memory, "remember", full)
            journal.enter("seal", {})
        assert kinds(trail) == ["policy", "seal", "aborted"]
