"""A trail with a few entries, and a hand that writes past its guards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit_pipeline.trail.log import Trail

AT = "2026-05-04T12:00:00Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A trail as it is made, once for all tests: each commit waits for the disk."""
    path = tmp_path_factory.mktemp("trail") / "audit.db"
    Trail.open(path).close()
    return path.read_bytes()


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory: pytest.TempPathFactory, empty_file: bytes) -> bytes:
    path = tmp_path_factory.mktemp("trail") / "audit.db"
    path.write_bytes(empty_file)
    with Trail.open(path) as trail:
        for number in range(11):
            trail.append("findings", run=f"run-{number % 2}", at=AT, body={"number": number})
    return path.read_bytes()


@pytest.fixture
def trail(path: Path, empty_file: bytes) -> Iterator[Trail]:
    path.write_bytes(empty_file)
    with Trail.open(path) as opened:
        yield opened


@pytest.fixture
def filled(path: Path, filled_file: bytes) -> Iterator[Trail]:
    """Eleven entries of two runs in turn: a tree of three perfect subtrees."""
    path.write_bytes(filled_file)
    with Trail.open(path) as opened:
        yield opened


@pytest.fixture
def rewrite(path: Path) -> Callable[..., None]:
    """Run statements as somebody who holds the file and has dropped its triggers."""

    def run(*statements: str) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return run
