"""Whose cosignatures a checkpoint must carry: k of n witnesses, counted by the bytes of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.note import Note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteKey, verified


@dataclass(frozen=True)
class WitnessQuorum:
    """Witnesses, of which `threshold` distinct ones must have cosigned.

    Raises:
        InputError: `witness.threshold`, which these could never reach, or `witness.key`, one is no witness's key.
    """

    keys: tuple[NoteKey, ...]
    threshold: int

    def __post_init__(self) -> None:
        for key in self.keys:
            if key.kind != COSIGNATURE:
                raise InputError(
                    "witness.key",
                    f"{key.to_vkey()} is a log's key, not a witness's",
                    hint="give the vkey that the witness prints when it starts",
                )
        distinct = len({key.public for key in self.keys})
        if not 1 <= self.threshold <= distinct:
            raise InputError(
                "witness.threshold",
                f"{self.threshold} cosignatures can never come from {distinct} distinct witnesses",
                hint="ask for one at least, and for no more than there are witnesses",
            )


def require_witnesses(
    note: Note, log: NoteKey, quorum: WitnessQuorum, *, where: str | None = None
) -> Sequence[NoteKey]:
    """The witnesses that cosigned a checkpoint, if they are enough.

    A key that is the log's own counts for nothing here, whatever name it goes by.

    Raises:
        RejectedError: `witness.missing`, or `note.signature`.
    """
    others = [key for key in quorum.keys if key.public != log.public]
    cosigned = verified(note, others, where=where)
    if len(cosigned) < quorum.threshold:
        missing = [key.name for key in others if key not in cosigned]
        raise RejectedError(
            "witness.missing",
            f"{len(cosigned)} of the {quorum.threshold} witnesses asked for cosigned this checkpoint; "
            f"not {', '.join(map(repr, missing)) or 'any that is not the log itself'}",
            where=where,
            hint="`audit log witness ask URL` asks a witness for its cosignature and stores it",
        )
    return cosigned
