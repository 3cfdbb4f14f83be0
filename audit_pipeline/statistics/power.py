"""What an undecided sample could have shown, and how large a sample would decide.

A verdict is reached where the estimate passes a critical value, and 80 % of samples pass it if the truth lies z(20 %)
standard deviations of the estimate beyond it. For one share that is the sample size of the score test (Fleiss, Levin &
Paik 2003, section 2.5), for paired shares the one of Connett, Smith & McHugh (1987), Stat. Med. 6:537, carried to
limits other than zero by Nam (1997), Biometrics 53:1422; but where few independent rows change, the critical value is
the count at which the exact test rejects. Any other estimate lends the standard error of its own interval.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from audit_pipeline.measurement import Outcome
from audit_pipeline.statistics.design_effect import effective_pairs, effective_rows
from audit_pipeline.statistics.estimate import Estimate
from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than, score_variance
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import PairedTally, Tally

POWER = 0.8
"""Share of samples in which the true value would have been found: the usual bar of a study."""

_COPIES = (1, 2, 4, 8, 16, 32, 64)
"""Copies of the sample whose effective rows are computed: between them they are interpolated, beyond them they grow in
proportion."""
_MOST_COPIES = 1e4
_ON_THE_LIMIT = 1e-9
"""A distance from the limit that is rounding."""
_UNREACHABLE = 2.0
"""A critical value that no share and no change of one passes."""


@dataclass(frozen=True)
class Outlook:
    """What an undecided finding could have shown, and what it would take to decide it, with 80 % power."""

    detectable: float | None
    """Smallest true value beyond the limit that would have been found; None where not even the worst one would."""
    settles: Outcome | None
    """PASS or FAIL, were the truth what was measured; None where that lies on the limit."""
    more: int | None
    """How many more people it takes for that, or rows where nobody is named; None where no number helps."""


@dataclass(frozen=True)
class _Aim:
    """The verdict that is hoped for or feared: when it is reached."""

    limit: float
    at_most: bool
    """Whether values above the limit break it, rather than those below."""
    outcome: Outcome
    alpha: float
    """One-sided level."""

    @property
    def z(self) -> float:
        """Standard normal deviate of its level."""
        return -float(ndtri(self.alpha))

    @property
    def side(self) -> int:
        """1 where the estimate has to lie above its critical value, −1 where below."""
        return 1 if self.at_most == (self.outcome is Outcome.FAIL) else -1


@dataclass(frozen=True)
class _Design:
    """What a kind of estimate says about samples like its own, of any size in copies of it."""

    critical: Callable[[float], float]
    """Copies → the value that the estimate has to pass."""
    deviation: Callable[[float, float], float]
    """Truth, copies → standard deviation of the estimate."""
    worst: float
    """The truth furthest beyond the critical value."""
    people: int | None
    """Behind one copy; None where nobody is named."""


def outlook(
    estimate: Estimate,
    limit: float,
    *,
    at_most: bool,
    level: float,
    family: int,
    reach: tuple[float, float] = (-math.inf, math.inf),
) -> Outlook:
    """What the sample behind an estimate can show about its limit, and how much larger one would decide.

    Args:
        estimate: of a finding that is neither PASS nor FAIL.
        limit: of the policy.
        at_most: whether values above the limit break it, rather than those below.
        level: one-sided level of a verdict, (1 − confidence) / 2.
        family: findings tested together. A FAIL has to show at level / family, Holm's first step; a PASS at `level`.
        reach: smallest and largest value that the estimate could have; shares and their changes know theirs.
    """
    fail = _Aim(limit, at_most, Outcome.FAIL, level / family)
    detectable = _detectable(_design(estimate, fail, reach), fail)
    distance = estimate.value - limit
    if abs(distance) <= _ON_THE_LIMIT:
        return Outlook(detectable, None, None)
    aim = fail if (distance > 0) == at_most else _Aim(limit, at_most, Outcome.PASS, level)
    copies = _copies(_design(estimate, aim, reach), aim, estimate.value)
    units = estimate.rows if estimate.subjects is None else estimate.subjects
    more = None if copies is None else max(math.ceil((copies - 1) * units), 1)
    return Outlook(detectable, aim.outcome, more)


def _detectable(design: _Design, aim: _Aim) -> float | None:
    if aim.side * (design.worst - aim.limit) <= 0 or _surplus(design, aim, design.worst, 1) < 0:
        return None
    return float(brentq(lambda truth: _surplus(design, aim, truth, 1), aim.limit, design.worst, xtol=1e-9))


def _copies(design: _Design, aim: _Aim, truth: float) -> float | None:
    """How many copies of the sample decide: a real number from 1 on."""
    if _surplus(design, aim, truth, 1) >= 0:
        return 1.0
    if _surplus(design, aim, truth, _MOST_COPIES) < 0:
        return None
    return math.exp(
        brentq(lambda log: _surplus(design, aim, truth, math.exp(log)), 0, math.log(_MOST_COPIES), xtol=1e-3)
    )


def _surplus(design: _Design, aim: _Aim, truth: float, copies: float) -> float:
    """How much further beyond the critical value the truth lies than it has to."""
    beyond = aim.side * (truth - design.critical(copies))
    return beyond - float(ndtri(POWER)) * design.deviation(truth, copies) * _doubt(aim, design.people, copies)


def _doubt(aim: _Aim, people: int | None, copies: float) -> float:
    """By how much more than the estimate the distance to its critical value scatters.

    Over people the critical value rests on a standard deviation that is estimated itself, with a relative error of
    √(1 / 2 df): the normal approximation to the noncentral t (Johnson, Kotz & Balakrishnan 1995, chapter 31).
    """
    if people is None:
        return 1.0
    freedom = max(people * copies - 1, 1.0)
    return math.sqrt(1 + float(stdtrit(freedom, 1 - aim.alpha)) ** 2 / (2 * freedom))


def _design(estimate: Estimate, aim: _Aim, reach: tuple[float, float]) -> _Design:
    if isinstance(estimate, PairedShare) and aim.at_most:
        return _of_paired_share(estimate, aim)
    if isinstance(estimate, Share):
        return _of_share(estimate, aim)
    return _of_anything(estimate, aim, reach)


def _of_paired_share(change: PairedShare, aim: _Aim) -> _Design:
    """As many rows get better as were seen to; the rest of the truth is rows that get worse."""
    tally, better = change.tally, change.shares[1]

    def effective(alpha: float, copies: int) -> float:
        worse, gained, rows = (np.tile(counts, copies) for counts in (tally.worse, tally.better, tally.rows))
        return effective_pairs(PairedTally(worse, gained, rows, tally.named), 1 - 2 * alpha, change.correlation)

    rows, rows_between = _at_any_size(effective, aim.alpha), _at_any_size(effective, 1 - POWER)

    @cache
    def by_score(copies: float, better: float = better) -> float:
        def clearance(value: float) -> float:
            variance = score_variance(better + value, better, aim.limit)
            return aim.side * (value - aim.limit) - aim.z * math.sqrt(variance / rows(copies))

        furthest = 1 - 2 * better if aim.side > 0 else -better
        start = aim.limit + aim.side * _ON_THE_LIMIT
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
    return _Design(by_count if exact else by_score, deviation, worst=1 - 2 * better, people=change.subjects)


def _of_share(share: Share, aim: _Aim) -> _Design:
    tally = share.tally

    def effective(alpha: float, copies: int) -> float:
        many = Tally(np.tile(tally.hits, copies), np.tile(tally.rows, copies), tally.named)
        return effective_rows(many, 1 - 2 * alpha, share.correlation)

    rows, rows_between = _at_any_size(effective, aim.alpha), _at_any_size(effective, 1 - POWER)
    at_limit = math.sqrt(aim.limit * (1 - aim.limit))
    return _Design(
        critical=lambda copies: aim.limit + aim.side * aim.z * at_limit / math.sqrt(rows(copies)),
        deviation=lambda truth, copies: math.sqrt(truth * (1 - truth) / rows_between(copies)),
        worst=1.0 if aim.side > 0 else 0.0,
        people=share.subjects,
    )


def _of_anything(estimate: Estimate, aim: _Aim, reach: tuple[float, float]) -> _Design:
    """The wider half of its interval stands for its standard error, which shrinks with the root of the copies."""
    low, high = estimate.bounds(1 - 2 * aim.alpha)
    error = max(estimate.value - low, high - estimate.value) / aim.z
    furthest = aim.limit + aim.side * 2 * (aim.z + float(ndtri(POWER)) * _doubt(aim, estimate.subjects, 1)) * error
    return _Design(
        critical=lambda copies: aim.limit + aim.side * aim.z * error / math.sqrt(copies),
        deviation=lambda truth, copies: error / math.sqrt(copies),
        worst=min(max(furthest, reach[0]), reach[1]),
        people=estimate.subjects,
    )


def _at_any_size(effective: Callable[[float, int], float], alpha: float) -> Callable[[float], float]:
    known = [effective(alpha, copies) for copies in _COPIES]
    return lambda copies: float(np.interp(copies, _COPIES, known)) * max(copies / _COPIES[-1], 1.0)
