"""The trail itself: an append-only log of what every run did, whose head pins all that came before.

    with Trail.open("audit.db") as trail:
        receipt = trail.append("policy", run="2026-05-04-a1", at="2026-05-04T12:00:00Z", body={"sha256": "…"})
    receipt.head                  # TreeHead(size=1, root="…"): keep it elsewhere, and nobody rewrites the log unseen

An entry is one transaction: it and the new frontier of the Merkle tree are on disk together, or neither is. Any number
of processes may append at once; each opens the trail for itself, and a `Trail` is not carried over a fork.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, Engine, Select, Update
from sqlmodel import col

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail import checkpoint_rows, schema
from audit_pipeline.trail.appending import End
from audit_pipeline.trail.checkpointing import Checkpointing, OpenLog
from audit_pipeline.trail.database import Database, database_at
from audit_pipeline.trail.entry import Entry, Kind, Receipt
from audit_pipeline.trail.log_key import LogIdentity
from audit_pipeline.trail.log_opening import open_checkpointing
from audit_pipeline.trail.memory import Memory
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.place import Address, Place
from audit_pipeline.trail.proofs import ProofPath
from audit_pipeline.trail.recorded import Recorded
from audit_pipeline.trail.rows import ENTRIES, REDACTIONS, frontier_row, of_kind, read_rows, take_out
from audit_pipeline.trail.stored_tree import StoredTree
from audit_pipeline.trail.tables import EntryRow
from audit_pipeline.trail.verification import read_entry, read_frontier, verify_log

if TYPE_CHECKING:
    from audit_pipeline.seal.keys.signer import Signer

Body = dict[str, Any] | Callable[[Recorded], dict[str, Any]]
"""What an entry says, or how that follows from what is recorded."""


class Trail:
    """An open trail. Made by `open`, closed by `close` or at the end of a `with` block."""

    def __init__(self, engine: Engine, database: Database, place: Place, timeout_seconds: float) -> None:
        self._engine = engine
        self._database = database
        self._place = place
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
                `trail.memory-unwritten` it was, and the next checkpoint covers it.
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
        receipt = self._append("redaction", entry.run, at, body, also=take_out(index))
        self._database.erase(self._engine)
        return receipt

    def head(self) -> TreeHead:
        """Size and root of the log as it is now, as recorded, not recomputed: for that, `verify`.

        Raises:
            RejectedError: the record of the tree is gone or is none.
        """
        with self._database.reading(self._engine) as connection:
            return read_frontier(frontier_row(connection), self._database.where).head()

    def entries(self, run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        """The entries in order, of one run or of all, of one kind or of all, as recorded, not verified.

        Raises:
            RejectedError: an entry's text cannot be read as an entry.
        """
        with self._database.reading(self._engine) as connection:
            yield from self._entries(connection, run, kind)

    def entry(self, index: int) -> Entry:
        """One entry, as recorded, not verified.

        Raises:
            InputError: `trail.no-such-entry`.
            RejectedError: its text cannot be read as an entry.
        """
        with self._database.reading(self._engine) as connection:
            for entry in self._read(connection, ENTRIES.where(col(EntryRow.index) == index)):
                return entry
        raise InputError("trail.no-such-entry", f"there is no entry {index}", where=self.where)

    def verify(self, seen: Iterable[TreeHead] = ()) -> TreeHead:
        """Recompute the whole log from the stored text.

        Args:
            seen: heads that were noted elsewhere (a receipt, a run's evidence), which the log must have passed
                through. Without one, a log that was rewritten or cut in all its parts alike looks whole.

        Raises:
            RejectedError: the first entry that is not as it was recorded, and in what it differs; or `trail.structure`,
                all are, but a query for some of them could show others.
        """
        with self._database.reading(self._engine) as connection:
            redactions = partial(read_rows, connection, REDACTIONS)
            head = verify_log(read_rows(connection, ENTRIES), frontier_row(connection), seen, self.where, redactions)
            self._database.refuse_deceptive(connection)
        return head

    def root_at(self, size: int) -> TreeHead:
        """The head that the log had when it held `size` entries, as recorded.

        Raises:
            InputError: `trail.no-such-size`, it never held as many.
            RejectedError: a row that is needed for it is gone or holds no hash.
        """
        with self._tree() as tree:
            return tree.root_at(size)

    def inclusion(self, index: int, size: int | None = None) -> ProofPath:
        """The proof that entry `index` is in the log, which `proofs.check_inclusion` checks.

        Args:
            index: of the entry.
            size: of the log that it is to be proven in; None for the log as it is now.

        Raises:
            InputError: `trail.no-such-entry` or `trail.no-such-size`.
            RejectedError: a row that is needed for it is gone or holds no hash.
        """
        with self._tree() as tree:
            return tree.inclusion(index, size)

    def consistency(self, old: int, new: int | None = None) -> ProofPath:
        """The proof that the log only grew, which `proofs.check_consistency` checks.

        Args:
            old: size of the log that somebody saw.
            new: size of the log that extends it; None for the log as it is now.

        Raises:
            InputError: `trail.no-such-size`, `old` is above `new`, or the log never held as many.
            RejectedError: a row that is needed for it is gone or holds no hash.
        """
        with self._tree() as tree:
            return tree.consistency(old, new)

    @property
    def where(self) -> str:
        """The trail as messages name it, without a password."""
        return self._database.where

    def log(self) -> LogIdentity | None:
        """Which log this is, as its database says; None where nothing was signed with a key yet."""
        with self._database.reading(self._engine) as connection:
            return checkpoint_rows.read_identity(connection)

    def checkpoint(self) -> bytes | None:
        """The newest signed checkpoint, a note with all its signatures; None where there is none.

        Raises:
            RejectedError: as `checkpoints`.
        """
        return next(self.checkpoints(), None)

    def checkpoints(self) -> Iterator[bytes]:
        """Every signed checkpoint, a note with all its signatures, the newest first. The log's signature holds on each.

        Raises:
            RejectedError: `trail.forked`, `trail.identity`, `note.*` or `checkpoint.*`: one was changed.
        """
        with self._database.reading(self._engine) as connection:
            identity = checkpoint_rows.read_identity(connection)
            if identity is not None:
                for note in checkpoint_rows.read_checkpoints(connection, identity.key()):
                    yield note.to_bytes()

    def remembered(self) -> TreeHead | None:
        """The head that the log's key remembers to have signed; None where its memory is not at hand.

        The private key is not read. What a key remembers that was named for another log says nothing of this one.

        Raises:
            RejectedError: `trail.memory`, what stands beside the log is the memory of another log's key.
        """
        identity, key_file = self.log(), self._place.key or self._database.key_file
        if identity is None or key_file is None:
            return None
        try:
            known = Memory(key_file.absolute(), identity.key()).recall()
        except ToolError:
            return None
        except RejectedError:
            if self._place.key is None:
                raise
            return None
        return known.head if known is not None else None

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
                after(self._read(connection, of_kind(kind)))
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
                    "there is no trail in this file",
                    where=self._database.where,
                    hint="name another file",
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
            key_file = self._place.key or self._database.key_file
            self._checkpointing = open_checkpointing(log, key_file, timeout_seconds=self._timeout_seconds)
        return self._checkpointing

    @contextmanager
    def _tree(self) -> Iterator[StoredTree]:
        with self._database.reading(self._engine) as connection:
            yield StoredTree(connection, self._database.where)

    def _entries(self, connection: Connection, run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        query = ENTRIES if kind is None else of_kind(kind)
        return self._read(connection, query if run is None else query.where(col(EntryRow.run) == run))

    def _read(self, connection: Connection, query: Select[Any]) -> Iterator[Entry]:
        for row in read_rows(connection, query):
            yield read_entry(row._mapping, self._database.where)
