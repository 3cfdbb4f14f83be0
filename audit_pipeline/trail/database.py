"""What the trail asks of a database: SQLite answers it in `sqlite`, PostgreSQL in `postgres`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

from audit_pipeline.errors import InputError
from audit_pipeline.trail.place import Place


class Database(Protocol):
    """One place where a trail may be kept. A frozen value; opening it gives an engine."""

    @property
    def where(self) -> str:
        """The place as messages name it, without a password."""

    @property
    def key_file(self) -> Path | None:
        """Where the log's private key is, unless somebody says otherwise; None where only somebody can say."""

    def engine(self, *, create: bool) -> Engine:
        """An engine on it.

        Args:
            create: whether a missing file is made.

        Raises:
            InputError: the place can be seen to be wrong before the database is asked.
            ToolError: it cannot be looked at.
        """

    def reading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the log and holds nobody up. Its errors are `explained`."""

    def writing(self, engine: Engine, *, ahead: bool = False) -> AbstractContextManager[Connection]:
        """A transaction that no other writer overlaps, from its begin to its end. Its errors are `explained`.

        Writers take turns in the order in which they came.

        Args:
            engine: of this database.
            ahead: do not queue, for what all who queue will wait for: a signed checkpoint.
        """

    def explained(self) -> AbstractContextManager[None]:
        """Turns what the database raises within the block into an `AuditError` that names the place."""

    def refuse_foreign(self, connection: Connection) -> None:
        """Refuse a database that another program made, before anything is written to it.

        Raises:
            InputError: `trail.foreign`.
        """

    def refuse_deceptive(self, connection: Connection) -> None:
        """Refuse a database of which another query than that for all entries could show something else.

        Raises:
            RejectedError: `trail.structure`.
        """

    def settle(self, engine: Engine) -> None:
        """Give a trail that was just made or brought up to date the lasting properties that no migration can."""

    def erase(self, engine: Engine) -> None:
        """Write the files anew, so that no byte is left in them of a text that was taken out.

        What copies and backups hold is out of reach, and so are blocks that the file system has given up.

        Raises:
            ToolError: `trail.not-erased`, another process still reads what was; or the database failed.
        """

    def close(self, engine: Engine) -> None:
        """Let go of it, and of what stands beside it for writers only."""


def database_at(place: Place, timeout_seconds: float) -> Database:
    """The database that an address names.

    Args:
        place: the address.
        timeout_seconds: how long each of its transactions waits for another process's to end.

    Raises:
        InputError: `trail.url`, no database of a kind that the trail can be kept in; `trail.no-driver`, its driver is
            not installed.
    """
    if not place.url.startswith(("postgresql://", "postgres://")):
        from audit_pipeline.trail import sqlite

        return sqlite.SqliteFile(sqlite.database_path(place.url), timeout_seconds)
    try:
        from audit_pipeline.trail import postgres
    except ImportError:
        raise InputError(
            "trail.no-driver",
            "a trail on a PostgreSQL server needs psycopg, which is not installed",
            hint="pip install 'audit-pipeline[postgres]'",
        ) from None
    return postgres.PostgresDatabase(place.url, timeout_seconds)
