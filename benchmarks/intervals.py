"""Whether nominal 95 % intervals over people cover the truth in 95 % of samples: the tables of docs/statistics.md.

People are drawn with beta-distributed rates whose correlation within a person is ρ, with equal or log-normal (σ = 1)
numbers of rows. A cell is 1,000 samples; its Monte Carlo error is ± 0.014.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.paired import paired_interval
from audit_pipeline.measurement import Interval
from audit_pipeline.statistics.intervals import wilson_interval
from audit_pipeline.statistics.tally import PairedTally, Tally
from benchmarks.table import Row, conclude

_SAMPLES = 1000
_LEVEL = 0.95
_SMALLEST_COVERAGE = 0.92
_ROWS = (20, 200)
_CHANGES = ((0.01, 0.01), (0.02, 0.0), (0.05, 0.01), (0.1, 0.02), (0.3, 0.02))
"""Shares of rows that compression makes worse and better."""

Counts = NDArray[np.int64]


def _rows(people: int, rows: int, unequal: bool, rng: np.random.Generator) -> Counts:
    if not unequal:
        return np.full(people, rows)
    return np.maximum(1, np.round(rows * rng.lognormal(-0.5, 1.0, people))).astype(np.int64)


def _rates(people: int, mean: float, rho: float, rng: np.random.Generator) -> NDArray[np.float64]:
    if rho == 0 or mean == 0:
        return np.full(people, mean)
    weight = 1 / rho - 1
    return rng.beta(mean * weight, (1 - mean) * weight, people)


def _covers(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def _shares(rho: float, rng: np.random.Generator) -> Iterator[float]:
    """Coverage of each cell for one correlation: intervals of a share."""
    for people, rows, unequal, p in product((8, 12, 20, 40), _ROWS, (False, True), (0.8, 0.9, 0.95, 0.99)):
        held = 0
        for _ in range(_SAMPLES):
            each = _rows(people, rows, unequal, rng)
            hits = rng.binomial(each, _rates(people, p, rho, rng))
            held += _covers(wilson_interval(Tally(hits, each, True), _LEVEL), p)
        yield held / _SAMPLES


def _differences(rho: float, rng: np.random.Generator) -> Iterator[float]:
    """Coverage of each cell for one correlation: intervals of a paired worsening."""
    for people, rows, unequal, (worse, better) in product((4, 8, 12, 20, 40), _ROWS, (False, True), _CHANGES):
        held = 0
        for _ in range(_SAMPLES):
            each = _rows(people, rows, unequal, rng)
            lost = rng.binomial(each, _rates(people, worse, rho, rng))
            gained = rng.binomial(each - lost, _rates(people, better / (1 - worse), rho, rng))
            held += _covers(paired_interval(PairedTally(lost, gained, each, True), _LEVEL), worse - better)
        yield held / _SAMPLES


def main() -> None:
    """Simulate every cell with a fixed seed."""
    rng = np.random.default_rng(20240501)
    rows = []
    for what, cells, correlations in (
        ("a share", _shares, (0.0, 0.1, 0.3, 0.5)),
        ("a paired difference", _differences, (0.0, 0.05, 0.1, 0.3)),
    ):
        for rho in correlations:
            coverage = list(cells(rho, rng))
            rows.append(Row(f"{what}, ρ = {rho}: lowest cell", min(coverage), "", at_least=_SMALLEST_COVERAGE))
            rows.append(Row(f"{what}, ρ = {rho}: mean", sum(coverage) / len(coverage), "", at_least=_LEVEL))
    conclude("intervals", rows)


if __name__ == "__main__":
    main()
