"""The schema of a trail, brought up to date by Alembic whenever one is opened.

Alembic from the first version on, rather than `create_all` and a version number: a log is kept for years, so its
tables will have to change under entries that may not, and the revision that a database carries is also what tells an
older tool that it is too old. Alembic is imported only where there is something to migrate.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from audit_pipeline.errors import ToolError

HEAD = "0003"
"""The newest revision in `migrations/versions`."""


def revision(connection: Connection) -> str | None:
    """The schema revision that the database carries; None where no trail was made in it."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(connection: Connection, where: str) -> None:
    """Bring the schema to `HEAD`, within the transaction that `connection` has begun: whole or not at all.

    Raises:
        ToolError: the database carries a revision that this version does not have.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "audit_pipeline.trail:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ToolError(
            "trail.newer-schema",
            f"the trail was written by a newer version of audit (schema {revision(connection)!r}, known up to {HEAD})",
            where=where,
            hint="update audit",
        ) from error
