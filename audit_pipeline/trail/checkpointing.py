"""The step after an entry: the log's head is signed, remembered beside the key, and entered.

Writers come here one at a time, and one signature covers the entries of all who wait, so that a crowd is not slower
than one. Nothing is ever signed that does not extend what the key remembers: neither an older database in the newest
one's place (`trail.rolled-back`) nor another one (`trail.other-log`). A process that is killed between its entry and
the checkpoint leaves an entry that the next writer's checkpoint covers.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from audit_pipeline.errors import RejectedError, ToolError
from audit_pipeline.trail import checkpoint_rows
from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.memory import Memory, Remembered
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import Note
from audit_pipeline.trail.note_key import NoteSigner
from audit_pipeline.trail.proofs import check_consistency
from audit_pipeline.trail.rows import frontier_row
from audit_pipeline.trail.stored_tree import StoredTree
from audit_pipeline.trail.verification import read_frontier


@dataclass(frozen=True)
class OpenLog:
    """What of an open trail is needed to sign it."""

    where: str
    reading: Callable[[], AbstractContextManager[Connection]]
    """a transaction that sees one state of the log"""
    writing: Callable[[], AbstractContextManager[Connection]]
    """a transaction that no other writer overlaps"""

    def head(self, connection: Connection) -> TreeHead:
        """Size and root, as recorded.

        Raises:
            RejectedError: `trail.frontier`.
        """
        return read_frontier(frontier_row(connection), self.where).head()


class Checkpointing:
    """Signs the heads of one log. Made by `log_opening.open_checkpointing`."""

    def __init__(self, log: OpenLog, signer: NoteSigner, memory: Memory, timeout_seconds: float) -> None:
        """Signing that waits no longer than `timeout_seconds` for other writers."""
        self._log = log
        self._signer = signer
        self._memory = memory
        self._timeout_seconds = timeout_seconds

    def recall(self) -> Remembered | None:
        """What the key remembers. Ask before a transaction begins, so that the database is at least as new.

        Raises:
            RejectedError: `trail.memory`.
            ToolError: `trail.memory-unreadable`.
        """
        return self._memory.recall()

    def refuse_older(self, remembered: Remembered | None, head: TreeHead) -> None:
        """Refuse a database that is smaller than what the key remembers, or another one of that size.

        It asks the database nothing, so that it costs an entry no time; all else is refused when the log is opened, and
        before anything is signed.

        Args:
            remembered: see `recall`.
            head: the log's head in a transaction that was begun after that.

        Raises:
            RejectedError: `trail.rolled-back` or `trail.other-log`.
        """
        if remembered is None or head == remembered.head:
            return
        if head.size < remembered.head.size:
            raise RejectedError(
                "trail.rolled-back",
                f"the log holds {head.size} entries, and its key has signed {remembered.head.size}",
                where=self._log.where,
                hint=f"an older copy, or another log with the same key: put the newest back ({self._memory.path} is of "
                "what was signed); where it is lost, begin a new trail: this one can still be read and verified",
            )
        if head.size == remembered.head.size:
            raise self._other_log(remembered, "their root is another")

    def refuse_unlike(self, remembered: Remembered | None, connection: Connection, head: TreeHead) -> None:
        """Refuse a database that is not the one that the key remembers, or that one later, by a proof of consistency.

        Args:
            remembered: see `recall`.
            connection: a transaction, begun after that.
            head: the log's head in it.

        Raises:
            RejectedError: `trail.rolled-back`, `trail.other-log` or `trail.memory-missing`.
        """
        self.refuse_older(remembered, head)
        if remembered is None:
            # Asked again: what is entered now may have been signed since the memory was read, and is remembered then.
            if checkpoint_rows.has_checkpoints(connection) and self._memory.recall() is None:
                raise self._memory_missing()
        elif head != remembered.head:
            try:
                path = StoredTree(connection, self._log.where).consistency(remembered.head.size, head.size)
                check_consistency(remembered.head, head, path)
            except RejectedError as error:
                raise self._other_log(remembered, str(error)) from error

    def cover(self, size: int) -> None:
        """Have a checkpoint signed, remembered and entered that covers the first `size` entries, which are recorded.

        Raises:
            RejectedError: as `refuse_unlike`.
            ToolError: `trail.uncovered`, it could not be: another process does not let go of the key, or no disk takes
                the checkpoint. The next one covers these entries too.
        """
        try:
            self._cover(size)
        except ToolError as error:
            raise ToolError(
                "trail.uncovered",
                f"the entry is recorded, and no signed checkpoint covers it yet: {error.what}",
                where=error.where,
                hint="see to that; the next command that writes to the trail signs for this entry too",
            ) from error

    def _cover(self, size: int) -> None:
        covered = partial(self._is_covered, size)
        with self._memory.alone(self._timeout_seconds, unless=covered) as alone:
            # Whoever was alone before may have covered it.
            if alone and not covered():
                self._sign_head()

    def _sign_head(self) -> None:
        remembered = self._memory.recall()
        with self._log.reading() as connection:
            head = self._log.head(connection)
            self.refuse_unlike(remembered, connection, head)
        note = self._signed(remembered, head)
        with self._log.writing() as connection:
            checkpoint_rows.enter_checkpoint(connection, head.size, note)

    def catch_up(self) -> None:
        """Refuse a log unlike the one remembered, and cover what somebody who was killed left uncovered.

        Raises:
            RejectedError: as `refuse_unlike`.
            ToolError: `trail.locked`, `trail.memory-unwritten`, or the database is locked or full.
        """
        remembered = self.recall()
        with self._log.reading() as connection:
            head = self._log.head(connection)
            self.refuse_unlike(remembered, connection, head)
        if head.size:
            self._cover(head.size)

    def close(self) -> None:
        """Sign no more."""
        self._memory.close()

    def _is_covered(self, size: int) -> bool:
        remembered = self._memory.recall()
        if remembered is None or remembered.head.size < size:
            return False
        with self._log.reading() as connection:
            return checkpoint_rows.is_entered(connection, remembered.head.size, remembered.note)

    def _signed(self, remembered: Remembered | None, head: TreeHead) -> Note:
        """A checkpoint of this head, remembered before anybody sees it."""
        if remembered is not None and remembered.head == head:
            return remembered.note
        note = sign_checkpoint(self._signer, head)
        self._memory.remember(note)
        return note

    def _other_log(self, remembered: Remembered, why: str) -> RejectedError:
        return RejectedError(
            "trail.other-log",
            f"the first {remembered.head.size} entries are not those that the log's key has signed: {why}",
            where=self._log.where,
            hint=f"two logs with one key, or entries were changed: compare with {self._memory.path}, and give each log "
            "a key of its own",
        )

    def _memory_missing(self) -> RejectedError:
        return RejectedError(
            "trail.memory-missing",
            "checkpoints were signed of this log, and its key does not remember which",
            where=str(self._memory.path),
            hint="put that file back; if it is lost, hold the log against a checkpoint kept elsewhere (audit log "
            f"verify --checkpoint FILE); then write it anew: audit log anchor {shlex.quote(str(self._memory.path))}",
        )
