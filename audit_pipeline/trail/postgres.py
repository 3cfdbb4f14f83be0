"""A trail on a PostgreSQL server: how it is reached, and how writers take turns.

Every append is durable before it is acknowledged: a transaction under `synchronous_commit`. Writers queue at an
advisory lock, which the server hands out in the order of asking, so that none is overtaken; readers see one snapshot
and wait for nobody. What is particular to PostgreSQL stands here, in `postgres_errors` and in the migrations' guards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, QueuePool, create_engine

from audit_pipeline.errors import InputError
from audit_pipeline.trail.place import Place
from audit_pipeline.trail.postgres_errors import explained, unreachable

MARK = "audit trail, append-only"
"""The comment on the `frontier` table, by which a trail is told from another program's tables."""

_TURN = 0x4155445400000001
"""Key of the advisory lock that writers queue at: `AUDT`, and a number."""

# A writer's statements each see what was committed before they began: its snapshot may not be older than its turn.
_WRITING = {"isolation_level": "READ COMMITTED"}
_READING = {"isolation_level": "REPEATABLE READ"}

_SETTINGS = """
    SELECT set_config('search_path', coalesce(quote_ident(current_schema()), ''), false),
           set_config('lock_timeout', %s, false),
           CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END
"""
_FOREIGN = """
    SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))
                                          AND relkind IN ('r', 'p', 'v', 'm', 'f'))
       AND obj_description(to_regclass('frontier'), 'pg_class') IS DISTINCT FROM %s
"""


@dataclass(frozen=True)
class PostgresDatabase:
    """A trail in a schema of its own on a server. See `database.Database`."""

    url: str = field(repr=False)
    """`postgresql://…` as libpq reads it; may hold a password"""
    timeout_seconds: float
    """how long it waits for the server, and a transaction for another process's to end"""

    @property
    def where(self) -> str:
        """The address without its password and options."""
        return str(Place(self.url))

    @property
    def key_file(self) -> None:
        """On no machine that is known here."""

    def engine(self, *, create: bool) -> Engine:
        """An engine on the server, whose database is made by its owner and never here."""
        settings = _connection_settings(self.url, self.timeout_seconds)
        lock_timeout = f"{max(1, round(self.timeout_seconds * 1000))}ms"

        def connect() -> psycopg.Connection:
            connection = _connect(self.url, settings, self.where)
            _refuse_encoding(connection, self.where)
            connection.execute(_SETTINGS, (lock_timeout,))
            connection.commit()
            return connection

        return create_engine("postgresql+psycopg://", creator=connect, poolclass=QueuePool, pool_pre_ping=True)

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        """A transaction that sees one snapshot."""
        with self.explained(), engine.execution_options(**_READING).begin() as connection:
            yield connection

    @contextmanager
    def writing(self, engine: Engine, *, ahead: bool = False) -> Iterator[Connection]:
        """A transaction that begins by waiting for its turn; the server knows of nobody ahead."""
        with self.explained(), engine.execution_options(**_WRITING).begin() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_TURN,))
            yield connection

    def explained(self) -> AbstractContextManager[None]:
        """The server's errors in words."""
        return explained(self.where)

    def refuse_foreign(self, connection: Connection) -> None:
        """Refuse a schema that has tables, where none of them carries the trail's mark."""
        if connection.exec_driver_sql(_FOREIGN, (MARK,)).scalar_one():
            raise InputError(
                "trail.foreign",
                "this database belongs to another program",
                where=self.where,
                hint="give the trail a database of its own, or a schema: ?options=-csearch_path%3Dtrail",
            )

    def refuse_deceptive(self, connection: Connection) -> None:
        """Nothing: whoever can alter a server's indexes answers every query as they like."""

    def settle(self, engine: Engine) -> None:
        """Nothing: a server has its own properties."""

    def erase(self, engine: Engine) -> None:
        """VACUUM FULL writes the table anew. The server's own write-ahead log holds the text until it is recycled."""
        with self.explained(), engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM (FULL) entry")

    def close(self, engine: Engine) -> None:
        """Close the connections."""
        engine.dispose()


def _connection_settings(url: str, timeout_seconds: float) -> dict[str, Any]:
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:
        # libpq's own message is not kept, not even as the cause: it may quote the password.
        raise _unreadable() from None
    if _holds_password(said):
        raise _unreadable()
    usual = {"application_name": "audit", "connect_timeout": max(2, round(timeout_seconds))}
    return {key: value for key, value in usual.items() if key not in said} | {"client_encoding": "utf8"}


def _unreadable() -> InputError:
    return InputError(
        "trail.url",
        "the trail's address cannot be read",
        where="postgresql",
        hint="postgresql://USER@HOST:PORT/DATABASE; signs such as @ or / in a password are written %40 or %2F",
    )


def _holds_password(said: Mapping[str, Any]) -> bool:
    """Whether an @ or / that was not encoded moved a piece of the password to where messages show it."""
    ports = str(said.get("port", "")).split(",")
    shown = f"{said.get('host', '')}{said.get('dbname', '')}"
    return "@" in shown or any(port and not port.isdigit() for port in ports)


def _connect(url: str, settings: Mapping[str, Any], where: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url, **settings)
    except psycopg.OperationalError as error:
        raise unreachable(error, where) from error


def _refuse_encoding(connection: psycopg.Connection, where: str) -> None:
    # Others cannot hold every text, or would give back what is none.
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise InputError(
            "trail.encoding",
            "the database is not in UTF-8",
            where=where,
            hint="make one for the trail: CREATE DATABASE trail ENCODING 'UTF8' TEMPLATE template0",
        )
