"""Where a trail can be, and what is said where it cannot."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from audit_pipeline.errors import AuditError, ExitCode, InputError, ToolError
from audit_pipeline.trail.log import Trail

AT = "2026-05-04T12:00:00Z"


def refusal(family, url, **options) -> AuditError:
    with pytest.raises(family) as caught:
        Trail.open(url, **options)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    "spell", [str, Path, lambda path: f"sqlite:///{path}", lambda path: f"sqlite+pysqlite:///{path}"]
)
def test_a_file_can_be_named_as_a_path_or_as_an_address(path, spell):
    Trail.open(spell(path)).close()
    assert path.is_file()


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "what?.db", "a#b.db", "Gerät.db", "x.db?mode=ro", "a:b.db"])
def test_a_file_name_is_taken_as_it_stands(tmp_path, name):
    with Trail.open(tmp_path / name) as trail:
        trail.append("data", run="run", at=AT, body={})
    assert sorted(file.name for file in tmp_path.iterdir()) == [name, f"{name}.key", f"{name}.key.checkpoint"]


def test_a_relative_name_stays_the_same_file_when_the_folder_changes(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Trail.open("audit.db") as trail:
        monkeypatch.chdir(tmp_path / "elsewhere")
        trail._engine.dispose()
        trail.append("data", run="run", at=AT, body={})
    assert not (tmp_path / "elsewhere" / "audit.db").exists()


@pytest.mark.parametrize(
    "address", ["mysql://auditor:hunter2@db/trail", "postgresql+psycopg://auditor:hunter2@db/x", "mysql://db/x"]
)
def test_another_kind_of_database_is_refused_without_repeating_a_password(address):
    error = refusal(InputError, address)
    assert error.code == "trail.url"
    assert address.split(":")[0].split("+")[0] in error.what
    assert "sqlite:///" in error.hint
    assert "hunter2" not in str(error.to_json())


@pytest.mark.parametrize(
    "address",
    ["", ":memory:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "://", "nothing://",
     "sqlite+aiosqlite:///a.db", "postgresql://h:notaport/x", "sqlite://host/a.db"],
)  # fmt: skip
def test_an_address_that_names_no_file_is_refused(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(InputError, address).code == "trail.url"
    assert list(tmp_path.iterdir()) == []


def test_reading_makes_no_file(path):
    assert refusal(InputError, path, create=False).code == "trail.absent"
    assert not path.exists()


def test_reading_an_empty_file_finds_no_trail_and_leaves_it_empty(path):
    path.touch()
    assert refusal(InputError, path, create=False).code == "trail.absent"
    assert path.read_bytes() == b""


def test_a_folder_is_no_trail(tmp_path):
    assert refusal(InputError, tmp_path).code == "trail.is-folder"


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    error = refusal(InputError, tmp_path / "no" / "audit.db")
    assert error.code == "trail.no-folder"
    assert error.where == str(tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_a_name_that_the_system_cannot_hold_is_an_error_and_no_crash(tmp_path):
    with pytest.raises(ToolError, match="cannot be opened"):
        Trail.open(tmp_path / ("x" * 5000))


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + bytes(5000), b"hello, trail", b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    for create in (True, False):
        error = refusal(InputError, path, create=create)
        assert error.code == "trail.not-a-database"
        assert error.exit_code == ExitCode.INPUT
    assert path.read_bytes() == content


def test_a_damaged_file_is_said_to_be_damaged(path):
    with Trail.open(path) as trail:
        for number in range(200):
            trail.append("data", run="run", at=AT, body={"number": number})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 // 4096 * 4096])
    with pytest.raises(ToolError) as caught, Trail.open(path, create=False) as trail:
        trail.verify()
    assert caught.value.code == "trail.corrupt"
    assert caught.value.where == str(path)


def test_a_damaged_schema_is_said_to_be_damaged_even_where_sqlites_message_is_no_text(trail, path):
    trail.close()
    path.write_bytes(path.read_bytes().replace(b"CREATE TRIGGER", b"CREATE TRIG\xc7ER"))
    assert refusal(ToolError, path).code == "trail.corrupt"


def test_any_byte_overwritten_in_the_file_is_an_error_or_harmless(path):
    with Trail.open(path) as trail:
        for number in range(30):
            head = trail.append("data", run="run", at=AT, body={"number": number}).head
    whole = path.read_bytes()
    for offset in range(0, len(whole), 211):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x5A]) + whole[offset + 1 :])
        try:
            with Trail.open(path, create=False) as trail:
                assert trail.verify() == head
        except AuditError:
            continue


def test_a_trail_that_another_process_holds_is_said_to_be_locked(trail, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Trail.open(path, timeout_seconds=0.05) as hurried:
        with pytest.raises(ToolError) as caught:
            hurried.append("data", run="run", at=AT, body={})
        assert caught.value.code == "trail.locked"
        assert caught.value.exit_code == ExitCode.TOOL
        assert hurried.verify().size == 0
        other.execute("ROLLBACK")
        assert hurried.append("data", run="run", at=AT, body={}).head.size == 1


def test_a_trail_held_exclusively_is_locked_to_readers_too(trail, path):
    trail.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert refusal(ToolError, path, timeout_seconds=0.05).code == "trail.locked"


def test_a_full_disk_loses_the_entry_and_nothing_else(path):
    with Trail.open(path) as trail:
        before = trail.append("data", run="run", at=AT, body={}).head

    def fill_disk(connection, _):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", fill_disk)
    try:
        with Trail.open(path) as trail:
            with pytest.raises(ToolError) as caught:
                trail.append("data", run="run", at=AT, body={"much": "x" * 50_000})
            assert caught.value.code == "trail.disk-full"
            assert trail.verify() == before
    finally:
        event.remove(Engine, "connect", fill_disk)
    with Trail.open(path) as trail:
        assert trail.append("data", run="run", at=AT, body={"much": "x" * 50_000}).entry.index == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may let a file system be as small as that")
def test_a_disk_that_is_full_loses_the_entry_and_nothing_else(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with Trail.open(disk / "audit.db") as trail:
            heads = [trail.append("data", run="run", at=AT, body={"n": n}).head for n in range(5)]
            with pytest.raises(ToolError) as caught:
                for n in range(1000):
                    heads.append(trail.append("data", run="run", at=AT, body={"n": n, "much": "x" * 20_000}).head)
            assert caught.value.exit_code == ExitCode.TOOL
            assert caught.value.code in {"trail.disk-full", "trail.uncovered"}
            # Without a checkpoint the entry is recorded, and the next checkpoint covers it.
            size = trail.verify(heads).size
            assert size - heads[-1].size == (caught.value.code == "trail.uncovered")
            subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
            assert trail.append("data", run="run", at=AT, body={"much": "x" * 20_000}).entry.index == size
            trail.verify(heads)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_write_that_the_system_refuses_loses_the_entry_and_nothing_else(path):
    with Trail.open(path) as trail:
        before = trail.append("data", run="run", at=AT, body={}).head
    script = """
import resource, signal, sys
from audit_pipeline.errors import ToolError
from audit_pipeline.trail.log import Trail
trail = Trail.open(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    trail.append("data", run="run", at="2026-05-04T12:00:00Z", body={"much": "x" * 50_000})
except ToolError as error:
    print(error.code)
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in {"trail.disk", "trail.disk-full"}
    with Trail.open(path) as trail:
        assert trail.verify() == before


READER = """
import os, sys
from audit_pipeline.errors import AuditError
from audit_pipeline.trail.log import Trail
if os.getuid() == 0:  # who may write everywhere
    Trail.open(sys.argv[1], create=False).close()  # imports what another user might not be allowed to
    os.setuid(65534)
try:
    with Trail.open(sys.argv[1]) as trail:
        print(trail.verify().size)
        trail.append("data", run="run", at="2026-05-04T12:00:00Z", body={})
except AuditError as error:
    print(error.code, int(error.exit_code))
"""


@pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "said"),
    [
        (0o777, 0o444, ["1", "trail.read-only 4"]),
        (0o555, 0o444, ["trail.read-only 4"]),
        (0o777, 0o000, ["trail.cannot-open 4"]),
        (0o000, 0o644, ["trail.cannot-open 4"]),
    ],
)
def test_a_trail_without_the_right_to_write_says_so(folder_mode, file_mode, said):
    # Not under tmp_path, whose parents another user may not enter.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.db"
        with Trail.open(file) as trail:
            trail.append("data", run="run", at=AT, body={})
        if os.getuid() == 0:  # the key is the other user's; it is the database that is not
            for of_the_key in Path(folder).glob("*.key*"):
                os.chown(of_the_key, 65534, 65534)
        file.chmod(file_mode)
        Path(folder).chmod(folder_mode)
        done = subprocess.run([sys.executable, "-c", READER, str(file)], capture_output=True, text=True, check=False)
        Path(folder).chmod(0o777)
    assert done.stdout.splitlines() == said, done.stderr


def test_a_trail_that_turns_read_only_says_so(trail, path):
    with trail._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(ToolError) as caught:
        trail.append("data", run="run", at=AT, body={})
    assert caught.value.code == "trail.read-only"
    assert trail.verify().size == 0


def test_a_trail_deleted_under_an_open_one_is_not_silently_begun_anew(path):
    Trail.open(path).close()
    with Trail.open(path, create=False) as trail:
        trail.close()
        path.unlink()
        with pytest.raises(ToolError) as caught:
            trail.append("data", run="run", at=AT, body={})
    assert caught.value.code == "trail.cannot-open"
    assert not path.exists()
