from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.trail import schema, tables
from audit_pipeline.trail.log import Trail


def described(path):
    return sqlite3.connect(path).execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


def test_the_migrations_make_the_tables_that_the_models_describe(trail):
    with trail._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_models_own_tables_are_as_strict_as_the_migrated_ones(trail, path):
    migrated = dict(described(path))
    for model in (tables.EntryRow, tables.FrontierRow):
        assert migrated[model.__tablename__].rstrip().endswith("STRICT")
        assert model.metadata.tables[model.__tablename__].dialect_options["sqlite"]["strict"] is True


def test_the_head_is_the_newest_migration():
    migrations = Path(schema.__file__).parent / "migrations"
    assert ScriptDirectory(str(migrations)).get_current_head() == schema.HEAD


def test_a_trail_of_a_newer_version_is_refused_and_left_alone(trail, path, rewrite):
    rewrite("UPDATE alembic_version SET version_num = '9999'")
    for create in (True, False):
        with pytest.raises(ToolError) as refusal:
            Trail.open(path, create=create)
        assert refusal.value.code == "trail.newer-schema"
        assert "9999" in refusal.value.what
    assert sqlite3.connect(path).execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


@pytest.mark.parametrize("create", [True, False])
def test_another_programs_database_is_refused_and_left_alone(path, create):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InputError) as refusal:
        Trail.open(path, create=create)
    assert refusal.value.code == "trail.foreign"
    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_nothing(path, monkeypatch):
    def fail_at_the_end(connection, path):
        upgrade(connection, path)
        raise ToolError("trail.test", "the power failed")

    upgrade = schema.upgrade
    monkeypatch.setattr(schema, "upgrade", fail_at_the_end)
    with pytest.raises(ToolError, match="the power failed"):
        Trail.open(path)
    assert described(path) == []
    monkeypatch.undo()
    with Trail.open(path) as trail:
        assert trail.verify().size == 0


def test_a_trail_without_its_revision_is_not_made_anew_over_its_entries(filled, path, rewrite):
    rewrite("DROP TABLE alembic_version")
    with pytest.raises(ToolError) as refusal:
        Trail.open(path)
    assert refusal.value.code == "trail.database"
    assert filled.verify().size == 11
