"""A trail of every released schema is brought up to date, its entries untouched."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from audit_pipeline.errors import RejectedError, ToolError
from audit_pipeline.trail import schema
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import Frontier, TreeHead

AT = "2026-05-04T12:00:00Z"
RELEASED = ("0001", "0002")
KINDS = ("policy", "data", "model", "candidate", "findings", "verdict", "seal")


def revision_of(path: Path) -> str:
    return str(sqlite3.connect(path).execute("SELECT version_num FROM alembic_version").fetchone()[0])


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


def make_old(path: Path, revision: str, count: int) -> TreeHead:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection, revision)
        head = write_as_first_released(connection, count)
    engine.dispose()
    assert revision_of(path) == revision
    return head


def stored(path: Path) -> list[tuple[object, ...]]:
    columns = '"index", kind, run, at, CAST(canonical AS BLOB), leaf_hash, root'
    return sqlite3.connect(path).execute(f'SELECT {columns} FROM entry ORDER BY "index"').fetchall()


@pytest.mark.parametrize("revision", RELEASED)
@pytest.mark.parametrize("count", [0, 1, 2, 7, 33])
@pytest.mark.parametrize("create", [True, False])
def test_a_trail_of_a_released_schema_is_brought_up_to_date(path, revision, count, create):
    head, before = make_old(path, revision, count), None
    before = stored(path)
    with Trail.open(path, create=create) as trail:
        assert trail.verify(seen=[head]) == trail.head() == head
    assert revision_of(path) == schema.HEAD
    assert stored(path) == before


@pytest.mark.parametrize("revision", RELEASED)
def test_it_then_takes_entries_of_every_kind(path, revision):
    head = make_old(path, revision, 9)
    with Trail.open(path) as trail:
        for kind in ("keys", "approval", "waiver", "incident", "revocation", "clock"):
            trail.append(kind, run="a", at=AT, body={"reason": "…"})
        assert trail.verify(seen=[head]).size == 15


@pytest.mark.parametrize("revision", RELEASED)
def test_it_then_has_the_tables_that_a_new_trail_has(path, tmp_path, revision):
    make_old(path, revision, 9)
    new = tmp_path / "new.db"
    for place in (path, new):
        Trail.open(place).close()
    assert described(path) == described(new)


def described(path: Path) -> list[tuple[str, str]]:
    return sqlite3.connect(path).execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


@pytest.mark.parametrize("revision", RELEASED)
@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("""UPDATE entry SET canonical = replace(canonical, '":4', '":5') WHERE "index" = 4""", "hashes to"),
        ("""UPDATE entry SET leaf_hash = 'zz' WHERE "index" = 4""", "hashes to"),
        ("""UPDATE entry SET leaf_hash = substr(leaf_hash, 3) WHERE "index" = 4""", "hashes to"),
        ("""UPDATE entry SET kind = 'data' WHERE "index" = 4""", "column kind"),
        ("""DELETE FROM entry WHERE "index" = 4""", "missing"),
        ("""DELETE FROM entry WHERE "index" > 3""", "missing"),
    ],
)
def test_what_was_changed_before_is_named_after_as_it_would_have_been(path, rewrite, revision, statement, difference):
    make_old(path, revision, 11)
    rewrite(statement)
    with Trail.open(path) as trail, pytest.raises(RejectedError, match="entry 4 was changed") as refusal:
        trail.verify()
    assert difference in refusal.value.what


@pytest.mark.parametrize("revision", RELEASED)
def test_a_tool_of_a_released_schema_calls_the_trail_newer_and_not_wrong(path, tmp_path, monkeypatch, revision):
    Trail.open(path).close()
    migrations = shutil.copytree(Path(schema.__file__).parent / "migrations", tmp_path / "migrations")
    for newer in migrations.glob("versions/r*.py"):
        if newer.name[1:5] > revision:
            newer.unlink()
    monkeypatch.setattr(schema, "HEAD", revision)
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _: ScriptDirectory(str(migrations)))
    with pytest.raises(ToolError) as refusal:
        Trail.open(path)
    assert refusal.value.code == "trail.newer-schema"
