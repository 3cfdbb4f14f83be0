"""Whose word on a log counts, and the log held against it.

Hashes show that a log is whole in itself. That nobody rewrote it whole is shown by what its holder does not hold: a
checkpoint that was kept elsewhere, or witnesses. What was asked for must be there; what was not asked for is only said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import Checkpoint, signed_checkpoint
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.recorded import Recorded
from audit_pipeline.trail.witnesses import WitnessQuorum, require_witnesses


@dataclass(frozen=True)
class Pinned:
    """A checkpoint that was kept elsewhere than the log."""

    note: bytes
    where: str
    """its file, for messages"""


@dataclass(frozen=True)
class LogTrust:
    """What a log is held against."""

    key: NoteKey | None = None
    """the log's, from elsewhere; None to take the one that the log names itself"""
    witnesses: WitnessQuorum | None = None
    pinned: Pinned | None = None


@dataclass(frozen=True)
class LogChecked:
    """A log that holds."""

    head: TreeHead
    """recomputed"""
    entries: Recorded
    """those that were hashed for it, and no others; to be asked while the trail is open"""
    key: NoteKey | None
    """whose checkpoints were checked; None for a log that has no key yet"""
    signed: Checkpoint | None
    """the newest one that the key has signed, and enough witnesses too where any were asked for; None where the log
    has none and nobody asked for one"""
    cosigned: tuple[NoteKey, ...] = ()
    """of the witnesses asked for, those that cosigned it"""
    pinned: Checkpoint | None = None
    """the one kept elsewhere, which the log extends"""
    note: Note | None = None
    """the newest checkpoint with all its signatures"""
    remembered: TreeHead | None = None
    """what the log's key remembers to have signed, where that was at hand; the log has passed through it"""


@dataclass(frozen=True)
class Signed:
    """A checkpoint that stands in the log's database, and that its key has signed."""

    note: Note
    checkpoint: Checkpoint
    cosigned: tuple[NoteKey, ...]
    """of the witnesses asked for, those that cosigned it"""


def check_log(trail: Trail, trust: LogTrust, *, seen: Iterable[TreeHead] = (), covers: int = 0) -> LogChecked:
    """Recompute a log and hold it against its signed checkpoints, the witnesses and a pinned checkpoint.

    Args:
        trail: the log.
        trust: what to hold it against.
        seen: heads noted elsewhere, see `Trail.verify`.
        covers: how many entries the signed checkpoint must cover; 0 where any will do, or none.

    Raises:
        RejectedError: `trail.*`, what was changed; `trail.other-log`, it is another log than the key's;
            `trail.unsigned`, no checkpoint covers so many entries; `witness.missing`; or `note.*` and `checkpoint.*`,
            a checkpoint is none of this log's.
    """
    key = log_key(trail, trust)
    # Asked before the log is read, which may grow meanwhile.
    remembered = trail.remembered()
    pinned = _pinned(trust.pinned, key) if trust.pinned else None
    demanded = max(covers, 1) if trust != LogTrust() else covers
    signed = newest_signed(trail, key, trust.witnesses, demanded) if key is not None else None
    if demanded and signed is None:
        raise unsigned(trail, demanded)
    checkpoint = signed.checkpoint if signed else None
    heads = (remembered, pinned.head if pinned else None, checkpoint.head if checkpoint else None)
    log = trail.verified(seen=(*seen, *(each for each in heads if each is not None)))
    return LogChecked(
        head=log.head,
        entries=log.entries,
        key=key,
        signed=checkpoint,
        cosigned=signed.cosigned if signed else (),
        pinned=pinned,
        note=signed.note if signed else None,
        remembered=remembered,
    )


def log_key(trail: Trail, trust: LogTrust) -> NoteKey | None:
    """The key that was given, else the one that the log names; None where there is neither.

    Raises:
        RejectedError: `trail.other-log`, the log names another one than the given.
    """
    identity = trail.log()
    own = identity.key() if identity is not None else None
    if trust.key is not None and own is not None and own.public != trust.key.public:
        raise RejectedError(
            "trail.other-log",
            f"this log is signed by the key {own.to_vkey()}",
            where=trail.where,
            hint="give the trail that belongs to the key, or the key that its maker gives you",
        )
    return trust.key or own


def unsigned(trail: Trail, covers: int) -> RejectedError:
    """That no checkpoint of a log covers so many entries."""
    return RejectedError(
        "trail.unsigned",
        f"the log's key has signed no checkpoint of {covers} entries or more",
        where=trail.where,
        hint="the next command that writes to the trail signs one with the log's key",
    )


def _pinned(pinned: Pinned, key: NoteKey | None) -> Checkpoint:
    if key is None:
        raise RejectedError(
            "trail.unsigned",
            "there is a pinned checkpoint, and the log was never signed",
            where=pinned.where,
            hint="treat the log as another one than the checkpoint's",
        )
    return signed_checkpoint(parse_note(pinned.note, where=pinned.where), key, where=pinned.where)


def newest_signed(trail: Trail, key: NoteKey, witnesses: WitnessQuorum | None = None, covers: int = 0) -> Signed | None:
    """The newest checkpoint that covers so many entries and that enough witnesses have cosigned; None without one.

    Raises:
        RejectedError: `witness.missing`, only the witnesses lack; or `note.*` and `checkpoint.*`, as `check_log`.
    """
    lacking: RejectedError | None = None
    for content in trail.checkpoints():
        note = parse_note(content, where=trail.where)
        checkpoint = signed_checkpoint(note, key, where=trail.where)
        if checkpoint.head.size < covers:
            break
        try:
            cosigned = require_witnesses(note, key, witnesses, where=trail.where) if witnesses is not None else ()
            return Signed(note, checkpoint, tuple(cosigned))
        except RejectedError as error:
            if error.code != "witness.missing":
                raise
            lacking = lacking or error
    if lacking is not None:
        raise lacking
    return None
