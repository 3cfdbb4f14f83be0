"""Whoever answers for a witness names as many keys as they like; a checkpoint stays one that can be read."""

from __future__ import annotations

import pytest

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.note import MAX_SIGNATURES, Note, NoteSignature, parse_note

DATABASES = ("sqlite",)


def named(number: int) -> NoteSignature:
    return NoteSignature(f"example.com/w{number}", bytes(4), bytes(72))


def test_more_cosignatures_than_a_note_holds_are_not_kept(filled: Trail) -> None:
    before = filled.checkpoint()
    assert before is not None
    text = parse_note(before).text
    most = MAX_SIGNATURES - 1
    filled.add_cosignatures(Note(text, tuple(map(named, range(most - 10)))).to_bytes())
    kept = filled.checkpoint()
    with pytest.raises(RejectedError) as caught:
        filled.add_cosignatures(Note(text, tuple(map(named, range(most - 10, most + 1)))).to_bytes())
    assert caught.value.code == "note.malformed"
    assert filled.checkpoint() == kept
    filled.add_cosignatures(Note(text, tuple(map(named, range(most - 10, most)))).to_bytes())
    assert len(parse_note(filled.checkpoint() or b"").signatures) == MAX_SIGNATURES
