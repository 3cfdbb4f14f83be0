"""The trail's file: where it is, and how SQLite opens it.

Every append is durable before it is acknowledged: write-ahead log, `synchronous=FULL`, one `BEGIN IMMEDIATE`
transaction. What is particular to SQLite stands here, in `sqlite_errors` and in the migrations' guards.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.trail.sqlite_errors import primary_code

APPLICATION_ID = 0x41554454
"""`AUDT`, in the file's header (https://www.sqlite.org/fileformat.html#application_id)."""

READING = {"begin": "DEFERRED"}
"""Execution options of a transaction that sees one state of the log and holds nobody up."""

WRITING = {"begin": "IMMEDIATE"}
"""Execution options of a transaction that takes the write lock at once, so that it never has to give up half-way."""

_ADDRESS_HINT = "give a file name, or sqlite:///PATH"


def database_path(url: str | Path) -> Path:
    """The file that a path or an `sqlite:///PATH` address names.

    Raises:
        InputError: another kind of database, an address with options, or a database in memory.
    """
    if isinstance(url, Path) or "://" not in url:
        return _named_file(str(url)).absolute()
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InputError(
            "trail.url", "the trail's address cannot be read", where=url.split("://")[0], hint=_ADDRESS_HINT
        ) from error
    if address.drivername not in {"sqlite", "sqlite+pysqlite"}:
        # Only the kind is repeated: the rest of the address may hold a password.
        raise InputError(
            "trail.url",
            f"a trail cannot be kept in {address.get_backend_name()!r} yet, only in an SQLite file",
            hint=_ADDRESS_HINT,
        )
    if address.query or address.host:
        raise InputError("trail.url", "a host or options in the trail's address mean nothing", hint=_ADDRESS_HINT)
    return _named_file(address.database or "").absolute()


def _named_file(name: str) -> Path:
    if name in {"", ":memory:"}:
        raise InputError("trail.url", "a trail kept in memory records nothing", hint=_ADDRESS_HINT)
    return Path(name)


def check_place(path: Path, *, create: bool) -> None:
    """Refuse what can be seen to be wrong before SQLite is asked, whose own message would be "unable to open".

    Raises:
        InputError: the file is a folder, is absent though it must exist, or its folder is absent.
        ToolError: the place cannot be looked at.
    """
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


def open_engine(path: Path, *, create: bool, timeout_seconds: float) -> Engine:
    """An engine on one file, whose transactions begin as `READING` or `WRITING` say.

    Args:
        path: absolute.
        create: whether a missing file is made.
        timeout_seconds: how long to wait for another process's transaction to end.
    """
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

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, execution_options=READING)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options()['begin']}")

    return engine


def _verbatim(text: bytes) -> str:
    # Text that somebody made invalid must reach `verify` byte for byte, not stop the driver.
    return text.decode("utf-8", "surrogateescape")


def refuse_foreign(connection: Connection, path: Path) -> None:
    """Refuse a database that another program made, before anything is written to it.

    Raises:
        InputError: it has tables, and its application id is not the trail's.
    """
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
    if application != APPLICATION_ID and tables:
        raise InputError(
            "trail.foreign", "this database belongs to another program", where=str(path), hint="name another file"
        )


def use_write_ahead_log(engine: Engine) -> None:
    """Turn on the write-ahead log, which is a lasting property of the file.

    SQLite may answer "locked" at once while another process is turning it on, or may not have it on this file system.
    Either way the rollback journal serves until the next opening: slower, as durable.
    """
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_BUSY:
            raise
    finally:
        connection.close()
