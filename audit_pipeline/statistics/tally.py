"""Counts person by person: the sufficient statistics of every proportion and of every paired difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


class _OverPeople:
    """What both tallies know of their denominator."""

    rows: Counts
    named: bool

    @property
    def total(self) -> int:
        """Rows in the denominator."""
        return int(self.rows.sum())

    @property
    def subjects(self) -> int | None:
        """People behind the denominator; None where they were not named."""
        return len(self.rows) if self.named else None


@dataclass(frozen=True)
class Tally(_OverPeople):
    """How often something was so among the rows of each person. Tallies of disjoint people merge by concatenation."""

    hits: Counts
    """[people] rows in which it was so."""
    rows: Counts
    """[people] rows in which it could have been so; every entry at least 1."""
    named: bool
    """False where no people were named: then the arrays have one entry and the rows count as independent."""

    @property
    def proportion(self) -> float:
        """Share of rows in which it was so; the tally must not be empty."""
        return int(self.hits.sum()) / self.total


@dataclass(frozen=True)
class PairedTally(_OverPeople):
    """How often the second of two judgements of the same row was worse, and how often better, for each person."""

    worse: Counts
    """[people] rows that only the first got right."""
    better: Counts
    """[people] rows that only the second got right."""
    rows: Counts
    """[people] rows that both judged; every entry at least 1."""
    named: bool
    """As in `Tally`."""

    @property
    def difference(self) -> float:
        """Mean worsening over the rows, −1 to 1; the tally must not be empty."""
        return int(self.worse.sum() - self.better.sum()) / self.total


def person_codes(subjects: NDArray[np.str_] | None, rows: int) -> tuple[Counts, bool]:
    """Number the people.

    Returns:
        [rows] number of each row's person from 0, and whether people were named. Without names all rows get 0.
    """
    if subjects is None:
        return np.zeros(rows, dtype=np.int64), False
    return np.unique(subjects, return_inverse=True)[1].astype(np.int64).reshape(-1), True


def tally(hit: NDArray[np.bool_], people: Counts, named: bool) -> Tally:
    """Count hits by person. `hit` and `people` are [rows] over the denominator alone."""
    rows = np.bincount(people)
    seen = rows > 0
    return Tally(np.bincount(people[hit], minlength=len(rows))[seen], rows[seen], named)
