"""Two-sided intervals for one proportion, for any real number of (effective) rows above 0."""

from __future__ import annotations

import math

from scipy.special import betaincinv, ndtri

from audit_pipeline.measurement import Interval
from audit_pipeline.statistics.design_effect import CHANGE_CORRELATION, effective_rows
from audit_pipeline.statistics.tally import Tally

BY_SUBJECT = "effective rows by subject (Korn & Graubard 1998)"
"""Added to a method's name where people were named."""


def wilson(proportion: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of Wilson (1927), method 3 in Newcombe (1998), Stat. Med. 17:857."""
    z = float(ndtri((1 + level) / 2))
    shrink = 1 + z**2 / rows
    centre = (proportion + z**2 / (2 * rows)) / shrink
    half = z / shrink * math.sqrt(proportion * (1 - proportion) / rows + z**2 / (4 * rows**2))
    low = 0.0 if proportion == 0 else max(centre - half, 0.0)
    high = 1.0 if proportion == 1 else min(centre + half, 1.0)
    return low, high


def clopper_pearson(proportion: float, rows: float, level: float) -> tuple[float, float]:
    """Exact interval of Clopper & Pearson (1934) by quantiles of the beta distribution."""
    tail, hits = (1 - level) / 2, proportion * rows
    low = 0.0 if proportion == 0 else float(betaincinv(hits, rows - hits + 1, tail))
    high = 1.0 if proportion == 1 else float(betaincinv(hits + 1, rows - hits, 1 - tail))
    return low, high


def wilson_interval(tally: Tally, level: float) -> Interval:
    """Wilson's interval of a proportion, over people where they were named."""
    low, high = wilson(tally.proportion, effective_rows(tally, level), level)
    return Interval(low=low, high=high, level=level, method=named_method("Wilson 1927", tally.named))


def exact_interval(tally: Tally, level: float) -> Interval:
    """Clopper and Pearson's interval of a rare event, over people where they were named."""
    low, high = clopper_pearson(tally.proportion, effective_rows(tally, level, CHANGE_CORRELATION), level)
    return Interval(low=low, high=high, level=level, method=named_method("Clopper-Pearson 1934", tally.named))


def named_method(method: str, named: bool) -> str:
    """A method's name as evidence gives it."""
    return f"{method}, {BY_SUBJECT}" if named else method
