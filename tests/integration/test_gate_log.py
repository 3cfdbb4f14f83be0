"""What the gate asks of the log: a checkpoint that covers the run, witnesses, and one that was kept elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from people_world import THEN, Case, person
from small_world import World, carry_out, copy_trail

from audit_pipeline.errors import AuditError, RejectedError
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, Pinned
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteKey, NoteSigner
from audit_pipeline.trail.place import Place
from audit_pipeline.trail.witnesses import WitnessQuorum

WITNESSES = [NoteSigner.generate(f"example.com/w{number}", COSIGNATURE) for number in range(3)]
TWO_OF_THREE = WitnessQuorum(tuple(witness.key for witness in WITNESSES), 2)
STRANGER = NoteSigner.generate("example.com/log")


@pytest.fixture
def case(world: World, sealed: Shipped, tmp_path: Path) -> Case:
    """A sealed run whose policy demands no approval."""
    return Case(world, sealed, tmp_path, world.policy)


def log_key(case: Case) -> NoteKey:
    with Trail.open(case.trail, create=False) as trail:
        identity = trail.log()
    assert identity is not None
    return NoteKey.parse(identity.vkey)


def checkpoint(case: Case) -> bytes:
    with Trail.open(case.trail, create=False) as trail:
        note = trail.checkpoint()
    assert note is not None
    return note


def cosign(case: Case, *witnesses: NoteSigner) -> None:
    """Have witnesses sign the newest checkpoint, as `audit log witness ask` stores it."""
    with Trail.open(case.trail) as trail:
        text = parse_note(checkpoint(case)).text
        for witness in witnesses:
            trail.add_cosignatures(Note(text, (witness.sign(text, seconds=1_770_000_000),)).to_bytes())


def test_the_log_s_own_key_is_taken_at_its_word_and_that_is_said(case: Case) -> None:
    gated = case.gate()
    assert any("signed by the key that the log names itself" in check for check in gated.told.checks)
    assert any("--log-key" in line for line in gated.told.not_demanded)


def test_a_key_from_elsewhere_must_be_the_log_s(case: Case) -> None:
    gated = case.gate(log=LogTrust(log_key(case)))
    assert any("signed by the log's key that was given" in check for check in gated.told.checks)
    assert not any("--log-key" in line for line in gated.told.not_demanded)
    assert case.refusal(log=LogTrust(STRANGER.key)) == "trail.other-log"


def test_as_many_witnesses_as_are_demanded_must_have_cosigned(case: Case) -> None:
    trust = LogTrust(log_key(case), TWO_OF_THREE)
    assert case.refusal(log=trust) == "witness.missing"
    cosign(case, WITNESSES[0])
    assert case.refusal(log=trust) == "witness.missing"
    cosign(case, WITNESSES[2])
    gated = case.gate(log=trust)
    assert "example.com/w0, example.com/w2 cosigned it; 2 of 3 witnesses must" in gated.told.checks
    assert not any("--witness" in line for line in gated.told.not_demanded)


def test_an_approval_that_no_witness_saw_does_not_count_yet(world: World, reviewed: Shipped, tmp_path: Path) -> None:
    case = Case(world, reviewed, tmp_path, world.folder / "reviewed.yaml")
    trust = LogTrust(log_key(case), WitnessQuorum((WITNESSES[0].key,), 1))
    cosign(case, WITNESSES[0])
    case.approve_all()
    assert case.refusal(log=trust) == "witness.missing"
    cosign(case, WITNESSES[0])
    case.gate(log=trust)


def test_a_checkpoint_that_was_kept_elsewhere_must_be_of_this_log(case: Case) -> None:
    pinned = Pinned(checkpoint(case), "pinned")
    case.gate(log=LogTrust(pinned=pinned))
    case.enter("incident", {"kind": "false-alarm"}, at=THEN)
    gated = case.gate(log=LogTrust(log_key(case), pinned=pinned))
    assert any("that was kept elsewhere" in check for check in gated.told.checks)
    assert not any("--checkpoint" in line for line in gated.told.not_demanded)


def test_an_older_copy_of_the_whole_log_is_caught_by_a_checkpoint_kept_elsewhere(case: Case, sealed: Shipped) -> None:
    case.enter("revocation", {"reason": "withdrawn"}, at=THEN)
    assert case.refusal() == "gate.revoked"
    pinned = Pinned(checkpoint(case), "pinned")
    older = case.place / "older"
    older.mkdir()
    case.trail = copy_trail(sealed, older)
    case.gate()
    assert case.refusal(log=LogTrust(pinned=pinned)).startswith("trail.")


def test_a_log_that_was_made_anew_is_caught_by_its_key(case: Case) -> None:
    """Whoever holds the database writes another log with a key of their own, and leaves something out."""
    key = log_key(case)
    with Trail.open(case.trail, create=False) as trail:
        entries = list(trail.entries())
    new = case.place / "new"
    new.mkdir()
    with Trail.open(new / "audit.db") as trail:
        for entry in entries:
            trail.append(entry.kind, run=entry.run, at=entry.at, body=entry.body)
    case.trail = str(new / "audit.db")
    assert case.refusal(log=LogTrust(key)) == "trail.other-log"


def test_a_ship_without_the_log_s_key_begins_no_work(world: World, sealed: Shipped, tmp_path: Path) -> None:
    trail = copy_trail(sealed, tmp_path)
    Path(f"{trail}.key").unlink()
    before = sealed.folder.parent.parent / "audit.db"
    request = world.request("late", tmp_path)
    with pytest.raises(AuditError) as caught:
        carry_out(request)
    assert caught.value.code == "trail.key-missing"
    shutil.copy(Path(f"{before}.key"), tmp_path)
    with Trail.open(trail, create=False) as opened:
        assert list(opened.entries("late")) == []
    assert not (tmp_path / "reports" / "late").exists()


def test_a_ship_into_an_older_copy_of_the_trail_begins_no_work(world: World, sealed: Shipped, tmp_path: Path) -> None:
    older, newer = tmp_path / "older", tmp_path / "newer"
    for place in (older, newer):
        place.mkdir()
        copy_trail(sealed, place)
    key = newer / "audit.db.key"
    with Trail.open(Place(str(newer / "audit.db"), key)) as trail:
        trail.append("incident", run="sealed", at=THEN, body={"kind": "false-alarm"})
    request = world.request("late", tmp_path)
    with pytest.raises(RejectedError) as caught:
        carry_out(replace(request, trail=Place(str(older / "audit.db"), key)))
    assert caught.value.code == "trail.rolled-back"
    assert not (tmp_path / "reports" / "late").exists()


def redact(case: Case, kind: str) -> None:
    """Take the text of one entry of the run out of the log."""
    with Trail.open(case.trail) as trail:
        index = next(entry.index for entry in trail.entries(case.run.evidence.run.id) if entry.kind == kind)
        trail.redact(index, reason="a name got in by mistake", signer=person("officer"), at=THEN)


@pytest.mark.parametrize("kind", ["policy", "data", "model"])
def test_a_run_of_whose_entries_one_was_taken_out_does_not_pass(case: Case, kind: str) -> None:
    redact(case, kind)
    assert case.refusal() == "gate.taken-out"


def test_an_approval_that_was_taken_out_counts_no_more(world: World, reviewed: Shipped, tmp_path: Path) -> None:
    case = Case(world, reviewed, tmp_path, world.folder / "reviewed.yaml")
    case.approve_all()
    redact(case, "approval")
    assert case.refusal() == "gate.unapproved"
