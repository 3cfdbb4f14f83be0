"""`--log-key`, `--witness`, `--witnesses` and `--checkpoint`: what a log is held against, besides its own hashes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.errors import InputError
from audit_pipeline.regular_file import read_regular_file

if TYPE_CHECKING:
    from audit_pipeline.seal.trust.schema import TrustDocument
    from audit_pipeline.trail.log_trust import LogTrust
    from audit_pipeline.trail.note_key import NoteKey

LogKeyOption = Annotated[
    str | None,
    typer.Option(
        "--log-key",
        metavar="VKEY|FILE",
        help="The log's public key, from elsewhere; else the one it names itself.",
    ),
]
WitnessOption = Annotated[
    list[str] | None,
    typer.Option("--witness", metavar="VKEY|FILE", help="A witness that must have cosigned; once for each."),
]
WitnessesOption = Annotated[
    int | None, typer.Option("--witnesses", metavar="K", min=1, help="How many of them are enough; else all.")
]
CheckpointOption = Annotated[
    Path | None,
    typer.Option("--checkpoint", metavar="FILE", help="A checkpoint kept elsewhere, which the log must extend."),
]

_VKEY = re.compile(r"[^+\s]+\+[0-9a-f]{8}\+\S+")
_LARGEST_BYTES = 1 << 18
LARGEST_PROOF_BYTES = 1 << 23


def read_log_trust(
    log_key: str | None,
    witnesses: list[str] | None,
    threshold: int | None,
    checkpoint: Path | None,
    document: TrustDocument | None = None,
) -> LogTrust:
    """What a log is to be held against.

    Args:
        log_key: the log's key, or a file that holds it.
        witnesses: theirs, likewise.
        threshold: how many of them are enough; None for all.
        checkpoint: file of a checkpoint that was kept elsewhere.
        document: a trust file that is believed, which says what none of the options does.

    Raises:
        InputError: `log.unreadable`, `note.vkey`, `witness.*`, or `log.witnesses`, a number without witnesses.
    """
    from audit_pipeline.trail.log_trust import LogTrust, Pinned
    from audit_pipeline.trail.note_key import NoteKey
    from audit_pipeline.trail.witnesses import WitnessQuorum

    said = document.log if document is not None else None
    key = read_vkey(log_key, "--log-key") if log_key is not None else NoteKey.parse(said.key) if said else None
    quorum = None
    if witnesses:
        keys = tuple(read_vkey(each, "--witness") for each in witnesses)
        quorum = WitnessQuorum(keys, threshold or len({each.public for each in keys}))
    elif threshold is not None:
        raise InputError("log.witnesses", "how many witnesses, but not which", hint="give --witness for each of them")
    elif said and said.witnesses:
        quorum = WitnessQuorum(tuple(map(NoteKey.parse, said.witnesses.keys)), said.witnesses.threshold)
    return LogTrust(key, quorum, Pinned(read_file(checkpoint), str(checkpoint)) if checkpoint else None)


def read_vkey(given: str, where: str) -> NoteKey:
    """A public key of a log or witness, as one word or in a file.

    Raises:
        InputError: `log.unreadable` or `note.vkey`.
    """
    from audit_pipeline.trail.note_key import NoteKey

    if _VKEY.fullmatch(given):
        return NoteKey.parse(given, where=where)
    return NoteKey.parse(read_file(Path(given)).decode("utf-8", "replace").strip(), where=given)


def read_file(path: Path, largest_bytes: int = _LARGEST_BYTES) -> bytes:
    """A small file that was named on the command line.

    Raises:
        InputError: `log.unreadable`.
    """
    try:
        return read_regular_file(path, largest_bytes=largest_bytes)
    except OSError as error:
        raise InputError(
            "log.unreadable", f"cannot be read: {error.strerror}", where=str(path)[:256], hint="check the path"
        ) from error
