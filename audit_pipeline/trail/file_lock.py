"""A lock that a file stands for: given up by the system when its holder ends, however it ends (flock(2))."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_pipeline.errors import ToolError

_FIRST_PAUSE_SECONDS = 0.0002
_LONGEST_PAUSE_SECONDS = 0.004


@contextmanager
def locked(path: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Hold a file that exists, alone among all processes and threads, for the length of the block.

    Raises:
        OSError: the file cannot be opened.
        ToolError: `trail.locked`, another process held it all the time.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _wait(descriptor, path, time.monotonic() + timeout_seconds)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, deadline: float) -> None:
    # flock(2) waits for ever or not at all; a process that is stopped while it holds the lock must not stop others.
    pause = _FIRST_PAUSE_SECONDS
    while not _taken(descriptor):
        if time.monotonic() > deadline:
            raise ToolError(
                "trail.locked",
                "another process holds the lock and does not let go of it",
                where=str(path),
                hint="wait for it, or end it: `fuser FILE` names it",
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
