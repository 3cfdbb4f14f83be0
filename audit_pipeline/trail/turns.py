"""Who writes next: processes that write to one file take turns in the order in which they came.

SQLite lets one process write at a time and gives the lock to whoever asks at the right moment, so that of many writers
some wait for seconds. Here each draws a number and waits for the one before it, which calls it when it is done. A
number is a byte of the queue's file that its holder keeps locked: the system gives it up with the process, however that
ends, and whoever waits behind it sees that. That two write at once is prevented by SQLite's own lock and not by this
one, so where there can be no queue, or somebody dies in it, no more is lost than the order.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audit_pipeline.errors import ToolError

_NUMBERS = 1 << 32
"""How many numbers there are before they begin anew, and where the bytes begin that stand for them; none is stored."""

_UNCALLED_SECONDS = 0.02
"""How long to wait to be called before looking whether the one before is there at all."""

_MOST_CALLED = 256
"""How many are called at most: how many wait stands in a file that others can write to."""


@contextmanager
def turn(path: Path, *, timeout_seconds: float, unless: Callable[[], bool] | None = None) -> Iterator[bool]:
    """Wait for one's turn to write to a file, and have it for the length of the block.

    Args:
        path: the file. Its queue is in `PATH-queue`, made where it is missing, for the same users.
        timeout_seconds: how long to wait.
        unless: whether somebody else has meanwhile done what the turn is wanted for. Then nothing more is waited for,
            and whoever has had a turn calls all who wait, to ask this.

    Yields:
        Whether it is one's turn; False where `unless` was true first.

    Raises:
        ToolError: `trail.locked`.
    """
    drawn = _draw(path)
    if drawn is None:
        yield True
        return
    descriptor, number = drawn
    mine = False
    try:
        mine = _wait(descriptor, number, path, time.monotonic() + timeout_seconds, unless or _never)
        yield mine
    finally:
        end = min(_next(descriptor), number + _MOST_CALLED) if mine and unless else number + 2
        behind = [_name(descriptor, waiting) for waiting in range(number + 1, end)]
        os.close(descriptor)
        _call(behind)


def leave_no_queue(path: Path) -> None:
    """Remove the queue of a file where nobody stands in it; call it when done with the file."""
    queue = _queue_of(path)
    try:
        descriptor = os.open(queue, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _same(descriptor, queue) and _lock(descriptor, fcntl.F_WRLCK, _next(descriptor) - 1):
            queue.unlink()
    except OSError:
        return
    finally:
        os.close(descriptor)


def _draw(path: Path) -> tuple[int, int] | None:
    """The open queue and a number in it; None where there can be no queue.

    Who may write to the database need not be allowed to make a file beside it, and a full disk takes no number. Locks
    of an open file, which threads have each for themselves, are Linux's.
    """
    if not hasattr(fcntl, "F_OFD_SETLK"):
        return None
    queue = _queue_of(path)
    while True:
        try:
            descriptor = _opened(queue, path)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _same(descriptor, queue):
                number = _next(descriptor)
                os.pwrite(descriptor, (number + 1).to_bytes(8, "little"), 0)
                _lock(descriptor, fcntl.F_WRLCK, number)
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                return descriptor, number
        except OSError:
            os.close(descriptor)
            return None
        os.close(descriptor)


def _queue_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-queue")


def _same(descriptor: int, queue: Path) -> bool:
    # Whoever was the last to leave may have removed it since it was opened.
    try:
        return os.path.samestat(os.fstat(descriptor), queue.stat())
    except FileNotFoundError:
        return False


def _opened(queue: Path, path: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(queue, flags)
    except FileNotFoundError:
        served = path.stat()
        descriptor = os.open(queue, flags | os.O_CREAT, 0o600)
        os.fchmod(descriptor, served.st_mode & 0o777)
        if os.geteuid() == 0:
            os.fchown(descriptor, served.st_uid, served.st_gid)
        return descriptor


def _wait(descriptor: int, number: int, path: Path, deadline: float, unless: Callable[[], bool]) -> bool:
    if _lock(descriptor, fcntl.F_RDLCK, number - 1):
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.settimeout(_UNCALLED_SECONDS)
        with suppress(OSError):  # somebody else's: we look as often as we can without being called
            ear.bind(_name(descriptor, number))
        while not unless():
            if _lock(descriptor, fcntl.F_RDLCK, number - 1):
                return True
            if time.monotonic() > deadline:
                raise ToolError(
                    "trail.locked",
                    "another process is writing to the trail and did not finish in time",
                    where=str(path),
                    hint="run again when it has ended; `fuser FILE` names it",
                )
            with suppress(TimeoutError):
                ear.recv(1)
    return False


def _never() -> bool:
    return False


def _call(names: Iterable[bytes]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as voice:
        voice.setblocking(False)
        for name in names:
            with suppress(OSError):  # nobody is there
                voice.sendto(b"", name)


def _name(descriptor: int, number: int) -> bytes:
    # Without a file: Linux's abstract names (unix(7)), which go with their sockets.
    file = os.fstat(descriptor)
    return b"\0audit-turn-%d-%d-%d" % (file.st_dev, file.st_ino, number % _NUMBERS)


def _lock(descriptor: int, kind: int, number: int) -> bool:
    # struct flock of Linux: type, whence, start, length, process; of an open file, so that threads count as well.
    asked = struct.pack("hhqqi4x", kind, os.SEEK_SET, _NUMBERS + number % _NUMBERS, 1, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, asked)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _next(descriptor: int) -> int:
    return int.from_bytes(os.pread(descriptor, 8, 0), "little") % _NUMBERS
