"""What only a server can do wrong, and what is said then. All else of the trail is tested on both databases at once."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit_pipeline.errors import AuditError, ExitCode, InputError, ToolError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Place
from benchmarks.postgres_server import GUEST, Server

AT = "2026-05-04T12:00:00Z"
PASSWORD = "hunter2-of-the-guest"


DATABASES = ("postgresql",)


@pytest.fixture
def name(place: Place) -> str:
    """The trail's database."""
    return str(place).rpartition("/")[2]


@pytest.fixture
def guest(postgres: Server) -> Iterator[str]:
    """A user with a password and no rights."""
    postgres.query(f"CREATE ROLE {GUEST} LOGIN PASSWORD '{PASSWORD}'")
    yield GUEST
    for database in postgres.query("SELECT datname FROM pg_database WHERE datname LIKE 'trail\\_%'"):
        postgres.query(f"DROP OWNED BY {GUEST}", str(database[0]))
    postgres.query(f"DROP ROLE {GUEST}")


def refusal(family: type[AuditError], place: Place, **options: object) -> AuditError:
    with pytest.raises(family) as caught:
        Trail.open(place, **options)  # type: ignore[arg-type]
    assert caught.value.hint
    return caught.value


def limit_files(postgres: Server, process: int, size: int) -> None:
    """Let a process of the server make no file larger than that: its own user may, and root need not."""
    user = postgres.folder.owner() if os.geteuid() == 0 else None
    subprocess.run(["prlimit", "--pid", str(process), f"--fsize={size}:"], user=user, check=True)


def with_password(url: str, password: str) -> str:
    return url.replace("owner@", f"{GUEST}:{password}@")


def test_a_server_that_is_down_is_said_to_be_with_exit_4(tmp_path: Path) -> None:
    for url in (f"postgresql://owner@/trail?host={tmp_path}", "postgresql://owner:secret@127.0.0.1:1/trail"):
        error = refusal(ToolError, Place(url, tmp_path / "key"), timeout_seconds=2)
        assert (error.code, error.exit_code) == ("trail.server", ExitCode.TOOL)
        assert error.where == str(Place(url))
        assert "secret" not in str(error.to_json())
    assert not (tmp_path / "key").exists()


def test_a_wrong_password_is_refused_and_never_repeated(address: Place, guest: str) -> None:
    place = Place(with_password(address.url, "not-the-password"), address.key)
    error = refusal(InputError, place)
    assert (error.code, error.exit_code) == ("trail.login", ExitCode.INPUT)
    assert "not-the-password" not in "".join(traceback.format_exception(error)) + str(error.to_json()) + repr(place)
    assert refusal(InputError, Place(with_password(address.url, "x").replace(":x@", "@"))).code == "trail.login"
    assert refusal(InputError, Place(address.url.replace("owner@", "stranger@"))).code == "trail.login"


@pytest.mark.parametrize(
    "password", ["p%zz", "se@cret", "se/cret", "se?cret", "12/se@cret", "se#cret", "[se", "12?host=se@cret", "a b"]
)
def test_a_password_that_was_not_encoded_is_not_repeated_either(password: str) -> None:
    place = Place(f"postgresql://owner:{password}@host.invalid/trail")
    error = refusal(AuditError, place, timeout_seconds=2)
    shown = "".join(traceback.format_exception(error)) + str(error.to_json()) + repr(place) + str(place)
    assert password not in shown
    assert not [part for part in ("cret", "se@", "zz") if part in password and part in shown]


def test_a_database_that_is_not_there_is_named_and_not_made(postgres: Server, tmp_path: Path) -> None:
    error = refusal(InputError, Place(postgres.url("nowhere"), tmp_path / "key"))
    assert error.code == "trail.absent"
    assert postgres.query("SELECT 1 FROM pg_database WHERE datname = 'nowhere'") == []


def test_reading_makes_no_trail(address: Place, postgres: Server, name: str) -> None:
    assert refusal(InputError, address, create=False).code == "trail.absent"
    assert postgres.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", name) == []


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    "table", ["bookmarks (url text)", "frontier (id integer)", "alembic_version (version_num text)"]
)
def test_another_programs_tables_are_refused_and_left_alone(
    address: Place, postgres: Server, name: str, table: str, create: bool
) -> None:
    postgres.query(f"CREATE TABLE {table}", name)
    assert refusal(InputError, address, create=create).code == "trail.foreign"
    assert postgres.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name) == [
        (table.partition(" ")[0],)
    ]


def test_a_trail_may_share_a_database_in_a_schema_of_its_own(address: Place, postgres: Server, name: str) -> None:
    postgres.query("CREATE TABLE bookmarks (url text)", name)
    place = Place(f"{address.url}&options=-csearch_path%3Dtrail", address.key)
    assert refusal(InputError, place).code == "trail.absent"
    postgres.query("CREATE SCHEMA trail", name)
    with Trail.open(place) as trail:
        trail.append("data", "run", AT, {})
        assert trail.verify().size == 1
    # The guards find their own tables, whatever the search path of whoever writes past the tool.
    import psycopg

    with pytest.raises(psycopg.IntegrityError, match="next entry only"):
        postgres.query("INSERT INTO trail.entry SELECT 9, kind, run, at, canonical, leaf_hash, root, nodes "
                       "FROM trail.entry", name)  # fmt: skip


def test_a_database_in_another_encoding_is_refused(address: Place, postgres: Server) -> None:
    postgres.query("CREATE DATABASE trail_latin TEMPLATE template0 ENCODING 'LATIN1'")
    try:
        assert refusal(InputError, Place(postgres.url("trail_latin"), address.key)).code == "trail.encoding"
    finally:
        postgres.query("DROP DATABASE trail_latin WITH (FORCE)")


def test_a_trail_of_a_newer_version_is_refused_and_left_alone(filled: Trail, place: Place, rewrite: Callable) -> None:
    rewrite("UPDATE alembic_version SET version_num = '9999'")
    assert refusal(ToolError, place).code == "trail.newer-schema"
    assert filled.verify().size == 11


def test_a_writer_that_does_not_finish_is_waited_for_and_then_said_to_hold_it(
    filled: Trail, place: Place, name: str
) -> None:
    import psycopg

    with Trail.open(place, timeout_seconds=0.2) as hurried:
        with filled._database.writing(filled._engine):
            with pytest.raises(ToolError) as caught:
                hurried.append("data", "run", AT, {})
            assert (caught.value.code, caught.value.exit_code) == ("trail.locked", ExitCode.TOOL)
            assert hurried.verify().size == 11
        assert hurried.append("data", "run", AT, {}).head.size == 12
        with psycopg.connect(place.url) as other:
            other.execute("LOCK TABLE entry IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(ToolError) as caught:
                hurried.head()
                hurried.verify()
            assert caught.value.code == "trail.locked"


def test_a_server_that_takes_no_writes_says_so_and_can_be_read(
    filled: Trail, place: Place, postgres: Server, name: str
) -> None:
    postgres.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with Trail.open(place) as trail:
        assert trail.verify().size == 11
        with pytest.raises(ToolError) as caught:
            trail.append("data", "run", AT, {})
    assert (caught.value.code, caught.value.exit_code) == ("trail.read-only", ExitCode.TOOL)
    assert filled.verify().size == 11


def test_a_user_who_may_only_read_can_verify_and_add_nothing(
    filled: Trail, place: Place, postgres: Server, name: str, guest: str
) -> None:
    postgres.query(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {guest}", name)
    reader = Place(with_password(place.url, PASSWORD), place.key)
    with Trail.open(reader, create=False) as trail:
        assert trail.verify() == filled.head()
        with pytest.raises(ToolError) as caught:
            trail.append("data", "run", AT, {})
    assert (caught.value.code, caught.value.exit_code) == ("trail.forbidden", ExitCode.TOOL)
    assert filled.verify().size == 11


def test_a_full_disk_on_the_server_loses_the_entry_and_nothing_else(
    filled: Trail, place: Place, postgres: Server, name: str
) -> None:
    before = filled.verify()
    for (process,) in postgres.query(f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}'"):
        # Above a segment of the server's write-ahead log, whose end would be the server's.
        limit_files(postgres, int(str(process)), 1_100_000)
    with pytest.raises(ToolError) as caught:
        filled.append("data", "run", AT, {"much": [f"{number * 7919:x}" for number in range(400_000)]})
    assert caught.value.code == "trail.disk-full"
    with Trail.open(place) as trail:
        assert trail.verify() == before
        assert trail.append("data", "run", AT, {}).entry.index == 11


def test_a_server_that_crashes_keeps_what_was_acknowledged_and_an_open_trail_goes_on(
    trail: Trail, postgres: Server, place: Place
) -> None:
    acknowledged = trail.append("data", "run", AT, {"n": 0}).head
    postgres.stop()
    try:
        with pytest.raises(ToolError) as caught:
            trail.append("data", "run", AT, {"n": 1})
        assert (caught.value.code, caught.value.exit_code) == ("trail.server", ExitCode.TOOL)
    finally:
        postgres.start(durable=False)
    assert trail.verify([acknowledged]) == acknowledged
    assert trail.append("data", "run", AT, {"n": 2}).entry.index == 1


def test_a_connection_that_is_cut_in_an_append_leaves_nothing_half(trail: Trail, postgres: Server, name: str) -> None:
    def cut(_: object) -> None:
        postgres.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    with pytest.raises(ToolError) as caught:
        trail.append("data", "run", AT, {}, after=cut)
    assert caught.value.code == "trail.server"
    assert trail.verify().size == 0
    assert trail.append("data", "run", AT, {}).entry.index == 0


def test_a_commit_waits_for_the_disk_whatever_the_database_says(
    trail: Trail, place: Place, postgres: Server, name: str
) -> None:
    postgres.query(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with Trail.open(place) as opened, opened._engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET canonical = '{}'",
        "UPDATE entry SET canonical = '' WHERE \"index\" = 3",
        "DELETE FROM entry WHERE \"index\" = 10",
        "TRUNCATE entry",
        "TRUNCATE entry, frontier, log, checkpoint CASCADE",
        "INSERT INTO entry SELECT \"index\", kind, run, at, '{}', leaf_hash, root, nodes FROM entry LIMIT 1 "
        'ON CONFLICT ("index") DO UPDATE SET canonical = excluded.canonical',
        'INSERT INTO entry SELECT "index" + 12, kind, run, at, canonical, leaf_hash, root, nodes FROM entry',
        "MERGE INTO entry USING (SELECT 4 AS i) s ON \"index\" = i WHEN MATCHED THEN DELETE",
        "UPDATE frontier SET size = 3",
        "UPDATE frontier SET id = 1, peaks = ''",
        "DELETE FROM frontier",
        "TRUNCATE frontier",
        "INSERT INTO frontier VALUES (1, 0, '') ON CONFLICT (id) DO UPDATE SET size = 0",
        "UPDATE log SET origin = 'another'",
        "DELETE FROM log",
        "TRUNCATE log",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
        "TRUNCATE checkpoint",
    ],
)  # fmt: skip
def test_plain_sql_may_not_change_what_was_recorded(filled: Trail, postgres: Server, name: str, statement: str) -> None:
    import psycopg

    with pytest.raises(psycopg.IntegrityError, match=r"trail|frontier|checkpoint"):
        postgres.query(statement, name)
    assert filled.verify().size == 11


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "audit_pipeline.trail.postgres", raising=False)
    monkeypatch.delitem(sys.modules, "audit_pipeline.trail.postgres_errors", raising=False)
    monkeypatch.delattr("audit_pipeline.trail.postgres", raising=False)
    error = refusal(InputError, Place("postgresql://owner@/trail"))
    assert error.code == "trail.no-driver"
    assert "[postgres]" in str(error.hint)


def test_a_trail_in_a_file_does_not_load_the_driver(path: Path) -> None:
    script = (
        "import sys; from audit_pipeline.trail.log import Trail; Trail.open(sys.argv[1]).close();"
        "print('psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_view_that_shows_all_to_whoever_verifies_and_less_to_whoever_asks_hides_nothing(
    filled: Trail, rewrite: Callable[..., None]
) -> None:
    asked = "EXISTS (SELECT FROM pg_cursors WHERE statement LIKE '%WHERE entry.run = %')"
    rewrite(
        "ALTER TABLE entry RENAME TO entries",
        f'CREATE VIEW entry AS SELECT * FROM entries WHERE NOT ("index" = 3 AND {asked})',
    )
    assert [entry.index for entry in filled.entries("run-1")] == [1, 5, 7, 9]
    assert [entry.index for entry in filled.verified().entries("run-1")] == [1, 3, 5, 7, 9]
