"""Where a verdict is reached: the value that an estimate has to pass, for samples like its own of any size.

For one share and for paired shares it is where the end of their own interval meets the limit, on the effective rows of
such a sample; where rows are independent and counted one by one, it lies between two counts, and the exact tests say
which. Any other estimate lends the width of its own interval.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from audit_pipeline.measurement import Outcome
from audit_pipeline.statistics.design_effect import effective_pairs, effective_rows
from audit_pipeline.statistics.estimate import Estimate
from audit_pipeline.statistics.intervals import three_quarter_p
from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than, score_variance
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import PairedTally, Tally

_COPIES = (1, 2, 4, 8, 16)
"""Copies of the sample whose effective rows are computed: between them the logarithm is interpolated, as few more
people can be worth many times the rows; beyond them they grow in proportion."""
_NEXT_TO = 1e-9
"""A distance that is rounding."""
_UNREACHABLE = 2.0
"""A critical value that no share and no change of one passes."""
_FAR = 1e6
"""Standard errors beyond which nothing has to be looked for."""


@dataclass(frozen=True)
class Aim:
    """A verdict, and how surely it is to be reached."""

    limit: float
    at_most: bool
    """Whether values above the limit break it, rather than those below."""
    outcome: Outcome
    alpha: float
    """One-sided level."""
    power: float
    """Share of samples that are to reach it."""

    @property
    def z(self) -> float:
        """Standard normal deviate of its level."""
        return -float(ndtri(self.alpha))

    @property
    def z_power(self) -> float:
        """The same of its power."""
        return float(ndtri(self.power))

    @property
    def side(self) -> int:
        """1 where the estimate has to lie above its critical value, −1 where below."""
        return 1 if self.at_most == (self.outcome is Outcome.FAIL) else -1


@dataclass(frozen=True)
class Design:
    """What a kind of estimate says about samples like its own, of any size in copies of it."""

    critical: Callable[[float], float]
    """Copies → the value that the estimate has to pass."""
    deviation: Callable[[float, float], float]
    """Truth, copies → standard deviation of the estimate."""
    worst: float
    """The truth furthest beyond the critical value."""
    people: int | None
    """Behind one copy; None where nobody is named."""


def design(estimate: Estimate, aim: Aim, reach: tuple[float, float]) -> Design:
    """What an estimate says about samples like its own.

    Args:
        estimate: the one measured.
        aim: the verdict.
        reach: smallest and largest value that the estimate could have; shares and their changes know theirs.
    """
    if isinstance(estimate, PairedShare) and aim.at_most:
        return _of_paired_share(estimate, aim)
    if isinstance(estimate, Share):
        return _of_share(estimate, aim)
    return _of_anything(estimate, aim, reach)


def _of_paired_share(change: PairedShare, aim: Aim) -> Design:
    """As many rows get better as were seen to; the rest of the truth is rows that get worse."""
    tally, better = change.tally, change.shares[1]

    def effective(alpha: float, copies: int) -> float:
        worse, gained, rows = (np.tile(counts, copies) for counts in (tally.worse, tally.better, tally.rows))
        return effective_pairs(PairedTally(worse, gained, rows, tally.named), 1 - 2 * alpha, change.correlation)

    rows, rows_between = _at_any_size(effective, aim.alpha), _at_any_size(effective, 1 - aim.power)

    @cache
    def by_score(copies: float, better: float = better) -> float:
        def clearance(value: float) -> float:
            variance = score_variance(better + value, better, aim.limit)
            return aim.side * (value - aim.limit) - aim.z * math.sqrt(variance / rows(copies))

        furthest = 1 - 2 * better if aim.side > 0 else -better
        start = aim.limit + aim.side * _NEXT_TO
        return float(brentq(clearance, start, furthest)) if clearance(furthest) > 0 else aim.side * _UNREACHABLE

    @cache
    def by_count(copies: float) -> float:
        total, gained = round(copies * tally.total), round(copies * int(tally.better.sum()))

        def rejects(worse: int) -> bool:
            counts = PairedTally(np.asarray([worse]), np.asarray([gained]), np.asarray([total]), named=False)
            return p_worse_than(PairedShare(counts), aim.limit) <= aim.alpha

        worse = bisect_left(range(total - gained + 1), True, key=rejects)
        return (worse - 0.5 - gained) / total if worse <= total - gained else _UNREACHABLE

    def deviation(truth: float, copies: float) -> float:
        """Of worse − s · better, as the critical number of worse rows moves with the better ones by a factor s."""
        step = 1e-6
        moves = 1 + (by_score(copies, better + step) - by_score(copies)) / step
        variance = better + truth + moves**2 * better - (better + truth - moves * better) ** 2
        return math.sqrt(max(variance, 0.0) / rows_between(copies))

    exact = not tally.named and aim.outcome is Outcome.FAIL
    return Design(by_count if exact else by_score, deviation, worst=1 - 2 * better, people=change.subjects)


def _of_share(share: Share, aim: Aim) -> Design:
    tally, level = share.tally, 1 - 2 * aim.alpha

    def effective(alpha: float, copies: int) -> float:
        many = Tally(np.tile(tally.hits, copies), np.tile(tally.rows, copies), tally.named)
        return effective_rows(many, 1 - 2 * alpha, share.correlation)

    rows, rows_between = _at_any_size(effective, aim.alpha), _at_any_size(effective, 1 - aim.power)
    end = 0 if aim.side > 0 else 1

    @cache
    def critical(copies: float) -> float:
        """Where the end of the interval passes the limit; between two counts where rows are counted one by one."""

        def clearance(value: float) -> float:
            return aim.side * (three_quarter_p(value, rows(copies), level)[end] - aim.limit)

        if clearance(1.0 - end) <= 0:
            return aim.side * _UNREACHABLE
        value = float(brentq(clearance, end, 1 - end, xtol=1e-9)) if clearance(end) < 0 else float(end)
        if tally.named:
            return value
        total = rows(copies)
        short = math.floor(total * (value if end == 0 else 1 - value) + _NEXT_TO)
        return abs(end - (short + 0.5) / total)

    def deviation(truth: float, copies: float) -> float:
        return math.sqrt(truth * (1 - truth) / rows_between(copies))

    return Design(critical, deviation, worst=1.0 - end, people=share.subjects)


def _of_anything(estimate: Estimate, aim: Aim, reach: tuple[float, float]) -> Design:
    """The wider half of its interval stands for its standard error, which shrinks with the root of the copies."""
    low, high = estimate.bounds(1 - 2 * aim.alpha)
    error = max(estimate.value - low, high - estimate.value) / aim.z
    furthest = aim.limit + (aim.side * _FAR * error if math.isfinite(error) else 0.0)
    return Design(
        critical=lambda copies: aim.limit + aim.side * aim.z * error / math.sqrt(copies),
        deviation=lambda truth, copies: error / math.sqrt(copies),
        worst=min(max(furthest, reach[0]), reach[1]),
        people=estimate.subjects,
    )


def _at_any_size(effective: Callable[[float, int], float], alpha: float) -> Callable[[float], float]:
    known = np.log([effective(alpha, copies) for copies in _COPIES])

    def rows(copies: float) -> float:
        return math.exp(np.interp(math.log(copies), np.log(_COPIES), known)) * max(copies / _COPIES[-1], 1.0)

    return rows
