"""A log as one pass over all of it found it: what is asked of it afterwards is answered by what was hashed then.

A database answers each question anew, and whoever holds it can have it answer the next one otherwise: by an index that
lacks an entry, a view, a rule of the server, or a row that is exchanged meanwhile. So whatever is decided by entries of
a run or a kind takes them from here: their numbers were noted as they were hashed, and each is read again by its number
and must hash to what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.rows import AnyRow
from audit_pipeline.trail.verification import changed

_AT_ONCE = 500
"""Entries that are read by one statement; databases bound how many numbers it may name."""


class Contents:
    """What stands where in a log, noted in the pass that verifies it."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.leaves: list[str] = []
        """leaf hash of each entry, hexadecimal"""
        self._runs: list[str] = []
        self._kinds: list[Kind] = []

    def noting(self, rows: Iterable[AnyRow]) -> Iterator[AnyRow]:
        """The rows, each noted once whoever checks them has come for the next."""
        note_kind, note_run, note_leaf = self._kinds.append, self._runs.append, self.leaves.append
        for row in rows:
            yield row
            _, kind, run, _, _, leaf, *_ = row
            note_kind(kind)
            note_run(run)
            note_leaf(leaf)

    def numbers(self, run: str | None, kind: Kind | None) -> Sequence[int]:
        """Numbers of the entries of a run, a kind, both, or all, in order."""
        if run is not None:
            of_run = self._of_run.get(run, [])
            return of_run if kind is None else [number for number in of_run if self._kinds[number] == kind]
        return range(len(self.leaves)) if kind is None else self._of_kind.get(kind, [])

    @cached_property
    def _of_run(self) -> Mapping[str, list[int]]:
        return _places(self._runs)

    @cached_property
    def _of_kind(self) -> Mapping[str, list[int]]:
        return _places(self._kinds)


def _places(values: Sequence[str]) -> Mapping[str, list[int]]:
    """Where each value stands."""
    found: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        found.setdefault(value, []).append(place)
    return found


@dataclass(frozen=True)
class VerifiedLog:
    """A log that holds. Its entries can be asked for as long as the trail is open."""

    head: TreeHead
    """recomputed"""
    where: str
    """the trail, for messages"""
    contents: Contents = field(repr=False)
    read: Callable[[Sequence[int]], Iterable[Entry]] = field(repr=False)
    """gives the entries with these numbers, as recorded"""

    def entries(self, run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        """The entries that were verified, in order, of one run or of all, of one kind or of all; see `Recorded`.

        Raises:
            RejectedError: `trail.entry-changed`, one is not what it was then.
        """
        numbers = self.contents.numbers(run, kind)
        for first in range(0, len(numbers), _AT_ONCE):
            asked = numbers[first : first + _AT_ONCE]
            found = {entry.index: entry for entry in self.read(asked)}
            for index in asked:
                entry = found.get(index)
                if entry is None or entry.leaf_hash.hex() != self.contents.leaves[index]:
                    raise changed(index, "it is not what it was a moment ago, when the log was verified", self.where)
                yield entry
