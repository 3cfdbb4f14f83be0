"""What every statistic can be asked: its value, its interval at any level, and so the p-value of any limit.

A p-value is found by inverting the interval: it is the tail probability at which the interval's end touches the limit.
An interval and a p-value made this way cannot contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from audit_pipeline.measurement import Interval, Measured

_WIDEST = 8.0
"""Standard normal deviate of the widest interval that is tried; p-values below 6·10⁻¹⁶ are given as that."""
_NARROWEST = 1e-6


class Estimate(Protocol):
    """A number measured on a sample, or the change of one between two models on the same rows."""

    @property
    def value(self) -> float:
        """The point estimate."""

    @property
    def rows(self) -> int:
        """Rows in the denominator, at least 1."""

    @property
    def subjects(self) -> int | None:
        """People behind those rows; None where they were not named."""

    @property
    def method(self) -> str:
        """How the interval is made, as evidence names it."""

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval at a level between 0 and 1."""


def measure(estimate: Estimate, level: float) -> Measured:
    """An estimate with its interval at a level, as evidence holds it."""
    low, high = estimate.bounds(level)
    return Measured(
        estimate=estimate.value,
        interval=Interval(low=low, high=high, level=level, method=estimate.method),
        rows=estimate.rows,
        subjects=estimate.subjects,
    )


def p_above(estimate: Estimate, limit: float) -> float:
    """One-sided p-value of "the truth is at most `limit`": small where the estimate lies surely above."""
    return _p_value(lambda z: estimate.bounds(_level(z))[0] - limit, estimate.value > limit)


def p_below(estimate: Estimate, limit: float) -> float:
    """One-sided p-value of "the truth is at least `limit`": small where the estimate lies surely below."""
    return _p_value(lambda z: limit - estimate.bounds(_level(z))[1], estimate.value < limit)


def _p_value(clearance: Callable[[float], float], is_beyond: bool) -> float:
    """Where the interval's end, which retreats as z grows, stops clearing the limit; at best one half without evidence.

    An estimate on the wrong side of its limit has a p-value above one half that no verdict needs: it is given as 1.
    """
    if not is_beyond:
        return 1.0
    if clearance(_NARROWEST) <= 0:
        return 0.5
    if clearance(_WIDEST) > 0:
        return float(ndtr(-_WIDEST))
    return float(ndtr(-brentq(clearance, _NARROWEST, _WIDEST, xtol=1e-6)))


def _level(z: float) -> float:
    return 1 - 2 * float(ndtr(-z))


def z_of(level: float) -> float:
    """Standard normal deviate of a two-sided level, exact also where the level is next to 1."""
    return -float(ndtri((1 - level) / 2))
