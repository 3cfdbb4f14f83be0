"""AUC, rates and intervals of the privacy audit against counting by hand and exact binomial sums."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.privacy.roc import area_under_curve, threshold
from audit_pipeline.statistics.intervals import clopper_pearson
from benchmarks.table import Row, conclude

_DISTINCT = (2, 16, 256)
_DRAWS = 40
_RATES = (0.01, 0.05, 0.1, 0.5)
_INTERVALS = 200
_MOST_ROWS = 400
_HALVINGS = 22
"""Of the interval from 0 to 1: to 1.2e-7."""


def rows() -> list[Row]:
    """The largest differences."""
    rng = np.random.default_rng(7)
    found = [
        Row(f"{name} with {distinct} distinct scores: off brute force", worst, "", at_most=1e-12)
        for distinct in _DISTINCT
        for name, worst in zip(("AUC", "TPR"), _off_brute_force(rng, distinct), strict=True)
    ]
    off = max(_off_exact_sums(rng) for _ in range(_INTERVALS))
    return [*found, Row(f"Clopper-Pearson, {_INTERVALS} intervals: off exact sums", off, "", at_most=1e-5)]


def _off_brute_force(rng: np.random.Generator, distinct: int) -> tuple[float, float]:
    """Largest differences of AUC, and of TPR at several false-positive rates, over draws of both sides."""
    auc, tpr = [0.0], [0.0]
    for _ in range(_DRAWS):
        members, others = (rng.integers(0, distinct, int(rng.integers(20, 300))).astype(np.float64) for _ in range(2))
        auc.append(abs((area_under_curve(members, others) or 0.0) - _auc(members, others)))
        for fpr in _RATES:
            score = threshold(others, fpr).score
            tpr.append(abs(float((members > score).mean()) - _tpr(members, others, fpr)))
    return max(auc), max(tpr)


def _auc(members: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Every pair looked at."""
    halves = sum(2 * (m > o) + (m == o) for m in members.tolist() for o in others.tolist())
    return float(halves / (2 * len(members) * len(others)))


def _tpr(members: NDArray[np.float64], others: NDArray[np.float64], fpr: float) -> float:
    """The best of all thresholds that let through no more than allowed."""
    allowed = fpr * len(others) + 1e-9
    limits = [limit for limit in others.tolist() if sum(other > limit for other in others.tolist()) <= allowed]
    taken: list[int] = [sum(member > limit for member in members.tolist()) for limit in limits]
    return max(taken) / len(members)


def _off_exact_sums(rng: np.random.Generator) -> float:
    """Largest difference of the ends of one interval, of random rows, hits and level."""
    total = int(rng.integers(1, _MOST_ROWS))
    hits = int(rng.integers(0, total + 1))
    level = float(rng.choice([0.8, 0.9, 0.95, 0.99]))
    tail = (1 - Fraction(str(level))) / 2
    low = Fraction(0) if hits == 0 else _bisect(lambda p: _at_least(hits, total, p) > tail)
    high = Fraction(1) if hits == total else _bisect(lambda p: 1 - _at_least(hits + 1, total, p) < tail)
    found = clopper_pearson(hits / total, total, level)
    return max(abs(found[0] - float(low)), abs(found[1] - float(high)))


def _at_least(hits: int, total: int, p: Fraction) -> Fraction:
    """P(X ≥ hits) of a binomial, summed in whole numbers: p has a power of two below."""
    above, below = p.numerator, p.denominator
    summed = sum(comb(total, k) * above**k * (below - above) ** (total - k) for k in range(hits, total + 1))
    return Fraction(summed, below**total)


def _bisect(is_beyond: Callable[[Fraction], bool]) -> Fraction:
    """Where a rising truth begins to hold, between 0 and 1."""
    low, high = Fraction(0), Fraction(1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return (low + high) / 2


if __name__ == "__main__":
    conclude("privacy_roc", rows())
