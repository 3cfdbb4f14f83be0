"""A trail of every released schema is brought up to date on both databases, its entries untouched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, inspect, text

from audit_pipeline.errors import RejectedError, ToolError
from audit_pipeline.trail import schema
from audit_pipeline.trail.database import database_at
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import Frontier, TreeHead
from audit_pipeline.trail.place import Address, Place
from audit_pipeline.trail.proofs import check_consistency, check_inclusion

AT = "2026-05-04T12:00:00Z"
RELEASED = ("0001", "0002")
KINDS = ("policy", "data", "model", "candidate", "findings", "verdict", "seal")


@contextmanager
def connected(address: Address) -> Iterator[Connection]:
    database = database_at(Place.of(address), 30)
    engine = database.engine(create=True)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def rows(address: Address, query: str) -> list[Any]:
    with connected(address) as connection:
        return list(connection.execute(text(query)))


def revision_of(address: Address) -> str:
    return str(rows(address, "SELECT version_num FROM alembic_version")[0][0])


def migrate(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "audit_pipeline.trail:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def write_as_first_released(connection: Connection, count: int) -> TreeHead:
    """Entries as the tools of both released schemas wrote them."""
    frontier = Frontier()
    for index in range(count):
        entry = Entry.compose(index, KINDS[index % 7], f"run-{index // 7}", AT, {"number": index, "text": "naïve \0 é"})
        frontier = frontier.append(entry.leaf_hash)
        columns = {
            "i": index,
            "k": entry.kind,
            "r": entry.run,
            "a": AT,
            "c": entry.canonical.decode(),
            "l": entry.leaf_hash.hex(),
            "o": frontier.root().hex(),
        }
        connection.execute(text("INSERT INTO entry VALUES (:i, :k, :r, :a, :c, :l, :o)"), columns)
        connection.execute(
            text("UPDATE frontier SET size = :s, peaks = :p"), {"s": frontier.size, "p": frontier.to_hex()}
        )
    return frontier.head()


def make_old(address: Address, revision: str, count: int) -> TreeHead:
    with connected(address) as connection:
        migrate(connection, revision)
        head = write_as_first_released(connection, count)
    assert revision_of(address) == revision
    return head


def tamper(address: Address, statement: str) -> None:
    """As somebody does who holds the database; on a server the released schemas had no guards."""
    with connected(address) as connection:
        if connection.dialect.name == "sqlite":
            for (name,) in connection.execute(text("SELECT name FROM sqlite_schema WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("revision", RELEASED)
@pytest.mark.parametrize(("count", "create"), [(0, True), (1, True), (2, False), (7, True), (33, False)])
def test_a_trail_of_a_released_schema_is_brought_up_to_date(address, revision, count, create):
    columns = 'SELECT "index", kind, run, at, canonical, leaf_hash, root FROM entry ORDER BY "index"'
    head, before = make_old(address, revision, count), rows(address, columns)
    with Trail.open(address, create=create) as trail:
        assert trail.verify(seen=[head]) == trail.head() == head
    assert revision_of(address) == schema.HEAD
    assert rows(address, columns) == before


@pytest.mark.parametrize("revision", RELEASED)
def test_its_old_entries_are_proven_and_it_takes_new_ones_of_every_kind(address, revision):
    old = make_old(address, revision, 9)
    with Trail.open(address) as trail:
        for kind in ("keys", "approval", "waiver", "incident", "revocation", "clock"):
            trail.append(kind, run="a", at=AT, body={"reason": "…"})
        new = trail.verify(seen=[old])
        assert new.size == 15
        check_consistency(old, new, trail.consistency(9))
        for entry in trail.entries():
            check_inclusion(new, entry.index, entry.leaf_hash, trail.inclusion(entry.index))


@pytest.mark.parametrize("revision", RELEASED)
def test_it_then_is_what_a_new_trail_is(address, revision, request, tmp_path):
    make_old(address, revision, 9)
    new = tmp_path / "new.db"
    if isinstance(address, Place):
        new = Place(
            request.getfixturevalue("postgres").url(request.getfixturevalue("fresh_database")()), Path(f"{new}")
        )
    for each in (address, new):
        Trail.open(each).close()
    assert described(address) == described(new)


def described(address: Address) -> dict[str, Any]:
    with connected(address) as connection:
        if connection.dialect.name == "sqlite":
            return dict(connection.execute(text("SELECT name, sql FROM sqlite_schema")).all())
        guards = "SELECT tgrelid::regclass::text || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger"
        return {**_tables(inspect(connection)), **dict(connection.execute(text(guards)).all())}


def _tables(seen: Inspector) -> dict[str, Any]:
    return {
        name: ([{**column, "type": str(column["type"])} for column in seen.get_columns(name)], seen.get_indexes(name))
        for name in seen.get_table_names()
    }


@pytest.mark.parametrize("revision", RELEASED)
@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("""UPDATE entry SET canonical = replace(canonical, '":4', '":5') WHERE "index" = 4""", "hashes to"),
        ("""UPDATE entry SET leaf_hash = 'zz' WHERE "index" = 4""", "hashes to"),
        ("""UPDATE entry SET leaf_hash = substr(leaf_hash, 3) WHERE "index" = 4""", "hashes to"),
        ("""UPDATE entry SET kind = 'data' WHERE "index" = 4""", "column kind"),
        ("""UPDATE entry SET canonical = '' WHERE "index" = 4""", "text is gone"),
        ("""DELETE FROM entry WHERE "index" = 4""", "missing"),
        ("""DELETE FROM entry WHERE "index" > 3""", "missing"),
    ],
)
def test_what_was_changed_before_is_named_after_as_it_would_have_been(address, revision, statement, difference):
    make_old(address, revision, 11)
    tamper(address, statement)
    with Trail.open(address, create=False) as trail, pytest.raises(RejectedError, match="entry 4 was") as refusal:
        trail.verify()
    assert difference in refusal.value.what


@pytest.mark.parametrize("revision", RELEASED)
def test_a_tool_of_a_released_schema_calls_the_trail_newer_and_not_wrong(address, tmp_path, monkeypatch, revision):
    Trail.open(address).close()
    migrations = shutil.copytree(Path(schema.__file__).parent / "migrations", tmp_path / "migrations")
    for newer in migrations.glob("versions/r*.py"):
        if newer.name[1:5] > revision:
            newer.unlink()
    monkeypatch.setattr(schema, "HEAD", revision)
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _: ScriptDirectory(str(migrations)))
    with pytest.raises(ToolError) as refusal:
        Trail.open(address)
    assert refusal.value.code == "trail.newer-schema"
