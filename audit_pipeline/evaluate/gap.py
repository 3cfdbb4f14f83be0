"""Differences between groups, honest after looking at every pair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.measurement import GroupKey
from audit_pipeline.statistics.estimate import Estimate, p_above, p_below

Matrix = NDArray[np.float64]


_NO_DOUBT = 4e-16
"""Doubt that a level next to 1 cannot hold: nothing is claimed with less, so p-values end at this times the pairs."""


@dataclass(frozen=True)
class Pair:
    """Two groups whose difference, or ratio, was looked at."""

    higher: GroupKey
    lower: GroupKey


@dataclass(frozen=True)
class Compared:
    """Groups that one metric was measured in, to be compared with each other: at least two."""

    groups: tuple[tuple[GroupKey, Estimate], ...]
    people: int | None
    """Distinct people in them; None where they were not named."""

    @property
    def rows(self) -> int:
        """Rows of all groups."""
        return sum(estimate.rows for _, estimate in self.groups)

    @property
    def subjects(self) -> int | None:
        """Distinct people in them; None where they were not named."""
        return self.people

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """[groups] the metric of each."""
        return np.asarray([estimate.value for _, estimate in self.groups], dtype=np.float64)

    @property
    def pairs(self) -> int:
        """How many pairs they make."""
        return len(self.groups) * (len(self.groups) - 1) // 2

    @property
    def of_pairs(self) -> str:
        """What is added to a method's name where one pair is one of several."""
        if self.pairs == 1:
            return ""
        return f"; lower end simultaneous over {self.pairs} pairs (Bonferroni), upper end of the widest pair"

    def simultaneous(self, level: float) -> float:
        """Level of each pair's interval at which all of them hold together at `level` (Bonferroni)."""
        return 1 - (1 - level) / self.pairs

    def ends(self, level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[groups] lower and upper ends of each group's own interval."""
        if 1 - level < _NO_DOUBT:
            return np.full(len(self.groups), -np.inf), np.full(len(self.groups), np.inf)
        low, high = zip(*(estimate.bounds(level) for _, estimate in self.groups), strict=True)
        return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)

    @property
    def seen(self) -> Pair:
        """The groups with the highest and the lowest value; two different ones also where all are alike."""
        higher, lower = int(self.values.argmax()), int(self.values.argmin())
        return Pair(self.groups[higher][0], self.groups[lower if lower != higher else 1][0])

    def pair_at(self, scores: Matrix) -> Pair:
        """The ordered pair where a [groups, groups] matrix is largest."""
        first, second = np.unravel_index(int(np.argmax(scores)), scores.shape)
        return Pair(self.groups[int(first)][0], self.groups[int(second)][0])


@dataclass(frozen=True)
class Gap(Compared):
    """The largest difference between any two groups: an `Estimate`, and the pairs behind it.

    max − min over groups is never negative, so it cannot be judged as if it were one difference that was fixed before
    the data were seen. Each pair gets the hybrid score interval of Newcombe (1998), Stat. Med. 17:873, method 10, from
    its groups' own intervals (in general: MOVER, Zou & Donner 2008). The interval of the largest difference is then

    - from below the best lower limit of all pairs, at a level where all of them hold together (Bonferroni);
    - from above the largest upper limit, unadjusted: the pair that is truly furthest apart is among them, and covered
      by its own (the argument of the intersection-union test, Berger 1982).

    Groups are compared as if no person were in two of them, which widens the intervals where people are alike.

    Of two groups either can seem the higher one by chance, so the p-value adds the tail beyond −limit to the one beyond
    the limit (Hodges & Lehmann 1954, J. R. Stat. Soc. B 16:261). That doubles it at a limit of zero, and is nothing
    where the limit is wide against the uncertainty.
    """

    @property
    def value(self) -> float:
        """The largest difference that was seen."""
        return float(np.ptp(self.values))

    @property
    def method(self) -> str:
        """How the interval is made."""
        return f"Newcombe 1998 of {self.groups[0][1].method}{self.of_pairs}"

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval of the largest difference."""
        return max(self.signed_bounds(level)[0], 0.0), float(self._highs(level).max())

    def signed_bounds(self, level: float) -> tuple[float, float]:
        """The best lower limit of all pairs, below zero where none is surely apart; and no upper one."""
        return float(self._lows(level).max()), np.inf

    def p_broken(self, limit: float) -> float:
        """p-value of "no two groups differ by more than `limit`", with limits from 0 on."""
        signed = _Signed(self)
        return min(p_above(signed, limit) + p_above(signed, -limit), 1.0)

    def surest(self, level: float) -> Pair:
        """The pair whose difference is shown best."""
        return self.pair_at(self._lows(level))

    def widest(self, level: float) -> Pair:
        """The pair whose difference is ruled out least."""
        return self.pair_at(self._highs(level))

    def _lows(self, level: float) -> Matrix:
        low, high = self.ends(self.simultaneous(level))
        return self._apart(self._differences - np.hypot((self.values - low)[:, None], (high - self.values)[None, :]))

    def _highs(self, level: float) -> Matrix:
        low, high = self.ends(level)
        return self._apart(self._differences + np.hypot((high - self.values)[:, None], (self.values - low)[None, :]))

    @property
    def _differences(self) -> Matrix:
        return self.values[:, None] - self.values[None, :]

    @staticmethod
    def _apart(scores: Matrix) -> Matrix:
        """No group is compared with itself."""
        np.fill_diagonal(scores, -np.inf)
        return scores


@dataclass(frozen=True)
class Ratio(Compared):
    """The smallest ratio between any two groups, 0 to 1: an `Estimate`. At least one group's value must be above 0.

    The mirror of `Gap` on the logarithms (MOVER, Zou & Donner 2008): the upper end holds for all pairs together, the
    lower end is the lowest of the unadjusted ones.
    """

    @property
    def value(self) -> float:
        """The smallest ratio that was seen."""
        return float(self.values.min() / self.values.max())

    @property
    def method(self) -> str:
        """How the interval is made."""
        return f"MOVER on logarithms of {self.groups[0][1].method}; ends as of a difference over {self.pairs} pairs"

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval of the smallest ratio."""
        return min(float(self._lows(level).min()), 1.0), min(self.signed_bounds(level)[1], 1.0)

    def signed_bounds(self, level: float) -> tuple[float, float]:
        """The best upper limit of all pairs, above one where none is surely unequal; and no lower one."""
        return -np.inf, float(self._highs(level).min())

    def p_broken(self, limit: float) -> float:
        """p-value of "no ratio of two groups is below `limit`", with limits from 0 to 1; both ways as in `Gap`."""
        if self.value >= limit:
            return 1.0
        signed = _Signed(self)
        return min(p_below(signed, limit) + p_below(signed, 1 / limit), 1.0)

    def surest(self, level: float) -> Pair:
        """The pair whose inequality is shown best."""
        return self._turned(self.pair_at(-self._highs(level)))

    def widest(self, level: float) -> Pair:
        """The pair whose inequality is ruled out least."""
        return self._turned(self.pair_at(-self._lows(level)))

    @staticmethod
    def _turned(pair: Pair) -> Pair:
        """A ratio is of the lower group over the higher one."""
        return Pair(higher=pair.lower, lower=pair.higher)

    def _lows(self, level: float) -> Matrix:
        low, high = self.ends(level)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.hypot(np.log(self.values / low)[:, None], np.log(high / self.values)[None, :])
            ratios = np.where(self.values > 0, self._ratios * np.exp(-away), low[:, None] / high[None, :])
        return self._apart(np.where(np.isnan(ratios), 0.0, ratios))

    def _highs(self, level: float) -> Matrix:
        low, high = self.ends(self.simultaneous(level))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            away = np.hypot(np.log(high / self.values)[:, None], np.log(self.values / low)[None, :])
            ratios = np.where(self.values[:, None] > 0, self._ratios * np.exp(away), high[:, None] / low[None, :])
        return self._apart(np.where(np.isnan(ratios), np.inf, ratios))

    @property
    def _ratios(self) -> Matrix:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.values[:, None] / self.values[None, :])

    @staticmethod
    def _apart(scores: Matrix) -> Matrix:
        np.fill_diagonal(scores, np.inf)
        return scores


@dataclass(frozen=True)
class _Signed:
    """Compared groups whose interval does not end at "no difference": an `Estimate`, for p-values of both ways."""

    of: Gap | Ratio

    @property
    def value(self) -> float:
        return self.of.value

    @property
    def rows(self) -> int:
        return self.of.rows

    @property
    def subjects(self) -> int | None:
        return self.of.subjects

    @property
    def method(self) -> str:
        return self.of.method

    def bounds(self, level: float) -> tuple[float, float]:
        return self.of.signed_bounds(level)
