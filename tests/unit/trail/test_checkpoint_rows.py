"""Checkpoints as a database holds them: cosignatures that come later, and rows that somebody edited."""

from __future__ import annotations

import pytest
from signed_log import WITNESS, code, enter, signer_of

from audit_pipeline.trail.checkpoint import Checkpoint, sign_checkpoint
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import NoteSigner, verified


def cosigned(trail, *witnesses, seconds=1):
    note = parse_note(trail.checkpoint())
    return note.joined(witness.sign(note.text, seconds=seconds) for witness in witnesses).to_bytes()


def test_cosignatures_come_to_the_checkpoint_that_they_are_of(filled):
    before = filled.checkpoint()
    filled.add_cosignatures(cosigned(filled, WITNESS))
    note = parse_note(filled.checkpoint())
    assert verified(note, [filled.log().key(), WITNESS.key]) == (filled.log().key(), WITNESS.key)
    assert note.to_bytes().startswith(before)
    assert sum(1 for _ in filled.checkpoints()) == 11


def test_the_same_cosignature_is_kept_once(filled):
    rows = "SELECT count(*) FROM checkpoint"
    for _ in range(3):
        filled.add_cosignatures(cosigned(filled, WITNESS))
    with filled._engine.connect() as connection:
        assert connection.exec_driver_sql(rows).scalar_one() == 12


def test_a_witness_that_is_asked_every_hour_does_not_fill_a_checkpoint(trail):
    enter(trail)
    for seconds in range(1, 110):
        trail.add_cosignatures(cosigned(trail, WITNESS, seconds=seconds))
    (note,) = trail.checkpoints()
    assert [int.from_bytes(line.signature[:8]) for line in parse_note(note).signatures[1:]] == [109]


def test_cosignatures_of_an_older_checkpoint_stay_with_it(trail):
    enter(trail)
    older = cosigned(trail, WITNESS)
    enter(trail)
    trail.add_cosignatures(older)
    newest, before = trail.checkpoints()
    assert len(parse_note(newest).signatures) == 1
    assert before == older


def test_a_checkpoint_that_the_log_never_signed_is_not_kept(filled, place):
    signer = NoteSigner.generate(filled.log().origin)
    foreign = sign_checkpoint(signer, TreeHead(10, "ab" * 32))
    assert code(filled.add_cosignatures, foreign.to_bytes()) == "checkpoint.unknown"
    assert code(filled.add_cosignatures, b"no note") == "note.malformed"
    real = signer_of(filled, place)
    for size in (10, 12, 1 << 40, (1 << 63) - 1):
        text = Checkpoint(real.key.name, TreeHead(size, "ab" * 32)).to_text()
        assert code(filled.add_cosignatures, Note(text, (real.sign(text),)).to_bytes()) == "checkpoint.unknown"


# A database that somebody edited


def test_two_checkpoints_of_one_size_show_a_fork(filled, rewrite, place):
    real = signer_of(filled, place)
    other = sign_checkpoint(real, TreeHead(11, "ab" * 32)).to_bytes().decode()
    rewrite(f"INSERT INTO checkpoint (number, size, note) VALUES (11, 11, '{other}')")
    assert code(filled.checkpoint) == "trail.forked"


@pytest.mark.parametrize("note", ["", "no note", "a\n3\nb\n\n— a AAAAAAA=\n"])
def test_a_row_that_is_no_checkpoint_is_refused(filled, rewrite, note):
    rewrite(f"INSERT INTO checkpoint (number, size, note) VALUES (11, 12, '{note}')")
    assert code(filled.checkpoint) in {"note.malformed", "checkpoint.unsigned"}


def test_a_checkpoint_under_another_size_is_refused(filled, rewrite):
    rewrite("UPDATE checkpoint SET size = 99 WHERE size = 3")
    assert code(filled.checkpoint) == "checkpoint.size"


def test_deleted_checkpoints_are_remembered_outside(filled, rewrite, place):
    newest = filled.checkpoint()
    rewrite("DELETE FROM checkpoint")
    assert filled.checkpoint() is None
    with Trail.open(place) as trail:
        assert trail.checkpoint() == newest
