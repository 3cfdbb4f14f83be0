"""What a witness has cosigned, one file for each log: on disk before anybody is told.

A file is named by the SHA-256 of the log's origin and holds the last checkpoint with the log's signature and the
witness's own. A witness that loses them has forgotten the logs, and takes each as it next comes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.durable import replace_file
from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.regular_file import read_regular_file
from audit_pipeline.trail.checkpoint import Checkpoint
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import MAX_NOTE_BYTES, Note, parse_note
from audit_pipeline.trail.note_key import NoteKey, verified


@dataclass(frozen=True)
class Cosigned:
    """The last checkpoint of a log that was cosigned."""

    head: TreeHead
    note: Note


class WitnessState:
    """A folder that one witness process has to itself, from `open` to the end of the `with` block."""

    def __init__(self, folder: Path, own: NoteKey, lock: int) -> None:
        self._folder = folder
        self._own = own
        self._lock = lock
        self._turn = threading.Lock()

    @classmethod
    def open(cls, folder: Path, own: NoteKey) -> Self:
        """Take a folder, which is made where there is none.

        Args:
            folder: of this witness only.
            own: the witness's key, which has to have signed whatever is in there.

        Raises:
            InputError: `witness.state`, no folder can be had here.
            ToolError: `witness.in-use`, another process has it.
        """
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(
                "witness.state", f"the witness's memory cannot be kept here: {error.strerror}", where=str(folder)
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ToolError(
                "witness.in-use",
                "another witness process uses this folder",
                where=str(folder),
                hint="stop it, or give each witness a folder of its own",
            ) from None
        return cls(folder, own, lock)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only thread that checks and cosigns: what was checked is still so when it is recorded."""
        with self._turn:
            yield

    def recall(self, origin: str) -> Cosigned | None:
        """The last checkpoint cosigned of a log; None where there was none.

        Raises:
            ToolError: `witness.state-unreadable`; a memory that cannot be read is not an empty one.
        """
        path = self._path(sha256_hex(origin.encode()))
        try:
            note = parse_note(read_regular_file(path, largest_bytes=MAX_NOTE_BYTES))
            checkpoint = Checkpoint.parse(note.text)
            if checkpoint.origin != origin or not verified(note, (self._own,)):
                raise ToolError(
                    "witness.state-unreadable", "this file was not written by this witness", where=str(path)
                )
        except FileNotFoundError:
            return None
        except (OSError, RejectedError) as error:
            raise ToolError(
                "witness.state-unreadable",
                f"what was cosigned cannot be read: {error}",
                where=str(path),
                hint="restore the newest copy; without it the witness cannot know what it has cosigned",
            ) from error
        return Cosigned(checkpoint.head, note)

    def newest(self, origin_sha256: str) -> bytes | None:
        """The last checkpoint cosigned of a log, by the hash of its origin; None where there was none."""
        try:
            return read_regular_file(self._path(origin_sha256), largest_bytes=MAX_NOTE_BYTES)
        except OSError:
            return None

    def record(self, origin: str, note: Note) -> None:
        """Remember a checkpoint that was cosigned; on disk when this returns.

        Raises:
            ToolError: `witness.state-unwritten`; what was remembered is as it was, or this one.
        """
        path = self._path(sha256_hex(origin.encode()))
        try:
            replace_file(path, note.to_bytes(), mode=0o666)
        except OSError as error:
            raise ToolError(
                "witness.state-unwritten", f"the checkpoint could not be remembered: {error.strerror}", where=str(path)
            ) from error

    def _path(self, origin_sha256: str) -> Path:
        return self._folder / f"{origin_sha256}.checkpoint"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)
