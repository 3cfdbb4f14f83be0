"""The checkpoint that is kept out of reach of the log's keeper: it moves forward over a log that holds, or not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audit_pipeline.trail.checkpoint import Checkpoint
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, Pinned, check_log, unsigned
from audit_pipeline.trail.note import Note, parse_note


@dataclass(frozen=True)
class Anchored:
    """What is to be kept from now on."""

    note: Note
    checkpoint: Checkpoint
    before: Checkpoint | None
    """what was kept until now"""


def anchored(trail: Trail, held: Pinned | None, trust: LogTrust) -> Anchored:
    """The newest checkpoint that may take the place of the one that is kept.

    The log is recomputed and has to pass through what is kept. Signatures already kept under the same checkpoint stay.

    Args:
        trail: the log.
        held: what is kept; None for the first time.
        trust: the log's key, and the witnesses without whose cosignatures nothing is kept.

    Raises:
        RejectedError: as `check_log`; `trail.unsigned` also where no checkpoint reaches as far as what is kept.
    """
    kept = parse_note(held.note, where=held.where) if held is not None else None
    checked = check_log(trail, replace(trust, pinned=held), covers=1)
    covers = checked.pinned.head.size if checked.pinned is not None else 1
    if checked.note is None or checked.signed is None or checked.signed.head.size < covers:
        raise unsigned(trail, covers)
    same = kept is not None and kept.text == checked.note.text
    note = kept.joined(checked.note.signatures) if kept is not None and same else checked.note
    return Anchored(note, checked.signed, checked.pinned)
