"""How exposed each group is to one attack on the target, and how far the groups are apart.

Exposure is TPR − FPR at a threshold that was fixed before (Kulynych et al. 2022, definition 2: the advantage of an
attack in a group). The largest difference between groups is never below zero, so its replicates are not an interval of
it: resampled, it excludes zero also where all groups are alike. Here, as for the gaps of fairness rules, every pair has
its own difference, and the interval of the largest is

- from below the best lower limit of all pairs that hold together, by the largest of all pairs' deviations in each
  replicate (max-T: Romano & Wolf 2005, Econometrica 73:1237);
- from above the largest unadjusted upper limit: the pair that is truly furthest apart is among them (the argument of
  the intersection-union test, Berger 1982).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.measurement import Interval, Measured, Measurement, NotMeasurable
from audit_pipeline.privacy.rates import FEWEST
from audit_pipeline.privacy.resampling import resampled_shares, widening
from audit_pipeline.statistics.design_effect import CHANGE_CORRELATION, effective_rows
from audit_pipeline.statistics.tally import Tally

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEWEST_PEOPLE = 8
"""People who must be among the members, and among the non-members, of a group: resampling fewer says little."""
METHOD = "bootstrap (Rubin 1981), members and non-members apart"


@dataclass(frozen=True)
class Side:
    """Members, or non-members: how many rows of each person of each group the attack takes for members."""

    hits: Counts
    """[groups, people]"""
    rows: Counts
    """[groups, people]"""
    named: bool
    """False: all rows are counted as one person's and independent."""

    @property
    def totals(self) -> Counts:
        """[groups] rows."""
        return np.asarray(self.rows.sum(axis=1))

    @property
    def people(self) -> list[int | None]:
        """[groups] people; None where they are not named."""
        return [int(number) if self.named else None for number in (self.rows > 0).sum(axis=1)]

    @property
    def shares(self) -> Numbers:
        """[groups] share of rows taken for members; 0 where there is none."""
        return np.asarray(self.hits.sum(axis=1) / np.maximum(self.totals, 1))

    def only(self, groups: Sequence[int]) -> Side:
        """Some of the groups."""
        return Side(self.hits[list(groups)], self.rows[list(groups)], self.named)

    def replicates(self, rng: np.random.Generator, level: float) -> Numbers:
        """[replicates, groups] shares among other people, as far apart as an interval of this level needs them."""
        counts = np.stack([self.rows - self.hits, self.hits], axis=2)
        drawn = resampled_shares(counts, self._design(level), rng)[..., 1]
        wider = np.asarray([widening(people, level) for people in self.people])
        return np.asarray(self.shares + wider * (drawn - self.shares))

    def _design(self, level: float) -> Numbers | None:
        """[groups] rows that are worth one independent row; None where all are."""
        if not self.named:
            return None
        tallies = [
            Tally(hits[rows > 0], rows[rows > 0], named=True) for hits, rows in zip(self.hits, self.rows, strict=True)
        ]
        return np.asarray([tally.total / effective_rows(tally, level, CHANGE_CORRELATION) for tally in tallies])


def side_of(flagged: Mask, groups: Sequence[Mask], among: Mask, people: Counts | None) -> Side:
    """Count one side.

    Args:
        flagged: [n] whether the attack takes the row for a member.
        groups: [n] rows of each.
        among: [n] the side's rows.
        people: [n] number of each row's person; None where nobody is named.
    """
    owner = np.zeros(len(among), dtype=np.int64)
    if people is not None:
        owner[among] = np.unique(people[among], return_inverse=True)[1]
    number = int(owner.max(initial=0)) + 1
    rows = [np.bincount(owner[group & among], minlength=number) for group in groups]
    hits = [np.bincount(owner[group & among & flagged], minlength=number) for group in groups]
    return Side(np.stack(hits), np.stack(rows), people is not None)


def too_small(members: Side, others: Side) -> list[str | None]:
    """[groups] why a group cannot be measured; None where it can."""
    reasons = []
    for m, n, mp, np_ in zip(members.totals, others.totals, members.people, others.people, strict=True):
        reason = None
        if min(m, n) < FEWEST:
            reason = f"{m} rows that were trained on and {n} that were not: {FEWEST} of each are needed"
        elif mp is not None and np_ is not None and min(mp, np_) < FEWEST_PEOPLE:
            reason = f"{mp} people that were trained on and {np_} that were not: {FEWEST_PEOPLE} of each are needed"
        reasons.append(reason)
    return reasons


@dataclass(frozen=True, eq=False)
class Exposures:
    """Groups large enough to be measured, and what other people would have shown of them."""

    members: Side
    others: Side
    level: float
    """Of intervals, two-sided."""
    seed: int

    @cached_property
    def values(self) -> Numbers:
        """[groups] TPR − FPR."""
        return np.asarray(self.members.shares - self.others.shares)

    @cached_property
    def replicates(self) -> Numbers:
        """[replicates, groups] the same among other people."""
        rng = np.random.default_rng(self.seed)
        return self.members.replicates(rng, self.level) - self.others.replicates(rng, self.level)

    def measured(self) -> list[Measurement]:
        """[groups] each group's exposure with its interval."""
        if not len(self.values):
            return []
        low, high = np.quantile(self.replicates, [self._tail, 1 - self._tail], axis=0)
        return [
            self._as_measured(float(value), float(min(below, value)), float(max(above, value)), [group])
            for group, (value, below, above) in enumerate(zip(self.values, low, high, strict=True))
        ]

    def gap(self) -> Measurement:
        """Difference between the most and the least exposed group."""
        everywhere = range(len(self.values))
        if len(self.values) < 2:
            rows, subjects = self._behind(everywhere)
            return NotMeasurable(
                reason="fewer than two groups are large enough to be compared", rows=rows, subjects=subjects
            )
        seen = float(np.ptp(self.values))
        critical = float(np.quantile(self._largest_deviations, 1 - self._tail))
        low = float(np.max(self._differences - critical * self._spreads))
        high = float(np.quantile(self._pairs(self.replicates), 1 - self._tail, axis=0).max())
        return self._as_measured(seen, max(low, 0.0), max(high, seen), everywhere)

    def p_gap(self, limit: float) -> float | None:
        """p-value of "no two groups differ by more than `limit`"; None where there are not two."""
        if len(self.values) < 2:
            return None
        surest = float(np.max((self._differences - limit) / self._spreads))
        beyond = int((self._largest_deviations >= surest).sum())
        return (beyond + 1) / (len(self._largest_deviations) + 1)

    @property
    def _tail(self) -> float:
        return (1 - self.level) / 2

    @cached_property
    def _differences(self) -> Numbers:
        return self._pairs(self.values)

    @cached_property
    def _spreads(self) -> Numbers:
        return np.asarray(self._pairs(self.replicates).std(axis=0))

    @cached_property
    def _largest_deviations(self) -> Numbers:
        """[replicates] of the ordered pair that is furthest from its mean, in standard errors."""
        drawn = self._pairs(self.replicates)
        return np.asarray(((drawn - drawn.mean(axis=0)) / self._spreads).max(axis=1))

    @staticmethod
    def _pairs(values: Numbers) -> Numbers:
        """[..., ordered pairs] first group less the second."""
        number = values.shape[-1]
        first, second = np.nonzero(~np.eye(number, dtype=bool))
        return np.asarray(values[..., first] - values[..., second])

    def _as_measured(self, value: float, low: float, high: float, groups: Sequence[int]) -> Measured:
        rows, subjects = self._behind(groups)
        interval = Interval(low=max(low, -1.0), high=min(high, 1.0), level=self.level, method=METHOD)
        return Measured(estimate=value, interval=interval, rows=rows, subjects=subjects)

    def _behind(self, groups: Sequence[int]) -> tuple[int, int | None]:
        """Rows and people of both sides; nobody is on both."""
        rows = sum(int(side.totals[list(groups)].sum()) for side in (self.members, self.others))
        if not self.members.named:
            return rows, None
        return rows, sum(int((side.rows[list(groups)].sum(axis=0) > 0).sum()) for side in (self.members, self.others))
