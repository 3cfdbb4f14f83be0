"""All shadows of a bench, in this process or spread over several.

A process that is killed, or whose parent is, leaves nothing behind but what the bench's memory holds: the next run goes
on from there.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from audit_pipeline.errors import ToolError
from audit_pipeline.progress import Progress
from audit_pipeline.shadows.bench import Bench, Shadow, carry_out

_STEP = "shadow models"


def run(bench: Bench, jobs: int, progress: Progress) -> tuple[Shadow, ...]:
    """Carry out every shadow.

    Args:
        bench: what they have in common.
        jobs: processes; with one, this process does the work.
        progress: told the share of shadows that are done.

    Raises:
        InputError: a shadow cannot be trained or compressed.
        ToolError: `privacy.shadow-crashed`: a process died.
    """
    count = len(bench.inside)
    progress(_STEP, 0.0)
    if jobs <= 1:
        return tuple(_one(bench, number, progress) for number in range(count))
    with _workers(bench, min(jobs, count)) as pool:
        begun: dict[Future[Shadow], int] = {pool.submit(_work, number): number for number in range(count)}
        done: dict[int, Shadow] = {}
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


def _one(bench: Bench, number: int, progress: Progress) -> Shadow:
    shadow = carry_out(bench, number)
    progress(_STEP, (number + 1) / len(bench.inside))
    return shadow


@contextmanager
def _workers(bench: Bench, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, however it ends: they hold the other end of a pipe that closes with it."""
    held, lifeline = get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as folder, held, lifeline:
        file = Path(folder) / "rows.npy"
        np.save(file, bench.data.train.x)
        sent = bench.with_inputs(np.empty(0, dtype=np.float32))
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (lifeline, sent, file))
        try:
            yield pool
        except BaseException:
            held.close()  # whoever is still at work stops now
            raise
        finally:
            pool.shutdown(cancel_futures=True)


_bench: Bench | None = None
"""Of a process that works for another: what it was given when it began."""


def _begin(lifeline: Connection, bench: Bench, file: Path) -> None:
    global _bench  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    _bench = bench.with_inputs(np.load(file, mmap_mode="r"))


def _end_with(lifeline: Connection) -> None:
    try:
        lifeline.recv()
    except EOFError:
        os._exit(1)


def _work(number: int) -> Shadow:
    assert _bench is not None, "the process was begun"  # noqa: S101
    return carry_out(_bench, number)
