"""The trail itself: an append-only log of what every run did, whose head pins all that came before.

    with Trail.open("audit.db") as trail:
        receipt = trail.append("policy", run="2026-05-04-a1", at="2026-05-04T12:00:00Z", body={"sha256": "…"})
    receipt.head                  # TreeHead(size=1, root="…"): keep it elsewhere, and nobody rewrites the log unseen

An entry is one transaction: it and the new frontier of the Merkle tree are on disk together, or neither is. Any number
of processes may append at once; each opens the trail for itself, and a `Trail` is not carried over a fork.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, RowMapping, Select, insert, inspect, select, update
from sqlmodel import col

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail import schema
from audit_pipeline.trail.database import Database, database_at
from audit_pipeline.trail.entry import Entry, Kind, Receipt
from audit_pipeline.trail.merkle import EMPTY_ROOT, Frontier, TreeHead
from audit_pipeline.trail.place import Address, Place
from audit_pipeline.trail.tables import EntryRow, FrontierRow
from audit_pipeline.trail.verification import read_entry, read_frontier, verify_log

_BATCH = 1000


class Trail:
    """An open trail. Made by `open`, closed by `close` or at the end of a `with` block."""

    def __init__(self, engine: Engine, database: Database, place: Place) -> None:
        self._engine = engine
        self._database = database
        self._place = place

    @classmethod
    def open(cls, address: Address, *, create: bool = True, timeout_seconds: float = 30.0) -> Self:
        """Open a trail, and bring its schema up to date.

        Args:
            address: a file, `sqlite:///PATH`, or either with the log's key.
            create: make the trail where there is none; False to read one that must be there.
            timeout_seconds: how long each operation waits for another process's to end.

        Raises:
            InputError: the address is none, or no trail is there and none may be made, or it is another program's.
            ToolError: the trail is locked, damaged, read-only or of a newer version.
        """
        place = Place.of(address)
        database = database_at(place)
        trail = cls(database.engine(create=create, timeout_seconds=timeout_seconds), database, place)
        try:
            trail._prepare(create=create)
        except BaseException:
            trail.close()
            raise
        return trail

    def append(
        self,
        kind: Kind,
        run: str,
        at: str,
        body: dict[str, Any],
        after: Callable[[Iterator[Entry]], None] | None = None,
    ) -> Receipt:
        """Record one entry; when this returns, it is on disk.

        Args:
            kind: what is recorded.
            run: the run it belongs to.
            at: the time now, ISO 8601, UTC.
            body: a JSON object: digests and figures, never a row of data.
            after: is given the entries of this kind so far and raises where this one may not follow them. It is asked
                in the transaction that records it, so that no other process can add one in between.

        Raises:
            InputError: a value cannot be logged, or `after` says so.
            RejectedError: the end of the log is not what the tree says it is; nothing was recorded.
            ToolError: the database is locked, read-only, damaged or full; nothing was recorded.
        """
        with self._transaction(self._database.writing) as connection:
            before = read_frontier(_frontier_row(connection), self._database.where)
            self._refuse_broken_end(connection, before)
            if after is not None:
                after(self._read(connection, _of_kind(kind)))
            entry = Entry.compose(before.size, kind, run, at, body)
            grown = before.append(entry.leaf_hash)
            head = grown.head()
            completed = before.completed(entry.leaf_hash)
            connection.execute(insert(EntryRow).values(**_columns(entry, head, completed)))
            connection.execute(update(FrontierRow).values(size=grown.size, peaks=grown.to_hex()))
        return Receipt(entry, head)

    def head(self) -> TreeHead:
        """Size and root of the log as it is now, as recorded, not recomputed: for that, `verify`.

        Raises:
            RejectedError: the record of the tree is gone or is none.
        """
        with self._transaction() as connection:
            return read_frontier(_frontier_row(connection), self._database.where).head()

    def entries(self, run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        """The entries in order, of one run or of all, of one kind or of all, as recorded, not verified.

        Raises:
            RejectedError: an entry's text cannot be read as an entry.
        """
        query = _ENTRIES if kind is None else _of_kind(kind)
        query = query if run is None else query.where(col(EntryRow.run) == run)
        with self._transaction() as connection:
            yield from self._read(connection, query)

    def verify(self, seen: Iterable[TreeHead] = ()) -> TreeHead:
        """Recompute the whole log from the stored text.

        Args:
            seen: heads that were noted elsewhere (a receipt, a run's evidence), which the log must have passed
                through. Without one, a log that was rewritten or cut in all its parts alike looks whole.

        Raises:
            RejectedError: the first entry that is not as it was recorded, and in what it differs.
        """
        with self._transaction() as connection:
            return verify_log(_rows(connection, _ENTRIES), _frontier_row(connection), seen, self._database.where)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
                with self._engine.execution_options(**self._database.writing).begin() as connection:
                    schema.upgrade(connection, self._database.where)
            if create:
                self._database.settle(self._engine)

    @contextmanager
    def _transaction(self, options: Mapping[str, Any] | None = None) -> Iterator[Connection]:
        engine = self._engine.execution_options(**(options or self._database.reading))
        with self._database.explained(), engine.begin() as connection:
            yield connection

    def _read(self, connection: Connection, query: Select[Any]) -> Iterator[Entry]:
        for row in _rows(connection, query):
            yield read_entry(row, self._database.where)

    def _refuse_broken_end(self, connection: Connection, frontier: Frontier) -> None:
        last = connection.execute(_LAST_ENTRY).mappings().first()
        recorded = (last["index"], last["root"]) if last else (-1, EMPTY_ROOT.hex())
        if recorded != (frontier.size - 1, frontier.root().hex()):
            raise RejectedError(
                "trail.frontier",
                "the last entry and the tree disagree, so nothing may be added",
                where=self._database.where,
                hint="`audit log verify` names the first entry that was changed",
            )


_ENTRIES = select(inspect(EntryRow).local_table).order_by(col(EntryRow.index))
_LAST_ENTRY = select(col(EntryRow.index), col(EntryRow.root)).order_by(col(EntryRow.index).desc()).limit(1)
_FRONTIER = select(inspect(FrontierRow).local_table)


def _of_kind(kind: Kind) -> Select[Any]:
    return _ENTRIES.where(col(EntryRow.kind) == kind)


def _rows(connection: Connection, query: Select[Any]) -> Iterator[RowMapping]:
    yield from connection.execution_options(yield_per=_BATCH).execute(query).mappings()


def _frontier_row(connection: Connection) -> RowMapping | None:
    return connection.execute(_FRONTIER).mappings().first()


def _columns(entry: Entry, head: TreeHead, completed: tuple[bytes, ...]) -> dict[str, int | str]:
    return {
        "index": entry.index,
        "kind": entry.kind,
        "run": entry.run,
        "at": entry.at,
        "canonical": entry.canonical.decode(),
        "leaf_hash": entry.leaf_hash.hex(),
        "root": head.root,
        "nodes": b"".join(completed).hex(),
    }
