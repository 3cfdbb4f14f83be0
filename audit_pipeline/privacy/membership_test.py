"""What a membership attack's rates prove: pure functions of what stands in evidence.

A rate's effective rows, n, are read back from its interval of Clopper & Pearson (1934), which is a function of the
rate, the level and n alone. Where people are named, n was found at that level; further out in the tail a few people
prove less, as Student's t does against the normal distribution, with one degree of freedom fewer than people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from scipy.optimize import brentq
from scipy.special import betainc, ndtri, stdtr, stdtrit
from scipy.stats import hypergeom

from audit_pipeline.measurement import Measured
from audit_pipeline.privacy_part import MembershipPart
from audit_pipeline.statistics.intervals import clopper_pearson

CERTIFIABLE = (0.05, 0.1)
"""False-positive rates that are reported where the one asked for cannot be certified."""

_MOST_COPIES = 1e4
_FEWEST_ROWS, _MOST_ROWS = 1e-2, 1e12
_COUNTING_ERROR = 1e-6
"""Of effective rows read back from an interval."""


@dataclass(frozen=True)
class _Rate:
    """A rate and the independent rows that it is worth."""

    share: float
    rows: float
    level: float
    people: int | None

    def copies(self, number: float) -> _Rate:
        """The same of a sample so many times as large."""
        people = None if self.people is None else max(math.floor(self.people * number), 1)
        return _Rate(self.share, self.rows * number, self.level, people)


def p_leak(part: MembershipPart, max_tpr: float) -> float:
    """p-value of "members are recognised at most at rate `max_tpr`, or no more often than strangers are".

    It is the larger of two one-sided p-values (intersection-union test: Berger 1982, Technometrics 24:295): of the
    exact binomial test of the rate, and of Fisher's exact test of the two rates. A threshold that comes out too low on
    the target lets through more of everybody; the second keeps that from being taken for a leak.

    Raises:
        ValueError: the part has no rates.
    """
    return _p(*_rates(part), max_tpr)


def holds_below(part: MembershipPart, max_tpr: float) -> bool:
    """Whether the attack's upper bound keeps the limit, and other ways to set its threshold do too.

    These are a coin thrown for ties, and a threshold of the model's own: shadows that were trained otherwise, by
    mistake or on purpose, could else set one that nobody reaches.
    """
    if not isinstance(part.tpr, Measured) or part.tpr.interval is None:
        return False
    held_back = max(part.tpr_with_coin or 0.0, part.tpr_at_own_fpr or 0.0)
    return part.tpr.interval.high <= max_tpr and held_back <= max_tpr


def certified_fpr(part: MembershipPart) -> float | None:
    """The lowest of the rate asked for, 5 % and 10 % that the non-members can certify; None where not even that.

    They can where, if none of them were taken for a member, the interval's upper end would lie at the rate or below.
    """
    _, fpr = _rates(part)
    tail = (1 - fpr.level) / 2
    reachable = -math.expm1(math.log(tail) / fpr.rows)
    return next((rate for rate in (part.fpr_target, *CERTIFIABLE) if part.fpr_target <= rate >= reachable), None)


def rows_needed(part: MembershipPart, max_tpr: float, alpha: float) -> int | None:
    """How many more rows, or people where they are named, it takes to decide, were the rates what was measured.

    Members are counted; non-members have to grow along. None where no number helps: the rate lies on the limit, or
    above it but not above the rate of strangers.

    Args:
        part: of an undecided attack.
        max_tpr: the limit.
        alpha: largest p-value of a FAIL, after adjustment for the other tests.

    Raises:
        ValueError: the part has no rates.
    """
    tpr, fpr = _rates(part)

    def decides(copies: float) -> bool:
        more, strangers = tpr.copies(copies), fpr.copies(copies)
        if tpr.share <= max_tpr:
            return clopper_pearson(more.share, more.rows, more.level)[1] <= max_tpr
        return _p(more, strangers, max_tpr) <= alpha

    if not decides(_MOST_COPIES):
        return None
    low, high = 0.0, math.log(_MOST_COPIES)
    while high - low > 1e-2:
        middle = (low + high) / 2
        low, high = (low, middle) if decides(math.exp(middle)) else (middle, high)
    units = part.tpr.rows if tpr.people is None else tpr.people
    return max(math.ceil((math.exp(high) - 1) * units), 1)


def _p(tpr: _Rate, fpr: _Rate, max_tpr: float) -> float:
    hits = tpr.share * tpr.rows
    above = 1.0 if hits <= 0 else float(betainc(hits, tpr.rows - hits + 1, max_tpr))
    people = None if tpr.people is None or fpr.people is None else min(tpr.people, fpr.people)
    return max(_in_the_tail(above, tpr.people, tpr.level), _in_the_tail(_fisher(tpr, fpr), people, tpr.level))


def _fisher(tpr: _Rate, fpr: _Rate) -> float:
    """One-sided p-value of Fisher (1934); effective counts are rounded against the leak."""
    members, strangers = max(round(tpr.rows), 1), max(round(fpr.rows), 1)
    taken = math.floor(tpr.share * members + _COUNTING_ERROR)
    mistaken = math.ceil(fpr.share * strangers - _COUNTING_ERROR)
    return float(hypergeom.sf(taken - 1, members + strangers, taken + mistaken, members))


def _in_the_tail(p: float, people: int | None, level: float) -> float:
    """A p-value as Student's t gives it, for effective rows that hold at a two-sided level."""
    if people is None or p >= 0.5:
        return p
    if people < 2:
        return 0.5
    tail = (1 - level) / 2
    stretch = float(stdtrit(people - 1, tail)) / float(ndtri(tail))
    return float(stdtr(people - 1, float(ndtri(max(p, 1e-300))) * stretch))


def _rates(part: MembershipPart) -> tuple[_Rate, _Rate]:
    if not isinstance(part.tpr, Measured) or not isinstance(part.fpr, Measured):
        raise ValueError("an attack without rates proves nothing")
    return _rate(part.tpr), _rate(part.fpr)


def _rate(measured: Measured) -> _Rate:
    interval = measured.interval
    if interval is None:
        raise ValueError("a rate of an attack always has an interval")
    rows = _rows(measured.estimate, interval.low, interval.high, interval.level)
    return _Rate(measured.estimate, rows, interval.level, measured.subjects)


@lru_cache(maxsize=1024)
def _rows(share: float, low: float, high: float, level: float) -> float:
    """Rows n for which an end of Clopper and Pearson's interval is where it is: its quantile's equation, solved for n.

    The upper end is the 1 − α/2 quantile of Beta(pn + 1, n − pn), the lower one the α/2 quantile of
    Beta(pn, n − pn + 1). The one on the side of ½ is taken: the other may be 0 or 1 as far as a float can tell.
    """
    tail = (1 - level) / 2

    def excess(log_rows: float) -> float:
        rows = math.exp(log_rows)
        if share > 0.5:
            return float(betainc(share * rows, rows - share * rows + 1, low)) - tail
        return float(betainc(share * rows + 1, rows - share * rows, high)) - (1 - tail)

    return math.exp(brentq(excess, math.log(_FEWEST_ROWS), math.log(_MOST_ROWS), xtol=1e-13))
