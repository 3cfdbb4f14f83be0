"""How a trail's database holds which log it is, and what was signed of it.

Rows come from a database that anybody may have edited: what is read is checked with the log's key, and which key that
is has to be known from elsewhere where it matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sqlalchemy import BigInteger, Connection, bindparam, func, insert, select
from sqlmodel import col

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import MAX_SIZE, Checkpoint, signed_checkpoint
from audit_pipeline.trail.log_key import LogIdentity
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.prepared import Prepared
from audit_pipeline.trail.tables import CheckpointRow, LogRow

_asked = partial(bindparam, type_=BigInteger)
"""A size to compare with: whoever names one may name one that no column of a server holds."""

_LOG = select(col(LogRow.origin), col(LogRow.vkey))
_NEXT = select(func.coalesce(func.max(col(CheckpointRow.number)) + 1, 0)).scalar_subquery()
_ENTER = Prepared(insert(CheckpointRow).values(number=_NEXT, size=bindparam("size"), note=bindparam("note")))
_THIS = Prepared(
    select(col(CheckpointRow.number)).where(
        col(CheckpointRow.size) == _asked("size"), col(CheckpointRow.note) == bindparam("note")
    )
)
_ANY = select(col(CheckpointRow.number)).limit(1)
_LARGEST = select(func.max(col(CheckpointRow.size))).where(col(CheckpointRow.size) <= _asked("most"))
_OF_SIZE = (
    select(col(CheckpointRow.number), col(CheckpointRow.note))
    .where(col(CheckpointRow.size) == _asked("size"))
    .order_by(col(CheckpointRow.number))
)


def read_identity(connection: Connection) -> LogIdentity | None:
    """Which log this is; None where it has no key yet."""
    row = connection.execute(_LOG).first()
    return None if row is None else LogIdentity(str(row.origin), str(row.vkey))


def enter_identity(connection: Connection, identity: LogIdentity) -> None:
    """Set which log this is, once and for ever."""
    connection.execute(insert(LogRow).values(id=1, origin=identity.origin, vkey=identity.vkey))


def enter_checkpoint(connection: Connection, size: int, note: Note) -> None:
    """Add a signed checkpoint, or further signatures to one."""
    _ENTER.run(connection, {"size": size, "note": note.to_bytes().decode()})


def enter_cosignatures(connection: Connection, note: Note, where: str) -> None:
    """Add the signatures that a checkpoint of this log has more than the database.

    Args:
        connection: a transaction that no other writer overlaps.
        note: the checkpoint.
        where: the trail, for messages.

    Raises:
        RejectedError: `checkpoint.unknown`, the log never signed it; `note.malformed`, there would be too many; or as
            `read_checkpoint`.
    """
    identity = read_identity(connection)
    size = Checkpoint.parse(note.text).head.size
    known = read_checkpoint(connection, identity.key(), size) if identity else None
    if identity is None or known is None or known.text != note.text:
        raise RejectedError(
            "checkpoint.unknown",
            f"this checkpoint of {size} entries is none that stands in this trail",
            where=where,
            hint="cosignatures are stored with the very checkpoint they are of",
        )
    new = [signature for signature in note.signatures if signature not in known.signatures]
    if new:
        own = (signature for signature in known.signatures if identity.key().names(signature))
        more = Note(known.text, (*own, *new))
        _joined([known, more])  # as whoever reads the checkpoint will
        enter_checkpoint(connection, size, more)


def is_entered(connection: Connection, size: int, note: Note) -> bool:
    """Whether this very note stands in the database."""
    return _THIS.first(connection, {"size": size, "note": note.to_bytes().decode()}) is not None


def has_checkpoints(connection: Connection) -> bool:
    """Whether anything was ever signed of this log."""
    return connection.execute(_ANY).first() is not None


def read_checkpoints(connection: Connection, log: NoteKey) -> Iterator[Note]:
    """Every checkpoint with all its signatures, the largest first, each read when it is asked for.

    Raises:
        RejectedError: as `read_checkpoint`.
    """
    most = MAX_SIZE
    while (size := connection.execute(_LARGEST, {"most": most}).scalar()) is not None:
        note = read_checkpoint(connection, log, size)
        if note is not None:
            yield note
        most = size - 1


def read_checkpoint(connection: Connection, log: NoteKey, size: int) -> Note | None:
    """The checkpoint of one size with all its signatures; None where there is none.

    Raises:
        RejectedError: `trail.forked`, the log's key signed two roots of this size; or `note.*` and `checkpoint.*`, a
            row is not a checkpoint that the log's key signed, or of another size.
    """
    notes: list[Note] = []
    for number, text in connection.execute(_OF_SIZE, {"size": size}).all():
        note = parse_note(str(text).encode("utf-8", "surrogateescape"), where=f"checkpoint {number}")
        if signed_checkpoint(note, log, where=f"checkpoint {number}").head.size != size:
            raise RejectedError(
                "checkpoint.size",
                f"this checkpoint stands in the trail as one of {size} entries, and is none",
                where=f"checkpoint {number}",
                hint="the database was changed: compare it with a copy",
            )
        if notes and notes[0].text != note.text:
            raise RejectedError(
                "trail.forked",
                f"the log's key signed two different logs of {size} entries",
                where=f"checkpoint {number}",
                hint="keep both: they prove that somebody with the log's key made a second history",
            )
        notes.append(note)
    return _joined(notes) if notes else None


def _joined(notes: list[Note]) -> Note:
    try:
        return notes[0].joined(signature for note in notes[1:] for signature in note.signatures)
    except ValueError as error:
        raise RejectedError(
            "note.malformed", f"too much was entered under one checkpoint: {error}", hint="ask fewer witnesses"
        ) from error
