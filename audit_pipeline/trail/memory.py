"""What a log's key remembers, outside the database: the newest checkpoint that it signed.

It stands beside the key, in `KEY.checkpoint`, as the signed note itself. Whoever puts an older database in the place of
the newest does not change it, so that the log is never signed at a smaller size again, nor another in its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.durable import replace_file
from audit_pipeline.errors import RejectedError, ToolError
from audit_pipeline.regular_file import read_regular_file
from audit_pipeline.trail.checkpoint import signed_checkpoint
from audit_pipeline.trail.file_lock import locked
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import MAX_NOTE_BYTES, Note, parse_note
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.turns import leave_no_queue, turn


@dataclass(frozen=True)
class Remembered:
    """The newest checkpoint that a key signed."""

    note: Note
    head: TreeHead


class Memory:
    """The memory of one key. Read it at any time; write it within `alone` only."""

    def __init__(self, key_file: Path, log: NoteKey) -> None:
        """A memory, which may be empty.

        Args:
            key_file: the log's private key.
            log: its public side, which the memory's note is checked with.
        """
        self._key_file = key_file
        self._log = log
        self.path = key_file.with_name(f"{key_file.name}.checkpoint")
        """the file, which may not be there yet"""
        self._last: tuple[bytes, Remembered] | None = None

    @contextmanager
    def alone(self, timeout_seconds: float, unless: Callable[[], bool]) -> Iterator[bool]:
        """Be the only one who signs with this key, until the block ends; each in turn.

        Args:
            timeout_seconds: how long to wait.
            unless: whether there is nothing left to sign. Ask it in the block as well: then nobody else signs.

        Yields:
            Whether one is alone; False where `unless` was true first.

        Raises:
            ToolError: `trail.locked`.
        """
        with turn(self._key_file, timeout_seconds=timeout_seconds, unless=unless) as mine:
            if not mine:
                yield False
                return
            with locked(self._key_file, timeout_seconds=timeout_seconds):
                yield True

    def close(self) -> None:
        """Leave nothing beside the key that is for writers only."""
        leave_no_queue(self._key_file)

    def recall(self) -> Remembered | None:
        """What is remembered; None for a key that signed nothing yet.

        Raises:
            RejectedError: `trail.memory`, the file is not a checkpoint that this key signed.
            ToolError: `trail.memory-unreadable`.
        """
        try:
            content = read_regular_file(self.path, largest_bytes=MAX_NOTE_BYTES)
            # Asked before and after every entry: the same bytes are read and checked once.
            if self._last is None or self._last[0] != content:
                note = parse_note(content)
                self._last = content, Remembered(note, signed_checkpoint(note, self._log).head)
            return self._last[1]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ToolError(
                "trail.memory-unreadable",
                f"what the log's key remembers cannot be read: {error.strerror}",
                where=str(self.path),
            ) from error
        except RejectedError as error:
            raise RejectedError(
                "trail.memory",
                f"this is not what the log's key remembers: {error.what}",
                where=str(self.path),
                hint="put back the file that belongs beside this key",
            ) from error

    def require_place(self) -> None:
        """Refuse a folder in which nothing can be remembered, before anything is recorded that would have to be.

        Raises:
            ToolError: `trail.memory-place`.
        """
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise ToolError(
                "trail.memory-place",
                "what the log's key signs has to be remembered beside it, and nothing can be written there",
                where=str(self.path.parent),
                hint="permit writing there, or keep key and memory in a folder of their own; nothing was recorded",
            )

    def remember(self, note: Note) -> None:
        """Replace what is remembered; on disk when this returns.

        Raises:
            ToolError: `trail.memory-unwritten`; what was remembered is as it was, or the new note.
        """
        try:
            replace_file(self.path, note.to_bytes(), mode=0o600)
        except OSError as error:
            raise ToolError(
                "trail.memory-unwritten",
                f"the checkpoint could not be kept beside the log's key: {error.strerror}",
                where=str(self.path),
                hint="free space, or permit writing here",
            ) from error
