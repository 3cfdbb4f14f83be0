"""A trail of every released schema is brought up to date, its entries untouched."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from audit_pipeline.errors import ToolError
from audit_pipeline.trail import schema
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import TreeHead

AT = "2026-05-04T12:00:00Z"


def revision_of(path: Path) -> str:
    return str(sqlite3.connect(path).execute("SELECT version_num FROM alembic_version").fetchone()[0])


@pytest.fixture
def old(path: Path) -> TreeHead:
    """A trail with two entries as the first schema's tool left it."""
    config = Config()
    config.set_main_option("script_location", "audit_pipeline.trail:migrations")
    with create_engine(f"sqlite:///{path}").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(schema, "HEAD", "0001")
        with Trail.open(path) as trail:
            trail.append("policy", run="a", at=AT, body={"sha256": "00"})
            head = trail.append("seal", run="a", at=AT, body={"security_counter": 1}).head
    assert revision_of(path) == "0001"
    return head


def test_a_trail_of_the_first_schema_is_brought_up_to_date_and_takes_keys(path: Path, old: TreeHead) -> None:
    with Trail.open(path) as trail:
        assert trail.verify(seen=[old]) == old
        trail.append("keys", run="keys:wearable", at=AT, body={"action": "revoke"})
        assert trail.verify(seen=[old]).size == 3
        assert [entry.kind for entry in trail.entries("keys:wearable")] == ["keys"]
    assert revision_of(path) == schema.HEAD


def test_reading_an_old_trail_brings_it_up_to_date_too(path: Path, old: TreeHead) -> None:
    with Trail.open(path, create=False) as trail:
        assert trail.head() == old
    assert revision_of(path) == schema.HEAD


def test_a_tool_of_the_first_schema_calls_a_trail_with_keys_newer_and_not_wrong(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Trail.open(path) as trail:
        trail.append("keys", run="keys:wearable", at=AT, body={})
    migrations = shutil.copytree(Path(schema.__file__).parent / "migrations", tmp_path / "migrations")
    (migrations / "versions" / "r0002_entries_of_keys.py").unlink()
    monkeypatch.setattr(schema, "HEAD", "0001")
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _: ScriptDirectory(str(migrations)))
    with pytest.raises(ToolError) as refusal:
        Trail.open(path)
    assert refusal.value.code == "trail.newer-schema"
