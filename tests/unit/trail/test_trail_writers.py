"""Many writers at once, and writers that are killed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Place

WRITER = """
import sys
from pathlib import Path
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Place
url, key, run, count = *sys.argv[1:4], int(sys.argv[4])
with Trail.open(Place(url, Path(key) if key else None)) as trail:
    for number in range(count):
        receipt = trail.append("data", run=run, at="2026-05-04T12:00:00Z", body={"number": number})
        print(receipt.entry.index, receipt.head.root, flush=True)
"""


def start(address, run, count):
    place = Place.of(address)
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, place.url, str(place.key or ""), run, str(count)],
        stdout=subprocess.PIPE,
        text=True,
    )


def acknowledged(lines):
    """Index and root of every whole line."""
    return [(int(index), root) for index, root in (line.split() for line in lines if line.endswith("\n"))]


def test_processes_that_make_and_fill_a_trail_together_lose_and_double_nothing(address):
    writers = [start(address, f"run-{number}", 50) for number in range(4)]
    receipts = [
        receipt for writer in writers for receipt in acknowledged(writer.communicate(timeout=120)[0].splitlines(True))
    ]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert sorted(index for index, _ in receipts) == list(range(200))
    with Trail.open(address, create=False) as trail:
        assert trail.verify().size == 200
        written = Counter((entry.run, entry.body["number"]) for entry in trail.entries())
        roots = [row.root for row in trail._engine.connect().exec_driver_sql('SELECT root FROM entry ORDER BY "index"')]
    assert written == Counter((f"run-{run}", number) for run in range(4) for number in range(50))
    assert dict(receipts) == dict(enumerate(roots))


@pytest.mark.parametrize("kill_after", [1, 7, 40])
def test_a_killed_writer_leaves_every_entry_it_acknowledged(address, kill_after):
    with Trail.open(address):
        pass
    writer = start(address, "killed", 100_000)
    lines = [writer.stdout.readline() for _ in range(kill_after)]
    writer.kill()
    lines += writer.stdout.readlines()
    writer.wait()
    receipts = acknowledged(lines)
    with Trail.open(address, create=False) as trail:
        size = trail.verify().size
        assert len(receipts) >= kill_after
        # One entry may have been committed and not yet acknowledged.
        assert len(receipts) <= size <= len(receipts) + 1
    with Trail.open(address) as trail:
        assert trail.append("data", run="after", at="2026-05-04T12:00:00Z", body={}).entry.index == size
        trail.verify()


def test_a_writer_killed_while_it_made_the_trail_leaves_one_that_can_be_made(path):
    for delay in (0.0, 0.02, 0.05):
        writer = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; import audit_pipeline.trail.log as log; print(flush=True); log.Trail.open(sys.argv[1]);",
                str(path),
            ],
            stdout=subprocess.PIPE,
        )
        writer.stdout.readline()
        try:
            writer.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            writer.kill()
        writer.communicate()
    with Trail.open(path) as trail:
        assert trail.verify().size == 0
        assert trail.append("data", run="run", at="2026-05-04T12:00:00Z", body={}).entry.index == 0
