"""The difference of two models on the same rows."""

from __future__ import annotations

import math

from scipy.optimize import brentq
from scipy.special import ndtri

from audit_pipeline.measurement import Interval
from audit_pipeline.statistics.design_effect import effective_pairs
from audit_pipeline.statistics.intervals import named_method
from audit_pipeline.statistics.tally import PairedTally

_NUDGE = 1e-12
"""Next to the estimate, where the score is not yet beyond its bound."""
_CLOSE = 1e-9
"""All rows worse, or all better: fractional counts need not add up to the rows exactly."""


def tango(worse: float, better: float, rows: float, level: float) -> tuple[float, float]:
    """Score interval of Tango (1998), Stat. Med. 17:891, for (worse − better) / rows.

    Only rows on which the models disagree carry information, and the interval stays honest where there are none.
    Counts may be fractions of rows, as an effective number of rows makes them.
    """
    chi_square = float(ndtri((1 + level) / 2)) ** 2

    def excess(delta: float) -> float:
        slope = -worse - better + (2 * rows - worse + better) * delta
        discriminant = slope**2 + 8 * rows * better * delta * (1 - delta)
        only_better = (math.sqrt(max(discriminant, 0.0)) - slope) / (4 * rows)
        variance = rows * (2 * only_better + delta * (1 - delta))
        return (worse - better - rows * delta) ** 2 - chi_square * variance

    observed = (worse - better) / rows
    low = -1.0 if observed < _CLOSE - 1 else float(brentq(excess, -1.0, observed - _NUDGE))
    high = 1.0 if observed > 1 - _CLOSE else float(brentq(excess, observed + _NUDGE, 1.0))
    return low, high


def paired_interval(tally: PairedTally, level: float) -> Interval:
    """Interval of the mean worsening, over people where they were named."""
    effective = effective_pairs(tally, level)
    scale = effective / tally.total
    low, high = tango(float(tally.worse.sum()) * scale, float(tally.better.sum()) * scale, effective, level)
    return Interval(low=low, high=high, level=level, method=named_method("Tango 1998, paired score", tally.named))
