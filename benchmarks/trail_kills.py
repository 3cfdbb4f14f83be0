"""Writers that are killed with SIGKILL, again and again, while others write the same log.

Four processes append to one log. Several times a second one of them, drawn by lot, is killed wherever it may be: while
it opens or makes the log, waits its turn, commits, signs, or between any two of these; another takes its place. Before
an append counts, its writer has put index and leaf hash into a pipe, so that what was acknowledged is known outside
whatever happens to the writer. Every few kills, while the others go on, the log is opened and recomputed and held
against all that was acknowledged; and so is the checkpoint that the log's key remembers.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import struct
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from audit_pipeline.errors import AuditError
from audit_pipeline.trail.log import Trail
from benchmarks.table import Row
from benchmarks.trail_checkpoints import complaint

KILLS = 1_000
_LOGS = 10
_WRITERS = 4
_LONGEST_LIFE_SECONDS = 1.2
_KILLS_PER_CHECK = 5
_SEED = 20261123
_RECEIPT = struct.Struct("<Q32s")
_PIPE = 65_536 // _RECEIPT.size
_FORK = multiprocessing.get_context("fork")


@dataclass
class Tally:
    """What became of all that was written."""

    kills: int = 0
    midway: int = 0
    """kills of a writer that had begun to acknowledge"""
    acknowledged: int = 0
    lost: int = 0
    """acknowledged, and not in the log with that leaf hash"""
    checks: int = 0
    failed: list[str] = field(default_factory=list)
    """what a check found wrong"""
    seconds: float = 0


def rows() -> list[Row]:
    """A thousand kills over ten logs, each of which begins with kills of those who make it."""
    tally, draw, start = Tally(), random.Random(_SEED), time.perf_counter()
    for _ in range(_LOGS):
        with tempfile.TemporaryDirectory() as folder:
            _torment(Path(folder) / "audit.db", KILLS // _LOGS, draw, tally)
    tally.seconds = time.perf_counter() - start
    for failure in tally.failed[:10]:
        print("killed writers:", failure)
    return [
        Row("SIGKILLs of writers", tally.kills, "", at_least=KILLS),
        Row("of them while it was writing", tally.midway, "", at_least=KILLS // 2),
        Row("kills per second", tally.kills / tally.seconds, "1/s", at_least=2),
        Row("entries acknowledged by writers that were killed", tally.acknowledged, "", at_least=5 * KILLS),
        Row("of them lost", tally.lost, "", at_most=0),
        Row("times that the log was recomputed and its checkpoint checked", tally.checks, "", at_least=KILLS // 5),
        Row("of them with anything amiss", len(tally.failed), "", at_most=0),
    ]


@dataclass(frozen=True)
class _Writer:
    process: BaseProcess
    pipe: int
    dies_at: float

    def kill(self) -> list[tuple[int, str]]:
        """End it, and read what it acknowledged."""
        self.process.kill()
        self.process.join()
        with os.fdopen(self.pipe, "rb") as pipe:
            said = pipe.read()
        whole = len(said) - len(said) % _RECEIPT.size
        return [(index, leaf.hex()) for index, leaf in _RECEIPT.iter_unpack(said[:whole])]


def _torment(path: Path, kills: int, draw: random.Random, tally: Tally) -> None:
    acknowledged: dict[int, str] = {}
    writers = [_start(path, draw) for _ in range(_WRITERS)]
    for number in range(1, kills + 1):
        victim = min(writers, key=lambda writer: writer.dies_at)
        time.sleep(max(0.0, victim.dies_at - time.perf_counter()))
        writers.remove(victim)
        receipts = victim.kill()
        tally.kills += 1
        tally.midway += bool(receipts)
        tally.acknowledged += len(receipts)
        if len(receipts) != len(acknowledged.keys() | dict(receipts).keys()) - len(acknowledged):
            tally.failed.append("an index was acknowledged twice")
        acknowledged.update(receipts)
        writers.append(_start(path, draw))
        if number % _KILLS_PER_CHECK == 0:
            _check(path, acknowledged, tally)
    for writer in writers:
        acknowledged.update(writer.kill())
    _check(path, acknowledged, tally)
    _append_after(path, acknowledged, tally)


def _start(path: Path, draw: random.Random) -> _Writer:
    reading, writing = os.pipe()
    process = _FORK.Process(target=_write, args=(path, writing), daemon=True)
    process.start()
    os.close(writing)
    return _Writer(process, reading, time.perf_counter() + draw.uniform(0, _LONGEST_LIFE_SECONDS))


def _write(path: Path, pipe: int) -> None:
    with Trail.open(path) as trail:
        for number in range(_PIPE):
            at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            entry = trail.append("data", run=f"killed-{os.getpid()}", at=at, body={"number": number}).entry
            os.write(pipe, _RECEIPT.pack(entry.index, entry.leaf_hash))
    time.sleep(60)


def _check(path: Path, acknowledged: dict[int, str], tally: Tally) -> None:
    """Recompute the log, and hold it and its checkpoint against all that is known from outside."""
    tally.checks += 1
    if not path.exists() and not acknowledged:
        return
    try:
        with Trail.open(path, create=False) as trail:
            trail.verify()
            found = {entry.index: entry.leaf_hash.hex() for entry in trail.entries()}
            wrong = complaint(path, trail, acknowledged=max(acknowledged, default=-1) + 1)
    except AuditError as error:
        if acknowledged or error.code != "trail.absent":
            tally.failed.append(f"{error.code}: {error}")
        return
    lost = [index for index, leaf in acknowledged.items() if found.get(index) != leaf]
    tally.lost = max(tally.lost, len(lost))
    if wrong:
        tally.failed.append(wrong)


def _append_after(path: Path, acknowledged: dict[int, str], tally: Tally) -> None:
    """After all of that the log goes on as if nothing had been."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with Trail.open(path) as trail:
        entry = trail.append("data", run="after", at=at, body={}).entry
    acknowledged[entry.index] = entry.leaf_hash.hex()
    _check(path, acknowledged, tally)
