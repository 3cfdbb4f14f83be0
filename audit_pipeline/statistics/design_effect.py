"""How many independent rows the rows of a few people are worth.

Rows of one person resemble each other, so n rows of m people say less than n rows of n people. The design effect is
the factor by which the variance grows; n divided by it is the effective number of rows, which then takes the place of
n in an interval made for independent rows (Korn & Graubard 1998). The simulation behind the choices here is in
`docs/statistics.md`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from audit_pipeline.statistics.tally import Counts, PairedTally, Tally

OUTCOME_CORRELATION = 0.5
"""Correlation assumed within a person where too little was seen to estimate it: hits and misses of a model."""

CHANGE_CORRELATION = 0.1
"""The same for changes between two models on one row. Few rows change, and those that do lie at class borders: at most
0.1 was seen on MIT-BIH for quantized models that changed under 4 % of rows (see docs/statistics.md)."""

ASSUMPTION_WEIGHT = 2.0
"""The assumed design effect weighs as much as this many people in whom the rarer outcome was seen."""


def effective_rows(tally: Tally, level: float, correlation: float = OUTCOME_CORRELATION) -> float:
    """Effective number of rows behind a proportion at a two-sided confidence level; the tally must not be empty."""
    if not tally.named:
        return float(tally.total)
    return _effective_rows(tally.hits, tally.hits, tally.rows, level, correlation)


def effective_pairs(tally: PairedTally, level: float, correlation: float = CHANGE_CORRELATION) -> float:
    """Effective number of rows behind a paired difference; the tally must not be empty."""
    if not tally.named:
        return float(tally.total)
    return _effective_rows(tally.worse - tally.better, tally.worse + tally.better, tally.rows, level, correlation)


def _effective_rows(sums: Counts, events: Counts, rows: Counts, level: float, correlation: float) -> float:
    """Effective rows behind the mean of row values in {−1, 0, 1}, given each person's sum and number of non-zeros.

    The observed design effect is the CR2 cluster-robust variance over that of independent rows, times (t/z)² at Bell &
    McCaffrey's (2002) degrees of freedom, as Korn & Graubard (1998) carry the uncertainty of the variance into n. Where
    the rarer outcome was seen in few people that estimate is worthless (nothing seen: zero), so it is averaged with
    the design effect that an assumed correlation gives (Kish 1965).
    """
    total, people = int(rows.sum()), len(rows)
    if rows.max() == 1:
        return float(total)
    if people == 1:
        return 1.0
    assumed = 1 + (float(np.square(rows).sum()) / total - 1) * correlation
    if total * int(events.sum()) == int(sums.sum()) ** 2:
        return total / assumed
    mean = float(sums.sum()) / total
    variance = float(events.sum()) / total - mean**2
    leverage = rows / total
    robust = float((np.square(sums - mean * rows) / (1 - leverage)).sum()) / total**2
    widening = float(stdtrit(_degrees_of_freedom(rows), (1 + level) / 2) / ndtri((1 + level) / 2)) ** 2
    observed = max(robust * total / variance, 1.0) * widening
    seen_in = _people_with_rarer_outcome(sums, events, rows)
    effect = (seen_in * observed + ASSUMPTION_WEIGHT * assumed) / (seen_in + ASSUMPTION_WEIGHT)
    return total / max(effect, 1.0)


def _degrees_of_freedom(rows: Counts) -> float:
    """Bell & McCaffrey (2002) for a mean under CR2: (tr G)² / tr G², in closed form; m − 1 where all are equal."""
    leverage = rows / rows.sum()
    scaled = rows / (1 - leverage)
    trace_of_square = (np.square(scaled) * (1 - 2 * leverage)).sum() + (scaled * leverage).sum() ** 2
    return float(rows.sum()) ** 2 / float(trace_of_square)


def _people_with_rarer_outcome(sums: Counts, events: Counts, rows: Counts) -> float:
    """People among whom the rows outside the commonest value are spread: (Σr)² / Σr², Kish's effective number."""
    by_value: list[NDArray[np.int64]] = [rows - events, (events + sums) // 2, (events - sums) // 2]
    rarer = (rows - max(by_value, key=lambda counts: int(counts.sum()))).astype(np.float64)
    return float(rarer.sum() ** 2 / np.square(rarer).sum())
