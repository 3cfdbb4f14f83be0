"""Sixteen processes that write a thousand entries each into one log: what is lost, and how long each entry takes.

An entry takes from the call until it is on disk under a signed checkpoint, its wait included. On PostgreSQL the
same is printed beside for fewer entries, where a server can be started; the bars are SQLite's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from audit_pipeline.trail.checkpoint import Checkpoint
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.place import Place
from benchmarks.postgres_server import NoServerError, server
from benchmarks.table import Row

WRITERS = 16
ENTRIES = 1000
_ON_A_SERVER = 100
_AT = "2026-05-04T12:00:00Z"


@dataclass(frozen=True)
class Written:
    """What the writers came to."""

    wrong: int
    """acknowledged entries that are missing, stand twice or elsewhere, or are under no checkpoint"""
    milliseconds: tuple[float, ...]
    """what each entry took, ascending"""
    seconds: float
    """what all took together"""

    def __str__(self) -> str:
        """The figures on one line."""
        return (
            f"{len(self.milliseconds)} entries by {WRITERS} processes, {self.wrong} wrong, "
            f"{len(self.milliseconds) / self.seconds:.0f} a second; milliseconds: "
            f"half {median(self.milliseconds):.1f}, p99 {self.p99:.1f}, max {self.milliseconds[-1]:.1f}"
        )

    @property
    def p99(self) -> float:
        """What 99 in 100 entries took at most, ms."""
        return self.milliseconds[int(0.99 * len(self.milliseconds))]


def rows() -> list[Row]:
    """SQLite's figures against the bars."""
    with tempfile.TemporaryDirectory() as folder:
        written = write(Place(str(Path(folder) / "audit.db")), ENTRIES)
    print(f"SQLite: {written}")
    print(f"PostgreSQL: {_on_a_server()}")
    what = f"{WRITERS} processes × {ENTRIES:,} entries"
    return [
        Row(f"{what}: lost, doubled or not covered", written.wrong, "", at_most=0),
        Row(f"{what}: p99", written.p99, "ms", at_most=50),
        Row(f"{what}: max", written.milliseconds[-1], "ms", at_most=500),
    ]


def write(place: Place, entries: int) -> Written:
    """Make a trail and have all writers begin at once, each with so many entries."""
    Trail.open(place).close()
    arguments = [sys.executable, "-m", __name__, place.url, str(place.key or ""), str(entries)]
    writers = [
        subprocess.Popen([*arguments, f"run-{n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(WRITERS)
    ]
    _hear(writers)
    begun = time.perf_counter()
    _tell(writers)
    _hear(writers)
    seconds = time.perf_counter() - begun
    # Only when all are done: what ends takes time from what still writes.
    _tell(writers)
    receipts = [receipt for writer in writers for receipt in json.loads(writer.communicate()[0])]
    return Written(
        wrong=_wrong(place, entries, [index for index, _ in receipts]),
        milliseconds=tuple(sorted(1000 * taken for _, taken in receipts)),
        seconds=seconds,
    )


def _hear(writers: list[subprocess.Popen[str]]) -> None:
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()


def _tell(writers: list[subprocess.Popen[str]]) -> None:
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go on\n")
        writer.stdin.flush()


def _wrong(place: Place, entries: int, acknowledged: list[int]) -> int:
    with Trail.open(place, create=False) as trail:
        size = trail.verify().size
        entered = Counter((entry.run, entry.body["number"]) for entry in trail.entries())
        note = trail.checkpoint()
    covered = Checkpoint.parse(parse_note(note).text).head.size if note else 0
    expected = Counter((f"run-{run}", number) for run in range(WRITERS) for number in range(entries))
    astray = sum(((entered - expected) + (expected - entered)).values())
    return astray + abs(size - covered) + len(set(range(size)).symmetric_difference(acknowledged))


def _on_a_server() -> str:
    try:
        with server() as running, tempfile.TemporaryDirectory() as folder:
            running.query("CREATE DATABASE trail TEMPLATE template0 ENCODING 'UTF8'")
            return str(write(Place(running.url("trail"), Path(folder) / "log.key"), _ON_A_SERVER))
    except NoServerError as reason:
        return f"not measured: {reason}"


def main() -> None:
    """One writer: open the trail, at the word write, and at the next print index and seconds of each entry."""
    url, key, entries, run = sys.argv[1:]
    receipts = []
    with Trail.open(Place(url, Path(key) if key else None)) as trail:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(int(entries)):
            body = {"number": number, "sha256": f"{number:064x}"}
            start = time.perf_counter()
            receipt = trail.append("data", run=run, at=_AT, body=body)
            receipts.append((receipt.entry.index, time.perf_counter() - start))
        print("done", flush=True)
        sys.stdin.readline()
    print(json.dumps(receipts))


if __name__ == "__main__":
    main()
