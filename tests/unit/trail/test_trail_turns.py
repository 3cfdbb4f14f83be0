"""Writers to one file: in the order in which they came, and nobody who dies holds up the others."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from audit_pipeline.errors import ExitCode, ToolError
from audit_pipeline.trail import turns
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.turns import leave_no_queue, turn

AT = "2026-05-04T12:00:00Z"

HOLDER = """
import sys, time
from pathlib import Path
from audit_pipeline.trail.turns import turn
with turn(Path(sys.argv[1]), timeout_seconds=60):
    print("mine", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "any file"
    file.touch(mode=0o640)
    return file


def queue_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-queue")


def drawn(file: Path) -> int:
    """How many numbers were drawn."""
    try:
        return int.from_bytes(queue_of(file).read_bytes()[:8], "little")
    except FileNotFoundError:
        return 0


def until(true) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def holder(file: Path) -> subprocess.Popen[str]:
    before = drawn(file)
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True)
    until(lambda: drawn(file) > before)
    return process


def in_a_thread(file: Path, served: list[str], name: str) -> threading.Thread:
    def wait() -> None:
        with turn(file, timeout_seconds=20):
            served.append(name)

    before = drawn(file)
    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: drawn(file) > before)
    return thread


@pytest.mark.parametrize("called", [True, False])
def test_who_came_first_is_served_first(file: Path, called: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not called:  # in another network namespace nobody hears
        monkeypatch.setattr(turns, "_call", lambda name: None)
    served: list[str] = []
    with turn(file, timeout_seconds=1):
        threads = [in_a_thread(file, served, str(number)) for number in range(12)]
        assert served == []
    for thread in threads:
        thread.join()
    assert served == [str(number) for number in range(12)]


def test_who_leaves_and_comes_again_is_behind_those_who_wait(file: Path) -> None:
    served: list[str] = []
    with turn(file, timeout_seconds=1):
        waiting = in_a_thread(file, served, "the other")
    with turn(file, timeout_seconds=20):
        served.append("again")
    waiting.join()
    assert served == ["the other", "again"]


def test_those_behind_one_that_was_killed_go_on(file: Path) -> None:
    first = holder(file)
    first.stdout.readline()
    second = holder(file)
    served: list[str] = []
    third = in_a_thread(file, served, "third")
    second.send_signal(signal.SIGKILL)
    first.send_signal(signal.SIGKILL)
    third.join(20)
    assert served == ["third"]
    for process in (first, second):
        process.communicate()


def test_who_waits_too_long_is_told_what_for_and_holds_nobody_up(file: Path) -> None:
    with turn(file, timeout_seconds=1):
        with pytest.raises(ToolError) as caught, turn(file, timeout_seconds=0.05):
            pass
        assert (caught.value.code, caught.value.exit_code) == ("trail.locked", ExitCode.TOOL)
        assert caught.value.where == str(file)
    with turn(file, timeout_seconds=1):
        pass


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xff" * 8, b"\xff" * 7, b"no queue at all", bytes(100)])
def test_any_content_of_the_queue_will_do(file: Path, content: bytes) -> None:
    queue_of(file).write_bytes(content)
    for _ in range(3):
        with turn(file, timeout_seconds=1):
            pass


def test_where_there_can_be_no_queue_one_goes_ahead(file: Path, tmp_path: Path) -> None:
    queue_of(file).mkdir()
    with turn(file, timeout_seconds=1), turn(file, timeout_seconds=1):
        pass
    with turn(tmp_path / "not there", timeout_seconds=1):
        pass
    assert not queue_of(tmp_path / "not there").exists()


def test_a_link_in_the_queues_place_is_not_followed(file: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"12345678")
    queue_of(file).symlink_to(tmp_path / "elsewhere")
    with turn(file, timeout_seconds=1):
        pass
    assert (tmp_path / "elsewhere").read_bytes() == b"12345678"


def test_the_queue_is_for_whom_the_file_is_for_and_goes_with_the_last(file: Path) -> None:
    with turn(file, timeout_seconds=1):
        assert queue_of(file).stat().st_mode & 0o777 == 0o640
        assert queue_of(file).stat().st_uid == file.stat().st_uid
        leave_no_queue(file)
        assert queue_of(file).exists()
    leave_no_queue(file)
    leave_no_queue(file)
    assert not queue_of(file).exists()


def test_a_queue_that_was_removed_under_one_who_had_opened_it_is_not_the_queue(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = turns._opened

    def slowly(queue: Path, path: Path) -> int:
        descriptor = opened(queue, path)
        monkeypatch.undo()
        leave_no_queue(file)
        return descriptor

    monkeypatch.setattr(turns, "_opened", slowly)
    with turn(file, timeout_seconds=1):
        assert drawn(file) == 1


def test_a_writer_that_does_not_queue_is_waited_for(path: Path) -> None:
    with Trail.open(path) as trail:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
        release.start()
        begun = time.monotonic()
        assert trail.append("data", run="run", at=AT, body={}).entry.index == 0
        assert time.monotonic() - begun >= 0.05
        release.join()


def test_writers_that_stand_in_line_are_not_overtaken_by_one_in_a_loop(path: Path) -> None:
    script = (
        "import sys; from audit_pipeline.trail.log import Trail\n"
        "with Trail.open(sys.argv[1]) as trail:\n"
        "    print(flush=True)\n"
        "    for n in range(10_000): trail.append('data', run='greedy', at='2026-05-04T12:00:00Z', body={'n': n})"
    )
    Trail.open(path).close()
    greedy = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    greedy.stdout.readline()
    try:
        with Trail.open(path) as trail:
            indices = [trail.append("data", run="patient", at=AT, body={"n": n}).entry.index for n in range(30)]
    finally:
        greedy.kill()
        greedy.communicate()
    # Between two of one's own the other gets in at most twice: once before the number is drawn.
    between = [after - before - 1 for before, after in pairwise(indices)]
    assert sorted(between)[len(between) // 2] <= 2
