"""Sixteen processes that write a thousand entries each into one log: what is lost, and how long each entry takes.

An entry takes from the call until it is on disk under a signed checkpoint, its wait included. On PostgreSQL the
same is printed beside, where a server can be started; the bars are SQLite's.
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
        written = write(Place(str(Path(folder) / "audit.db")))
    print(f"SQLite: {written}")
    print(f"PostgreSQL: {_on_a_server()}")
    what = f"{WRITERS} processes × {ENTRIES:,} entries"
    return [
        Row(f"{what}: lost, doubled or not covered", written.wrong, "", at_most=0),
        Row(f"{what}: p99", written.p99, "ms", at_most=50),
        Row(f"{what}: max", written.milliseconds[-1], "ms", at_most=500),
    ]


def write(place: Place) -> Written:
    """Make a trail and have all writers begin at once."""
    Trail.open(place).close()
    arguments = [sys.executable, "-m", __name__, place.url, str(place.key or "")]
    writers = [
        subprocess.Popen([*arguments, f"run-{n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(WRITERS)
    ]
    for writer in writers:
        _ = writer.stdout and writer.stdout.readline()
    begun = time.perf_counter()
    for writer in writers:
        _ = writer.stdin and (writer.stdin.write("begin\n"), writer.stdin.flush())
    receipts: list[tuple[int, float]] = [
        (index, taken) for writer in writers for index, taken in json.loads(writer.communicate()[0])
    ]
    seconds = time.perf_counter() - begun
    return Written(
        wrong=_wrong(place, [index for index, _ in receipts]),
        milliseconds=tuple(sorted(1000 * taken for _, taken in receipts)),
        seconds=seconds,
    )


def _wrong(place: Place, acknowledged: list[int]) -> int:
    with Trail.open(place, create=False) as trail:
        size = trail.verify().size
        entered = Counter((entry.run, entry.body["number"]) for entry in trail.entries())
        note = trail.checkpoint()
    covered = Checkpoint.parse(parse_note(note).text).head.size if note else 0
    expected = Counter((f"run-{run}", number) for run in range(WRITERS) for number in range(ENTRIES))
    astray = sum(((entered - expected) + (expected - entered)).values())
    return astray + abs(size - covered) + len(set(range(size)).symmetric_difference(acknowledged))


def _on_a_server() -> str:
    try:
        with server() as running, tempfile.TemporaryDirectory() as folder:
            running.query("CREATE DATABASE trail TEMPLATE template0 ENCODING 'UTF8'")
            return str(write(Place(running.url("trail"), Path(folder) / "log.key")))
    except NoServerError as reason:
        return f"not measured: {reason}"


def main() -> None:
    """One writer: open the trail, wait for the word, and print index and seconds of each entry."""
    url, key, run = sys.argv[1:]
    receipts = []
    with Trail.open(Place(url, Path(key) if key else None)) as trail:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(ENTRIES):
            body = {"number": number, "sha256": f"{number:064x}"}
            start = time.perf_counter()
            receipt = trail.append("data", run=run, at=_AT, body=body)
            receipts.append((receipt.entry.index, time.perf_counter() - start))
    print(json.dumps(receipts))


if __name__ == "__main__":
    main()
