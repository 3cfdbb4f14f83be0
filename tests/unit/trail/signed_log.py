"""What tests of signed logs share: entries, the files beside a log, and the code of what was refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_pipeline.errors import AuditError
from audit_pipeline.trail.checkpoint import signed_checkpoint
from audit_pipeline.trail.log_key import read_log_key
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner

AT = "2026-05-04T12:00:00Z"
WITNESS = NoteSigner.generate("example.com/w1", COSIGNATURE)


def enter(trail, number=0):
    return trail.append("data", run="run", at=AT, body={"number": number})


def head_of(note, trail):
    return signed_checkpoint(parse_note(note), trail.log().key()).head


def key_of(path):
    return path.with_name(f"{path.name}.key")


def memory_of(path):
    return path.with_name(f"{path.name}.key.checkpoint")


def signer_of(trail, place):
    return read_log_key(place.key or key_of(Path(place.url)), trail.log(), log="")


def code(function, *given, **named):
    with pytest.raises(AuditError) as caught:
        function(*given, **named)
    return caught.value.code
