"""A log as it can be read, by anybody who has the database: entries, proofs, and what was signed of it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select
from sqlmodel import col

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail import checkpoint_rows
from audit_pipeline.trail.database import Database
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log_key import LogIdentity
from audit_pipeline.trail.memory import Memory
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.place import Place
from audit_pipeline.trail.proofs import ProofPath
from audit_pipeline.trail.rows import ENTRIES, REDACTIONS, AnyRow, frontier_row, of_kind, read_rows
from audit_pipeline.trail.stored_tree import StoredTree
from audit_pipeline.trail.tables import EntryRow
from audit_pipeline.trail.verification import read_entry, read_frontier, verify_log
from audit_pipeline.trail.verified import Contents, VerifiedLog


class LogReader:
    """What can be asked of an open trail. Nothing here needs the log's key, nor writes."""

    def __init__(self, engine: Engine, database: Database, place: Place) -> None:
        self._engine = engine
        self._database = database
        self._place = place

    @property
    def where(self) -> str:
        """The trail as messages name it, without a password."""
        return self._database.where

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
        raise InputError(
            "trail.no-such-entry",
            f"there is no entry {index}",
            where=self.where,
            hint="`audit log list` shows those that there are; the first is 0",
        )

    def verify(self, seen: Iterable[TreeHead] = ()) -> TreeHead:
        """Recompute the whole log from the stored text.

        Args:
            seen: heads that were noted elsewhere (a receipt, a run's evidence), which the log must have passed
                through. Without one, a log that was rewritten or cut in all its parts alike looks whole.

        Raises:
            RejectedError: the first entry that is not as it was recorded, and in what it differs; or `trail.structure`,
                all are, but a query for some of them could show others.
        """
        with self._database.reading(self._engine) as connection, closing(read_rows(connection, ENTRIES)) as rows:
            return self._verify(connection, rows, seen)

    def verified(self, seen: Iterable[TreeHead] = ()) -> VerifiedLog:
        """Recompute the whole log, and keep what stands where in it, for whoever decides by its entries.

        For arguments and what is raised see `verify`.
        """
        contents = Contents()
        with self._database.reading(self._engine) as connection, closing(read_rows(connection, ENTRIES)) as rows:
            head = self._verify(connection, contents.noting(rows), seen)
        return VerifiedLog(head, self.where, contents, self._numbered)

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

    def log(self) -> LogIdentity | None:
        """Which log this is, as its database says; None where nothing was signed with a key yet."""
        with self._database.reading(self._engine) as connection:
            return checkpoint_rows.read_identity(connection)

    def checkpoint(self) -> bytes | None:
        """The newest signed checkpoint, a note with all its signatures; None where there is none.

        Raises:
            RejectedError: as `checkpoints`.
        """
        with closing(self._checkpoints()) as newest_first:
            return next(newest_first, None)

    def checkpoints(self) -> Iterator[bytes]:
        """Every signed checkpoint, a note with all its signatures, the newest first. The log's signature holds on each.

        Raises:
            RejectedError: `trail.forked`, `trail.identity`, `note.*` or `checkpoint.*`: one was changed.
        """
        return self._checkpoints()

    def remembered(self) -> TreeHead | None:
        """The head that the log's key remembers to have signed; None where its memory is not at hand.

        The private key is not read. What a key remembers that was named for another log says nothing of this one.

        Raises:
            RejectedError: `trail.memory`, what stands beside the log is the memory of another log's key.
        """
        identity, key_file = self.log(), self._key_file
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

    @property
    def _key_file(self) -> Path | None:
        return self._place.key or self._database.key_file

    def _checkpoints(self) -> Generator[bytes, None, None]:
        with self._database.reading(self._engine) as connection:
            identity = checkpoint_rows.read_identity(connection)
            if identity is not None:
                for note in checkpoint_rows.read_checkpoints(connection, identity.key()):
                    yield note.to_bytes()

    @contextmanager
    def _tree(self) -> Iterator[StoredTree]:
        with self._database.reading(self._engine) as connection:
            yield StoredTree(connection, self._database.where)

    def _entries(self, connection: Connection, run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        query = ENTRIES if kind is None else of_kind(kind)
        return self._read(connection, query if run is None else query.where(col(EntryRow.run) == run))

    def _numbered(self, numbers: Sequence[int]) -> Iterator[Entry]:
        with self._database.reading(self._engine) as connection:
            yield from self._read(connection, ENTRIES.where(col(EntryRow.index).in_(numbers)))

    def _verify(self, connection: Connection, rows: Iterable[AnyRow], seen: Iterable[TreeHead]) -> TreeHead:
        def redactions() -> list[AnyRow]:
            return list(read_rows(connection, REDACTIONS))

        head = verify_log(rows, frontier_row(connection), seen, self.where, redactions)
        self._database.refuse_deceptive(connection)
        return head

    def _read(self, connection: Connection, query: Select[Any]) -> Generator[Entry]:
        with closing(read_rows(connection, query)) as rows:
            for row in rows:
                yield read_entry(row._mapping, self._database.where)
