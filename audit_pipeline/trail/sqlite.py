"""The trail's file: where it is, and how SQLite opens it.

Every append is durable before it is acknowledged: write-ahead log, `synchronous=FULL`, one `BEGIN IMMEDIATE`
transaction. What is particular to SQLite stands here, in `sqlite_errors` and in the migrations' guards.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail.sqlite_errors import explained, primary_code
from audit_pipeline.trail.turns import leave_no_queue, turn

APPLICATION_ID = 0x41554454
"""`AUDT`, in the file's header (https://www.sqlite.org/fileformat.html#application_id)."""

_PAUSE_SECONDS = (0.0001, 0.0008)
"""The shortest and the longest wait between two attempts at the write lock."""

_ADDRESS_HINT = "give a file name, sqlite:///PATH or postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True)
class SqliteFile:
    """A trail in a file of its own. See `database.Database`."""

    path: Path
    """absolute"""
    timeout_seconds: float
    """how long a transaction waits for another process's to end"""

    @property
    def where(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def key_file(self) -> Path:
        """Beside the file."""
        return self.path.with_name(f"{self.path.name}.key")

    def engine(self, *, create: bool) -> Engine:
        """An engine on the file, which must be there, or its folder where it may be made."""
        _check_place(self.path, create=create)
        return _open_engine(self.path, create=create, timeout_seconds=self.timeout_seconds)

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        """A deferred transaction: one snapshot of the write-ahead log."""
        with self.explained(), engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, engine: Engine, *, ahead: bool = False) -> Iterator[Connection]:
        """An immediate transaction, which takes the write lock at once and so never has to give up half-way."""
        queue = nullcontext() if ahead else turn(self.path, timeout_seconds=self.timeout_seconds)
        with self.explained(), engine.connect() as connection:
            connection.execution_options(write_lock=self.timeout_seconds)
            # Only what has to be done alone stands in the turn.
            with queue, connection.begin():
                yield connection

    def explained(self) -> AbstractContextManager[None]:
        """SQLite's errors in words."""
        return explained(self.path)

    def refuse_foreign(self, connection: Connection) -> None:
        """Refuse a file that has tables and whose application id is not the trail's."""
        application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
        tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
        if application != APPLICATION_ID and tables:
            raise InputError(
                "trail.foreign", "this database belongs to another program", where=self.where, hint="name another file"
            )

    def refuse_deceptive(self, connection: Connection) -> None:
        """Refuse an index that does not hold what its table holds, and a view in a table's place.

        Whoever holds the file can leave an entry out of an index: what is asked for by run or kind is then not found,
        though all rows are there.
        """
        views = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema WHERE type = 'view'").scalar_one()
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        if views or found != "ok":
            raise RejectedError(
                "trail.structure",
                f"the entries are whole, but not what leads to them: {'there is a view' if views else found!r}",
                where=self.where,
                hint="keep the file as it is, and compare it with a copy",
            )

    def settle(self, engine: Engine) -> None:
        """Turn on the write-ahead log, which is a lasting property of the file.

        SQLite may answer "locked" at once while another process is turning it on, or may not have it on this file
        system. Either way the rollback journal serves until the next opening: slower, as durable.
        """
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY:
                raise
        finally:
            connection.close()

    def erase(self, engine: Engine) -> None:
        """VACUUM writes every page anew; then the write-ahead log, which has the old ones, is emptied."""
        with self.explained():
            connection = engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                (busy, *_) = cursor.fetchone() or (0,)
            finally:
                connection.close()
        if busy:
            raise ToolError(
                "trail.not-erased",
                "the text is out of the log, but its bytes are still in the -wal file, which another process reads",
                where=self.where,
                hint="when that has ended, run the same command again",
            )

    def close(self, engine: Engine) -> None:
        """Close the file; the writers' queue goes with the last of them."""
        engine.dispose()
        leave_no_queue(self.path)


def database_path(url: str) -> Path:
    """The file that a name or an `sqlite:///PATH` address names.

    Raises:
        InputError: another kind of database, an address with options, or a database in memory.
    """
    if "://" not in url:
        return _named_file(url).absolute()
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InputError(
            "trail.url", "the trail's address cannot be read", where=url.split("://", maxsplit=1)[0], hint=_ADDRESS_HINT
        ) from error
    if address.drivername not in {"sqlite", "sqlite+pysqlite"}:
        # Only the kind is repeated: the rest of the address may hold a password.
        raise InputError(
            "trail.url",
            f"a trail cannot be kept in {address.drivername!r}, only in an SQLite file or on a PostgreSQL server",
            hint=_ADDRESS_HINT,
        )
    if address.query or address.host:
        raise InputError("trail.url", "a host or options in the trail's address mean nothing", hint=_ADDRESS_HINT)
    return _named_file(address.database or "").absolute()


def _named_file(name: str) -> Path:
    if name in {"", ":memory:"}:
        raise InputError("trail.url", "a trail kept in memory records nothing", hint=_ADDRESS_HINT)
    return Path(name)


def _check_place(path: Path, *, create: bool) -> None:
    # Before SQLite is asked, whose own message would be "unable to open".
    try:
        if path.is_dir():
            raise InputError("trail.is-folder", "this is a folder, not a trail", where=str(path), hint=_ADDRESS_HINT)
        if not path.parent.is_dir():
            raise InputError(
                "trail.no-folder", "the trail's folder does not exist", where=str(path.parent), hint="make it first"
            )
        if not create and not path.exists():
            raise InputError(
                "trail.absent",
                "there is no trail here",
                where=str(path),
                hint="name one with --trail: of another's run ask its maker for it; `audit verify` works without one",
            )
    except OSError as error:
        raise ToolError(
            "trail.cannot-open", f"the trail cannot be opened: {error.strerror}", where=str(path)
        ) from error


def _open_engine(path: Path, *, create: bool, timeout_seconds: float) -> Engine:
    address = f"{path.as_uri()}?mode={'rwc' if create else 'rw'}"

    def connect() -> sqlite3.Connection:
        # isolation_level=None: Python's driver begins no transactions of its own.
        connection = sqlite3.connect(
            address, uri=True, timeout=timeout_seconds, isolation_level=None, check_same_thread=False
        )
        connection.text_factory = _verbatim
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA recursive_triggers = ON")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        patience = connection.get_execution_options().get("write_lock")
        if patience is None:
            connection.exec_driver_sql("BEGIN")
        else:
            _take_write_lock(connection, patience)

    return engine


def _take_write_lock(connection: Connection, timeout_seconds: float) -> None:
    # SQLite's own waiting doubles its pauses up to a tenth of a second, so that who comes later is served first.
    database = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    deadline = time.monotonic() + timeout_seconds
    pauses: random.Random | None = None
    database.execute("PRAGMA busy_timeout = 0")
    try:
        while not _begun(database, last=time.monotonic() >= deadline):
            # They have to differ between processes, and no more.
            pauses = pauses or random.Random(os.getpid())  # noqa: S311
            time.sleep(pauses.uniform(*_PAUSE_SECONDS))
    finally:
        database.execute(f"PRAGMA busy_timeout = {round(1000 * timeout_seconds)}")


def _begun(database: sqlite3.Connection, *, last: bool) -> bool:
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or primary_code(error) != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _verbatim(text: bytes) -> str:
    # Text that somebody made invalid must reach `verify` byte for byte, not stop the driver.
    return text.decode("utf-8", "surrogateescape")
