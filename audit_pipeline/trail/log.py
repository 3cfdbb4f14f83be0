"""The trail itself: an append-only log of what every run did, whose head pins all that came before.

    with Trail.open("audit.db") as trail:
        receipt = trail.append("policy", run="2026-05-04-a1", at="2026-05-04T12:00:00Z", body={"sha256": "…"})
    receipt.head                  # TreeHead(size=1, root="…"): keep it elsewhere, and nobody rewrites the log unseen

An entry is one transaction: it and the new frontier of the Merkle tree are on disk together, or neither is. Any number
of processes may append at once; each opens the trail for itself, and a `Trail` is not carried over a fork.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Engine, Update

from audit_pipeline.errors import InputError
from audit_pipeline.trail import checkpoint_rows, schema
from audit_pipeline.trail.appending import End
from audit_pipeline.trail.checkpointing import Checkpointing, OpenLog
from audit_pipeline.trail.database import Database, database_at
from audit_pipeline.trail.entry import Entry, Receipt
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log_opening import open_checkpointing
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.place import Address, Place
from audit_pipeline.trail.reading import LogReader
from audit_pipeline.trail.recorded import Recorded
from audit_pipeline.trail.rows import of_kind, take_out

if TYPE_CHECKING:
    from audit_pipeline.seal.keys.signer import Signer

Body = dict[str, Any] | Callable[[Recorded], dict[str, Any]]
"""What an entry says, or how that follows from what is recorded."""


class Trail(LogReader):
    """An open trail, to be read and written. Made by `open`, closed by `close` or at the end of a `with` block."""

    def __init__(self, engine: Engine, database: Database, place: Place, timeout_seconds: float) -> None:
        super().__init__(engine, database, place)
        self._timeout_seconds = timeout_seconds
        self._checkpointing: Checkpointing | None = None

    @classmethod
    def open(cls, address: Address, *, create: bool = True, timeout_seconds: float = 30.0) -> Self:
        """Open a trail, and bring its schema up to date. A new log gets a key of its own; see `log_key`.

        Args:
            address: a file, `sqlite:///PATH`, or either with the log's key.
            create: make the trail where there is none, and see that it can be signed before anything is recorded;
                False to read one that must be there, for which no key is needed.
            timeout_seconds: how long each operation waits for another process's to end.

        Raises:
            InputError: the address is none, or no trail is there and none may be made, or it is another program's; or
                `trail.key-*`, the log's key is missing or another log's.
            RejectedError: `trail.rolled-back`, `trail.other-log`, `trail.memory` or `trail.memory-missing`: this is not
                the log that its key remembers.
            ToolError: the trail is locked, damaged, read-only or of a newer version.
        """
        place = Place.of(address)
        database = database_at(place, timeout_seconds)
        trail = cls(database.engine(create=create), database, place, timeout_seconds)
        try:
            trail._prepare(create=create)
            if create:
                trail._signed()
        except BaseException:
            trail.close()
            raise
        return trail

    def append(
        self,
        kind: Kind,
        run: str,
        at: str,
        body: Body,
        after: Callable[[Iterator[Entry]], None] | None = None,
    ) -> Receipt:
        """Record one entry; when this returns, it is on disk and under a signed checkpoint.

        Args:
            kind: what is recorded.
            run: the run it belongs to.
            at: the time now, ISO 8601, UTC.
            body: a JSON object: digests and figures, never a row of data. A body that follows from what is recorded is
                given as a function of that; it is asked in the transaction, as `after` is, and after it.
            after: is given the entries of this kind so far and raises where this one may not follow them. It is asked
                in the transaction that records it, so that no other process can add one in between.

        Raises:
            InputError: a value cannot be logged, or `after` says so; or the log's key, as `open`.
            RejectedError: the end of the log is not what the tree says it is, or the log not what its key remembers;
                nothing was recorded.
            ToolError: the database is locked, read-only, damaged or full, or `trail.clock`, the entry is dated more
                than five minutes before the newest one and is not of kind `clock`; nothing was recorded. With
                `trail.uncovered` it was, and the next checkpoint covers it.
        """
        return self._append(kind, run, at, body, after)

    def redact(self, index: int, *, reason: str, signer: Signer, at: str) -> Receipt:
        """Take an entry's text out of the log and out of the database's files; its hash and the reason stay.

        The log is verified first: the text is evidence of what was changed as long as it is there.

        Args:
            index: of the entry.
            reason: why; it stays for good, so it may not repeat what is taken out.
            signer: the key of whoever answers for it.
            at: the time now, ISO 8601, UTC.

        Raises:
            InputError: `trail.no-such-entry`; `redaction.kind`, `redaction.gone` or `redaction.reason`.
            RejectedError: as `verify` and `append`.
            ToolError: as `append`, or the signer's; with `trail.not-erased` the text is out of the log, but its bytes
                may be in the files until somebody redacts again.
        """
        from audit_pipeline.trail.redaction import sign_redaction

        entry = self.entry(index)
        if entry.redacted:
            # The first attempt may have ended before the files were clean.
            self._database.erase(self._engine)
        self.verify()
        body = sign_redaction(entry, reason, signer)
        receipt = self._append("redaction", entry.run, at, body, also=take_out(entry))
        self._database.erase(self._engine)
        return receipt

    def add_cosignatures(self, note: bytes) -> None:
        """Keep what witnesses said of a checkpoint of this log. Whose word counts, whoever reads it knows.

        Args:
            note: a checkpoint that stands in this trail, with more signatures.

        Raises:
            RejectedError: `checkpoint.unknown`, it is none of this log's; or `note.*` and `checkpoint.*`.
            ToolError: the database is locked, read-only, damaged or full.
        """
        with self._database.writing(self._engine) as connection:
            checkpoint_rows.enter_cosignatures(connection, parse_note(note), self._database.where)

    def close(self) -> None:
        """Let go of the database."""
        if self._checkpointing is not None:
            self._checkpointing.close()
        self._database.close(self._engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(
        self,
        kind: Kind,
        run: str,
        at: str,
        body: Body,
        after: Callable[[Iterator[Entry]], None] | None = None,
        also: Update | None = None,
    ) -> Receipt:
        checkpointing = self._signed()
        remembered = checkpointing.recall()
        with self._database.writing(self._engine) as connection:
            end = End.read(connection, self.where)
            checkpointing.refuse_older(remembered, end.frontier.head())
            if after is not None:
                with closing(self._read(connection, of_kind(kind))) as earlier:
                    after(earlier)
            said = body(partial(self._entries, connection)) if callable(body) else body
            receipt = end.append(connection, kind, run, at, said)
            if also is not None:
                connection.execute(also)
        checkpointing.cover(receipt.head.size)
        return receipt

    def _prepare(self, *, create: bool) -> None:
        with self._database.explained():
            with self._engine.connect() as connection:
                self._database.refuse_foreign(connection)
                revision = schema.revision(connection)
            if revision is None and not create:
                raise InputError(
                    "trail.absent",
                    "there is no trail in this database",
                    where=self._database.where,
                    hint="name another with --trail; a new one is made by the first run that is entered in it",
                )
            if revision != schema.HEAD:
                with self._database.writing(self._engine) as connection:
                    schema.upgrade(connection, self._database.where)
            if create:
                self._database.settle(self._engine)

    def _signed(self) -> Checkpointing:
        """What signs this log, found when it is first needed: a reader has no key."""
        if self._checkpointing is None:
            reading = partial(self._database.reading, self._engine)
            writing = partial(self._database.writing, self._engine, ahead=True)
            log = OpenLog(self._database.where, reading, writing)
            self._checkpointing = open_checkpointing(log, self._key_file, timeout_seconds=self._timeout_seconds)
        return self._checkpointing
