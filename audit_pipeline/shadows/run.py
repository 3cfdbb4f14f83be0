"""All shadows of a bench, in this process or spread over several.

Processes end with the one that began them, also where that is killed. What they have finished is in the bench's memory,
and the next run goes on from there.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import ToolError
from audit_pipeline.progress import Progress

_STEP = "shadow models"

_Made = TypeVar("_Made")
_Given_co = TypeVar("_Given_co", covariant=True)


class Work(Protocol[_Given_co]):
    """Pieces of work over the same rows, of which none needs another; `Bench` is such. Can be pickled."""

    @property
    def count(self) -> int:
        """Pieces."""

    @property
    def x(self) -> NDArray[np.float32]:
        """[rows, ...] what is too large to be pickled."""

    def with_inputs(self, x: NDArray[np.float32]) -> Work[_Given_co]:
        """The same with another `x`."""

    def carry_out(self, number: int) -> _Given_co:
        """Do one piece; what comes of it can be pickled."""


def run(bench: Work[_Made], jobs: int, progress: Progress) -> tuple[_Made, ...]:
    """Carry out every piece of work.

    Args:
        bench: the work.
        jobs: processes; with one, this process does the work.
        progress: told the share of shadows that are done.

    Raises:
        AuditError: as the work; the first that any process meets.
        ToolError: `privacy.shadow-crashed`: a process died.
    """
    count = bench.count
    progress(_STEP, 0.0)
    if jobs <= 1:
        return tuple(_one(bench, number, progress) for number in range(count))
    with _workers(bench, min(jobs, count)) as pool:
        with _uninterrupted():
            begun = {pool.submit(_work, number): number for number in range(count)}
        done: dict[int, _Made] = {}
        try:
            for future in as_completed(begun):
                done[begun[future]] = future.result()
                progress(_STEP, len(done) / count)
        except BrokenProcessPool as error:
            raise ToolError(
                "privacy.shadow-crashed",
                "a process that trained a shadow model died",
                hint="was memory short? give fewer --jobs; what was finished is kept where there is a cache",
            ) from error
    return tuple(done[number] for number in range(count))


def _one(bench: Work[_Made], number: int, progress: Progress) -> _Made:
    made = bench.carry_out(number)
    progress(_STEP, (number + 1) / bench.count)
    return made


@contextmanager
def _workers(bench: Work[Any], jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, however it ends: they hold the other end of a pipe that closes with it."""
    held, lifeline = get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as folder, held, lifeline:
        file = Path(folder) / "rows.npy"
        np.save(file, bench.x)
        sent = bench.with_inputs(np.empty(0, dtype=np.float32))
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (lifeline, sent, file))
        try:
            yield pool
        except BaseException:
            held.close()  # whoever is still at work stops now
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back while processes begin: they go on without hearing it, and this one hears it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_bench: Work[Any] | None = None
"""Of a process that works for another: what it was given when it began."""


def _begin(lifeline: Connection, bench: Work[Any], file: Path) -> None:
    global _bench  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    _bench = bench.with_inputs(np.load(file, mmap_mode="r"))


def _end_with(lifeline: Connection) -> None:
    try:
        lifeline.recv()
    except EOFError:
        os._exit(1)


def _work(number: int) -> Any:
    assert _bench is not None, "the process was begun"  # noqa: S101
    return _bench.carry_out(number)
