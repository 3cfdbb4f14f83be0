"""Work that is spread over processes: nothing is lost, what goes wrong is told, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from stub_work import Stub

from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.progress import silent
from audit_pipeline.shadows.run import run

X = np.arange(12, dtype=np.float32).reshape(4, 3)

PARENT = """
import signal
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import numpy as np
from stub_work import Stub
from audit_pipeline.shadows.run import run
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that began the tests with & has it ignored
    try:
        run(Stub(np.zeros((4, 3), np.float32), "wait", Path({folder!r})), 2, lambda step, done: None)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
"""


def test_pieces_come_back_in_order_with_the_rows_they_were_made_of() -> None:
    told: list[float] = []
    made = run(Stub(X), 2, lambda step, done: told.append(done))
    assert made == run(Stub(X), 1, silent) == ((0, 3.0), (1, 12.0), (2, 21.0), (3, 30.0))
    assert told == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_an_error_is_the_works_own_with_place_and_hint() -> None:
    with pytest.raises(InputError) as caught:
        run(Stub(X, "fail"), 2, silent)
    error = caught.value
    assert (error.code, error.what, error.where, error.hint) == (
        *("stub.fails", "no such thing"),
        *("here:2", "do otherwise"),
    )


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(ToolError) as caught:
        run(Stub(X, "die"), 2, silent)
    assert caught.value.code == "privacy.shadow-crashed"


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process, first of its group as in a terminal, whose own two processes are at work for a minute."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(here=str(Path(__file__).parent), folder=str(tmp_path)))
    begun = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, start_new_session=True)
    with begun:
        assert eventually(lambda: len(pids(tmp_path)) == 2)
        yield begun
    assert eventually(lambda: not any(is_alive(pid) for pid in pids(tmp_path)))


def test_processes_end_with_the_one_that_began_them(parent: subprocess.Popen[bytes]) -> None:
    parent.kill()


def test_ctrl_c_stops_all_of_them_and_only_the_first_says_so(parent: subprocess.Popen[bytes]) -> None:
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.communicate(timeout=30)[1] == b"stopped\n"


def pids(folder: Path) -> list[int]:
    return [int(path.name.removeprefix("pid-")) for path in folder.glob("pid-*")]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def eventually(holds) -> bool:  # type: ignore[no-untyped-def]
    """Whether something comes to hold within half a minute."""
    for _ in range(300):
        if holds():
            return True
        time.sleep(0.1)
    return False
