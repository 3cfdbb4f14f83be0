"""Entries, the frontier of the tree over them, and the guards of both.

The guards are rails, not evidence: whoever can write the file can drop them. What shows a change is `Trail.verify`.
INSERT OR REPLACE deletes without firing a DELETE trigger unless the connection turned `recursive_triggers` on, so the
guard on INSERT admits nothing but the next index, whatever the connection is set to.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE_GUARDS = (
    "PRAGMA application_id = 0x41554454",
    """CREATE TRIGGER entry_insert BEFORE INSERT ON entry
       WHEN NEW."index" IS NOT (SELECT coalesce(max("index") + 1, 0) FROM entry)
       BEGIN SELECT raise(ABORT, 'the trail takes the next entry only'); END""",
    """CREATE TRIGGER entry_update BEFORE UPDATE ON entry
       BEGIN SELECT raise(ABORT, 'the trail is append-only'); END""",
    """CREATE TRIGGER entry_delete BEFORE DELETE ON entry
       BEGIN SELECT raise(ABORT, 'the trail is append-only'); END""",
    """CREATE TRIGGER frontier_insert BEFORE INSERT ON frontier
       WHEN EXISTS (SELECT 1 FROM frontier)
       BEGIN SELECT raise(ABORT, 'the trail has one frontier'); END""",
    """CREATE TRIGGER frontier_update BEFORE UPDATE ON frontier
       WHEN NEW.size IS NOT OLD.size + 1 OR NEW.id IS NOT OLD.id
       BEGIN SELECT raise(ABORT, 'the frontier moves by one entry'); END""",
    """CREATE TRIGGER frontier_delete BEFORE DELETE ON frontier
       BEGIN SELECT raise(ABORT, 'the trail is append-only'); END""",
)


def upgrade() -> None:
    """Make both tables, the frontier of the empty tree, and the guards."""
    op.create_table(
        "entry",
        sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("canonical", sa.Text, nullable=False),
        sa.Column("leaf_hash", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_entry_run", "entry", ["run"])
    op.create_table(
        "frontier",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("peaks", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="only_one_frontier"),
        sqlite_strict=True,
        # By this a trail on a PostgreSQL server is told from another program's tables.
        comment="audit trail, append-only",
    )
    op.execute("INSERT INTO frontier (id, size, peaks) VALUES (1, 0, '')")
    # PostgreSQL's guards come with 0003: no trail on a server has an earlier schema.
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE_GUARDS:
            op.execute(statement)
