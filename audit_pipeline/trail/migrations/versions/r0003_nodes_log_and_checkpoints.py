"""What proofs and signed checkpoints need, new kinds of entry, and redaction.

Each entry gets the `nodes` of the tree that it completes, those of older entries computed from their leaf hashes. Two
tables come to it: `log`, which log this is, and `checkpoint`, what was signed of it. PostgreSQL gets guards as SQLite
has them, and both let through one change to an entry: its header may take its place once a `redaction` names it.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from audit_pipeline.trail.merkle import HASH_BYTES, Frontier

revision = "0003"
down_revision = "0002"

_SQLITE_GUARDS = (
    """CREATE TRIGGER entry_insert BEFORE INSERT ON entry
       WHEN NEW."index" IS NOT (SELECT coalesce(max("index") + 1, 0) FROM entry)
       BEGIN SELECT raise(ABORT, 'the trail takes the next entry only'); END""",
    """CREATE TRIGGER entry_update BEFORE UPDATE ON entry
       WHEN NOT (
           OLD.kind IN ('policy', 'data', 'model', 'approval', 'waiver', 'incident', 'revocation', 'clock')
           AND NEW.canonical LIKE '{"at"%"body_sha256"%}' AND NEW.canonical NOT LIKE '%"salt"%'
           AND (NEW."index", NEW.kind, NEW.run, NEW.at, NEW.leaf_hash, NEW.root, NEW.nodes)
            IS (OLD."index", OLD.kind, OLD.run, OLD.at, OLD.leaf_hash, OLD.root, OLD.nodes)
           AND EXISTS (
               SELECT 1 FROM entry AS redaction
               WHERE redaction.kind = 'redaction'
               AND json_extract(redaction.canonical, '$.body.index') IS OLD."index"
               AND json_extract(redaction.canonical, '$.body.leaf_hash') IS OLD.leaf_hash
           )
       )
       BEGIN SELECT raise(ABORT, 'the trail is append-only'); END""",
    """CREATE TRIGGER entry_delete BEFORE DELETE ON entry
       BEGIN SELECT raise(ABORT, 'the trail is append-only'); END""",
    """CREATE TRIGGER log_insert BEFORE INSERT ON log
       WHEN EXISTS (SELECT 1 FROM log)
       BEGIN SELECT raise(ABORT, 'the trail is one log'); END""",
    """CREATE TRIGGER log_update BEFORE UPDATE ON log
       BEGIN SELECT raise(ABORT, 'the trail stays the log that it is'); END""",
    """CREATE TRIGGER log_delete BEFORE DELETE ON log
       BEGIN SELECT raise(ABORT, 'the trail stays the log that it is'); END""",
    """CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint
       WHEN NEW.number IS NOT (SELECT coalesce(max(number) + 1, 0) FROM checkpoint)
       BEGIN SELECT raise(ABORT, 'the trail takes the next checkpoint only'); END""",
    """CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint
       BEGIN SELECT raise(ABORT, 'checkpoints are append-only'); END""",
    """CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint
       BEGIN SELECT raise(ABORT, 'checkpoints are append-only'); END""",
)

_POSTGRESQL_REFUSAL = """CREATE FUNCTION trail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation'; END $$"""


def _postgresql_guard(table: str, event: str, condition: str | None, what: str) -> Iterator[str]:
    # A trigger's own WHEN may not hold a subquery, so the condition stands in the body of a function.
    name = f"{table}_{event.lower()}"
    level = "STATEMENT" if event == "TRUNCATE" else "ROW"
    if condition is None:
        refusal = f"trail_refuse('{what}')"
        yield f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION {refusal}"
        return
    # With the search path of the trail's maker: that of whoever writes may lead to tables of the same names.
    yield f"""CREATE FUNCTION trail_{name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
        BEGIN
            IF {condition} THEN
                RAISE EXCEPTION USING MESSAGE = '{what}', ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$"""
    yield f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {level} EXECUTE FUNCTION trail_{name}()"


_POSTGRESQL_GUARDS = (
    (
        "entry",
        "INSERT",
        """NEW."index" IS DISTINCT FROM (SELECT coalesce(max("index") + 1, 0) FROM entry)""",
        "the trail takes the next entry only",
    ),
    (
        "entry",
        "UPDATE",
        """(OLD.kind IN ('policy', 'data', 'model', 'approval', 'waiver', 'incident', 'revocation', 'clock')
            AND NEW.canonical LIKE '{"at"%"body_sha256"%}' AND NEW.canonical NOT LIKE '%"salt"%'
            AND (NEW."index", NEW.kind, NEW.run, NEW.at, NEW.leaf_hash, NEW.root, NEW.nodes)
            IS NOT DISTINCT FROM (OLD."index", OLD.kind, OLD.run, OLD.at, OLD.leaf_hash, OLD.root, OLD.nodes)
            AND EXISTS (
                SELECT 1 FROM entry AS redaction
                WHERE redaction.kind = 'redaction'
                AND redaction.canonical::json #>> '{body,index}' = OLD."index"::text
                AND redaction.canonical::json #>> '{body,leaf_hash}' = OLD.leaf_hash
            )) IS NOT TRUE""",
        "the trail is append-only",
    ),
    ("entry", "DELETE", None, "the trail is append-only"),
    ("entry", "TRUNCATE", None, "the trail is append-only"),
    ("frontier", "INSERT", "EXISTS (SELECT 1 FROM frontier)", "the trail has one frontier"),
    (
        "frontier",
        "UPDATE",
        "NEW.size IS DISTINCT FROM OLD.size + 1 OR NEW.id IS DISTINCT FROM OLD.id",
        "the frontier moves by one entry",
    ),
    ("frontier", "DELETE", None, "the trail is append-only"),
    ("frontier", "TRUNCATE", None, "the trail is append-only"),
    ("log", "INSERT", "EXISTS (SELECT 1 FROM log)", "the trail is one log"),
    ("log", "UPDATE", None, "the trail stays the log that it is"),
    ("log", "DELETE", None, "the trail stays the log that it is"),
    ("log", "TRUNCATE", None, "the trail stays the log that it is"),
    (
        "checkpoint",
        "INSERT",
        "NEW.number IS DISTINCT FROM (SELECT coalesce(max(number) + 1, 0) FROM checkpoint)",
        "the trail takes the next checkpoint only",
    ),
    ("checkpoint", "UPDATE", None, "checkpoints are append-only"),
    ("checkpoint", "DELETE", None, "checkpoints are append-only"),
    ("checkpoint", "TRUNCATE", None, "checkpoints are append-only"),
)


def upgrade() -> None:
    """Take the guards of the entries away, change the tables, and put guards on all of them."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        for guard in ("entry_insert", "entry_update", "entry_delete"):
            op.execute(f"DROP TRIGGER IF EXISTS {guard}")
    _add_nodes()
    op.create_index("ix_entry_kind", "entry", ["kind"])
    _create_tables()
    if sqlite:
        for statement in _SQLITE_GUARDS:
            op.execute(statement)
    else:
        op.execute(_POSTGRESQL_REFUSAL)
        for arguments in _POSTGRESQL_GUARDS:
            for statement in _postgresql_guard(*arguments):
                op.execute(statement)


def _add_nodes() -> None:
    with op.batch_alter_table("entry") as batch:
        batch.add_column(sa.Column("nodes", sa.Text, nullable=True))
    op.execute("UPDATE entry SET nodes = ''")
    if filled := [{"at": index, "completed": nodes} for index, nodes in _nodes()]:
        entry = sa.table("entry", sa.column("index"), sa.column("nodes"))
        here = entry.c["index"] == sa.bindparam("at")
        op.get_bind().execute(sa.update(entry).where(here).values(nodes=sa.bindparam("completed")), filled)
    with op.batch_alter_table("entry") as batch:
        batch.alter_column("nodes", existing_type=sa.Text, nullable=False)


def _nodes() -> Iterator[tuple[int, str]]:
    """The nodes of every entry that completes some, up to the first entry that is not as it was written.

    That one is for `Trail.verify` to name, as it would have before.
    """
    frontier = Frontier()
    for index, leaf_hash in op.get_bind().execute(sa.text('SELECT "index", leaf_hash FROM entry ORDER BY "index"')):
        leaf = _hash(leaf_hash)
        if index != frontier.size or leaf is None:
            return
        if completed := frontier.completed(leaf):
            yield index, b"".join(completed).hex()
        frontier = frontier.append(leaf)


def _hash(text: object) -> bytes | None:
    try:
        value = bytes.fromhex(str(text))
    except ValueError:
        return None
    return value if len(value) == HASH_BYTES else None


def _create_tables() -> None:
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("vkey", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="only_one_log"),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoint",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_checkpoint_size", "checkpoint", ["size"])
