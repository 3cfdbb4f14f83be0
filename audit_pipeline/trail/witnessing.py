"""A log's newest checkpoint brought to a witness, and the cosignature brought home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_pipeline.trail.checkpoint import Checkpoint
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, log_key, newest_signed, unsigned
from audit_pipeline.trail.note import NoteSignature
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.witness.client import ask_witness


@dataclass(frozen=True)
class NewlyCosigned:
    """A checkpoint, and what a witness just signed under it."""

    checkpoint: Checkpoint
    signatures: tuple[NoteSignature, ...]


def ask_for_cosignature(trail: Trail, url: str, expected: Sequence[NoteKey], trust: LogTrust) -> NewlyCosigned:
    """Have a witness cosign the newest checkpoint, and enter its cosignature in the trail.

    Args:
        trail: the log.
        url: of the witness.
        expected: its keys; where there are any, only their cosignatures are taken, and are checked.
        trust: the log's key, where it is known from elsewhere.

    Raises:
        AuditError: as `witness.client.ask_witness`, `log_trust.log_key` and `Trail.add_cosignatures`; the trail is as
            it was.
    """
    key = log_key(trail, trust)
    signed = newest_signed(trail, key) if key is not None else None
    if key is None or signed is None:
        raise unsigned(trail, 1)
    size = signed.checkpoint.head.size
    given = ask_witness(url, signed.note, key, lambda old: trail.consistency(old, size), keys=expected)
    trail.add_cosignatures(signed.note.joined(given).to_bytes())
    return NewlyCosigned(signed.checkpoint, given)
