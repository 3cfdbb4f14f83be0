"""Reading the entries that are there, as a function that is passed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind


class Recorded(Protocol):
    """Gives recorded entries in order; `Trail.entries` is one."""

    def __call__(self, run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        """The entries of one run or of all, of one kind or of all."""


def first_of_each_kind(entries: Iterable[Entry]) -> dict[Kind, Entry]:
    """What a run entered, by kind. A name is one run's only: of what comes later under it nothing is the run's.

    Args:
        entries: of one run, in order.
    """
    found: dict[Kind, Entry] = {}
    for entry in entries:
        found.setdefault(entry.kind, entry)
    return found
