"""How long it takes to verify a long log and to prove one entry of it, in a process that has the library loaded."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from audit_pipeline.trail.log import Trail
from benchmarks.table import Row
from benchmarks.trail_bulk import fill

ENTRIES = 100_000
_SEED = 20261123
_PROOFS = 1_000
_REPEATS = 3


def rows() -> list[Row]:
    """A log of 100,000 entries as `ship` writes them: opened, verified whole, and asked for proofs of entries drawn."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.db"
        fill(path, ENTRIES)
        verifying = statistics.median(_seconds(partial(_verified, path)) for _ in range(_REPEATS))
        with Trail.open(path, create=False) as trail:
            draw = random.Random(_SEED)
            indices = [draw.randrange(ENTRIES) for _ in range(_PROOFS)]
            proving = sorted(1000 * _seconds(partial(trail.inclusion, index)) for index in indices)
            extending = sorted(1000 * _seconds(partial(trail.consistency, index)) for index in indices)
    return [
        Row("open and verify 100,000 entries, median of 3", verifying, "s", at_most=2),
        Row("one inclusion proof of 100,000 entries, median", statistics.median(proving), "ms", at_most=5),
        Row("one inclusion proof of 100,000 entries, 99 in 100 take at most", _p99(proving), "ms", at_most=5),
        Row("one consistency proof to 100,000 entries, 99 in 100 take at most", _p99(extending), "ms", at_most=5),
    ]


def _p99(ascending: list[float]) -> float:
    return ascending[int(0.99 * len(ascending))]


def _verified(path: Path) -> None:
    with Trail.open(path, create=False) as trail:
        assert trail.verify().size == ENTRIES


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
