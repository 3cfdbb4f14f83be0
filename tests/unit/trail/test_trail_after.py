"""An entry that may only follow certain others: asked in the transaction that records it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from audit_pipeline.errors import InputError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Place

AT = "2026-05-04T12:00:00Z"

RISING = """
import sys
from audit_pipeline.errors import InputError
from pathlib import Path
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Place

url, key, run = sys.argv[1:]
with Trail.open(Place(url, Path(key) if key else None)) as trail:
    for number in range(1, 26):
        def above(entries):
            if any(entry.body["number"] >= number for entry in entries):
                raise InputError("test.fallen", "it does not rise")
        try:
            trail.append("seal", run=run, at="2026-05-04T12:00:00Z", body={"number": number}, after=above)
        except InputError:
            continue
        print(number)
"""


def test_it_is_given_the_entries_of_its_kind_alone(trail: Trail) -> None:
    for kind, number in (("seal", 1), ("data", 2), ("seal", 3)):
        trail.append(kind, run="a", at=AT, body={"number": number})
    seen: list[int] = []
    trail.append("seal", "b", AT, {"number": 4}, after=lambda entries: seen.extend(e.body["number"] for e in entries))
    assert seen == [1, 3]
    assert [entry.body["number"] for entry in trail.entries(kind="seal")] == [1, 3, 4]
    assert [entry.body["number"] for entry in trail.entries("a", kind="data")] == [2]


def test_what_may_not_follow_is_not_recorded(trail: Trail) -> None:
    def never(_: object) -> None:
        raise InputError("test.never", "nothing may follow")

    before = trail.head()
    with pytest.raises(InputError):
        trail.append("seal", "a", AT, {}, after=never)
    assert trail.head() == before
    assert trail.append("seal", "a", AT, {}).entry.index == before.size


def test_of_processes_that_ask_at_once_each_number_is_recorded_once_and_they_rise(address) -> None:
    place = Place.of(address)
    named = [place.url, str(place.key or "")]
    writers = [
        subprocess.Popen([sys.executable, "-c", RISING, *named, f"run-{n}"], stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    told = [int(line) for writer in writers for line in writer.communicate(timeout=120)[0].split()]
    assert [writer.returncode for writer in writers] == [0] * 4
    with Trail.open(address, create=False) as trail:
        numbers = [entry.body["number"] for entry in trail.entries(kind="seal")]
        trail.verify()
    assert numbers == sorted(set(numbers))
    assert sorted(told) == numbers
    assert numbers[-1] == 25
