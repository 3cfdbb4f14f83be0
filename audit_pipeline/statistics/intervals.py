"""Two-sided intervals for one share, for any real number of (effective) rows above 0.

An end of an exact interval is where the observed count becomes too unlikely: Clopper & Pearson (1934) count the whole
probability of that very count into the tail and so cover more than they promise, the mid-P (Lancaster 1961) counts
half of it and covers less. Here three quarters are counted. A tail of nominal size α/2 is then never larger than
(α/2) / 0.75, whatever the share and the rows: an interval of 95 % covers at least 93.3 %.
"""

from __future__ import annotations

from scipy.optimize import brentq
from scipy.special import betainc, betaincinv

from audit_pipeline.measurement import Interval
from audit_pipeline.statistics.design_effect import CHANGE_CORRELATION, effective_rows
from audit_pipeline.statistics.tally import Tally

BY_SUBJECT = "effective rows by subject (Korn & Graubard 1998)"
"""Added to a method's name where people were named."""

THREE_QUARTER_P = "three-quarter P, between Clopper-Pearson 1934 and mid-P"

_COUNTED = 0.75
"""Part of the probability of the observed count that belongs to the tail."""


def three_quarter_p(share: float, rows: float, level: float) -> tuple[float, float]:
    """Interval of a binomial share by tails that count three quarters of the observed outcome's probability."""
    return share_interval(share, share * (1 - share) / rows, 1 / rows, level)


def share_interval(share: float, variance: float, step: float, level: float) -> tuple[float, float]:
    """The same for an estimate of a share that is no plain count, by beta distributions that match its variance.

    Args:
        share: 0 to 1.
        variance: of the estimate.
        step: the most by which one row can move the estimate, 1 / rows for a plain share. It keeps the interval honest
            where no row of a kind was seen and the variance is therefore too small (Fay & Feuer 1997).
        level: two-sided.
    """
    tail = (1 - level) / 2
    return _lower(share, variance, step, tail), 1 - _lower(1 - share, variance, step, tail)


def _lower(share: float, variance: float, step: float, tail: float) -> float:
    """Where a truth so low makes the share and everything above it too unlikely.

    For a plain share of n rows the two distributions are Beta(x, n − x + 1), the probability of x hits or more, and
    Beta(x + 1, n − x), that of more than x.
    """
    if share <= 0:
        return 0.0
    rest = 1 / (1 + step)
    one, scale = 1 - rest, 1 / (1 + 2 * step)
    within = rest**2 * min(variance, share * (1 - share))
    as_many = _beta(share * rest, scale * (within + one**2 * share))
    more = _beta(share * rest + one, scale * (within + one**2 * (1 - share))) if share < 1 else None

    def excess(truth: float) -> float:
        beyond = 0.0 if more is None else float(betainc(*more, truth))
        return _COUNTED * float(betainc(*as_many, truth)) + (1 - _COUNTED) * beyond - tail

    return float(brentq(excess, 0.0, share, xtol=1e-13)) if excess(share) > 0 else share


def _beta(mean: float, variance: float) -> tuple[float, float]:
    """Parameters of the beta distribution of this mean and variance."""
    size = mean * (1 - mean) / variance - 1
    return mean * size, (1 - mean) * size


def clopper_pearson(proportion: float, rows: float, level: float) -> tuple[float, float]:
    """Exact interval of Clopper & Pearson (1934) by quantiles of the beta distribution."""
    tail, hits = (1 - level) / 2, proportion * rows
    low = 0.0 if proportion == 0 else float(betaincinv(hits, rows - hits + 1, tail))
    high = 1.0 if proportion == 1 else float(betaincinv(hits + 1, rows - hits, 1 - tail))
    return low, high


def exact_interval(tally: Tally, level: float) -> Interval:
    """Clopper and Pearson's interval of a rare event, over people where they were named."""
    low, high = clopper_pearson(tally.proportion, effective_rows(tally, level, CHANGE_CORRELATION), level)
    return Interval(low=low, high=high, level=level, method=named_method("Clopper-Pearson 1934", tally.named))


def named_method(method: str, named: bool) -> str:
    """A method's name as evidence gives it."""
    return f"{method}, {BY_SUBJECT}" if named else method
