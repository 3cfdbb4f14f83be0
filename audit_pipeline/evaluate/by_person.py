"""The cells of one group spec, summed by group and person for every group at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.cells import Cells, Counts, Grouping
from audit_pipeline.evaluate.factorise import Codes, number_rows
from audit_pipeline.statistics.tally import Tally

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ByPerson:
    """The cells of one group spec, summed by group and person."""

    cells: Cells
    grouping: Grouping

    @cached_property
    def _pairs(self) -> tuple[int, Codes]:
        """How many pairs of a group and one of its people there are, and the [cells] number of each, group by group."""
        people = 1 if self.cells.people is None else len(self.cells.people)
        columns = [(len(self.grouping), self.grouping.number), (people, self.cells.person)]
        return number_rows(columns, len(self.cells))

    @cached_property
    def _slices(self) -> list[slice]:
        """[groups] where each group's pairs stand."""
        size, number = self._pairs
        group = np.empty(size, dtype=np.int64)
        group[number] = self.grouping.number
        edges = np.searchsorted(group, np.arange(len(self.grouping) + 1))
        return [slice(int(start), int(end)) for start, end in pairwise(edges)]

    @property
    def named(self) -> bool:
        """Whether people are named."""
        return self.cells.people is not None

    def people(self) -> list[int | None]:
        """[groups] people in each; None where they are not named."""
        return [where.stop - where.start if self.named else None for where in self._slices]

    def tallies(self, hit: Mask, among: Mask) -> list[Tally]:
        """[groups] how often a cell was hit among those counted."""
        return [Tally(hits[rows > 0], rows[rows > 0], self.named) for _, (hits, rows) in self.sums(hit & among, among)]

    def rows(self) -> list[int]:
        """[groups] rows in each."""
        return [int(rows) for rows in np.bincount(self.grouping.number, self.cells.rows, len(self.grouping))]

    def members(self, group: int) -> Codes:
        """Index of each cell of a group, in canonical order."""
        return np.flatnonzero(self.grouping.number == group)

    def sums(self, *masks: Mask) -> list[tuple[Codes, list[Counts]]]:
        """[groups] the people of each, and for every mask the rows of the masked cells of each person."""
        size, number = self._pairs
        person = np.empty(size, dtype=np.int64)
        person[number] = self.cells.person
        summed = [self._sum(mask) for mask in masks]
        return [(person[where], [counts[where] for counts in summed]) for where in self._slices]

    def _sum(self, mask: Mask) -> Counts:
        """[pairs] rows of the masked cells; float64 sums of counts are exact below 2^53 rows."""
        size, number = self._pairs
        return np.bincount(number, weights=self.cells.rows * mask, minlength=size).astype(np.int64)
