"""A trail with a few entries, on both databases, and a hand that writes past its guards."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address, Place
from benchmarks.postgres_server import NoServerError, Server, server

AT = "2026-05-04T12:00:00Z"

_NUMBERS = count()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of the trail runs on both databases, unless it asks for `path`, SQLite's file, or its module names one."""
    if "database" in metafunc.fixturenames:
        both = getattr(metafunc.module, "DATABASES", ("sqlite", "postgresql"))
        metafunc.parametrize("database", ["sqlite"] if "path" in metafunc.fixturenames else both)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server, once for all tests of a process."""
    try:
        with server(durable=False) as running:
            yield running
    except NoServerError as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture
def fresh_database(postgres: Server) -> Iterator[Callable[..., str]]:
    """Make databases with names of their own, and drop them after the test."""
    made: list[str] = []

    def make(template: str = "template0") -> str:
        made.append(f"trail_{next(_NUMBERS)}")
        # Files are copied, rather than every page of theirs logged: that takes a quarter less.
        postgres.query(f"CREATE DATABASE {made[-1]} TEMPLATE {template} ENCODING 'UTF8' STRATEGY FILE_COPY")
        return made[-1]

    yield make
    for name in made:
        postgres.query(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def address(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """Where a trail can be made, and none is."""
    if database == "sqlite":
        return request.getfixturevalue("path")
    name = request.getfixturevalue("fresh_database")()
    return Place(request.getfixturevalue("postgres").url(name), tmp_path / "audit.db.key")


def fill(trail: Trail) -> None:
    for number in range(11):
        trail.append("data", run=f"run-{number % 2}", at=AT, body={"number": number})


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Folders with a trail as it is made, and with a filled one: once for all tests, for each commit waits."""
    empty = tmp_path_factory.mktemp("empty")
    Trail.open(empty / "audit.db").close()
    filled = shutil.copytree(empty, tmp_path_factory.mktemp("filled"), dirs_exist_ok=True)
    with Trail.open(filled / "audit.db") as trail:
        fill(trail)
    return {"empty": empty, "filled": filled}


@pytest.fixture(scope="session")
def databases(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The same on the server: databases `empty` and `filled`, and the folders with their keys."""
    empty, filled = tmp_path_factory.mktemp("empty-key"), tmp_path_factory.mktemp("filled-key")
    postgres.query("CREATE DATABASE empty TEMPLATE template0 ENCODING 'UTF8'")
    Trail.open(Place(postgres.url("empty"), empty / "audit.db.key")).close()
    postgres.query("CREATE DATABASE filled TEMPLATE empty")
    shutil.copytree(empty, filled, dirs_exist_ok=True)
    with Trail.open(Place(postgres.url("filled"), filled / "audit.db.key")) as trail:
        fill(trail)
    return {"empty": empty, "filled": filled}


@pytest.fixture
def copied(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Address]:
    """Copy one of the prepared trails, with its key, to a place of the test's own."""

    def copy(which: str) -> Address:
        if database == "sqlite":
            shutil.copytree(request.getfixturevalue("files")[which], tmp_path, dirs_exist_ok=True)
            return tmp_path / "audit.db"
        shutil.copytree(request.getfixturevalue("databases")[which], tmp_path, dirs_exist_ok=True)
        name = request.getfixturevalue("fresh_database")(which)
        return Place(request.getfixturevalue("postgres").url(name), tmp_path / "audit.db.key")

    return copy


@pytest.fixture
def trail(copied: Callable[[str], Address]) -> Iterator[Trail]:
    with Trail.open(copied("empty")) as opened:
        yield opened


@pytest.fixture
def filled(copied: Callable[[str], Address]) -> Iterator[Trail]:
    """Eleven entries of two runs in turn: a tree of three perfect subtrees."""
    with Trail.open(copied("filled")) as opened:
        yield opened


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    """Where the test's trail is, to open it once more."""
    for name in ("trail", "filled"):
        if name in request.fixturenames:
            return request.getfixturevalue(name)._place
    return Place.of(request.getfixturevalue("path" if "path" in request.fixturenames else "address"))


@pytest.fixture
def rewrite(place: Place) -> Callable[..., None]:
    """Run statements as somebody who holds the database and has dropped its triggers."""

    def run(*statements: str) -> None:
        if "://" in place.url:
            _rewrite_server(place.url, statements)
        else:
            _rewrite_file(place.url, statements)

    return run


def _rewrite_file(path: str, statements: tuple[str, ...]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def _rewrite_server(url: str, statements: tuple[str, ...]) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("entry", "frontier", "log", "checkpoint"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            connection.execute(statement)
