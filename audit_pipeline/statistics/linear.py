"""The interval of any smooth metric, from how much each row moves it.

To first order an estimate less the truth is the mean of the rows' influence (Hampel 1974), so its variance is that of a
mean, and rows of one person are treated as they are for a share (`design_effect.py`). What differs is how the interval
is laid around the value, which depends on where the metric lives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from audit_pipeline.statistics.design_effect import (
    CHANGE_CORRELATION,
    INDEPENDENT,
    OUTCOME_CORRELATION,
    Contributions,
    DesignEffect,
    design_effect,
)
from audit_pipeline.statistics.estimate import z_of
from audit_pipeline.statistics.intervals import named_method, share_interval
from audit_pipeline.statistics.paired_share import tango

Range = Literal["share", "difference", "positive", "real"]
"""Where a metric lives: 0 to 1, −1 to 1 (a difference of two such), 0 and above, or anywhere."""

_METHODS: dict[Range, str] = {
    "share": "influence of rows, three-quarter P at its variance",
    "difference": "influence of rows, Tango 1998 at its variance",
    "positive": "influence of rows, Student's t on the log scale",
    "real": "influence of rows, Student's t",
}
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Linear:
    """An estimate whose error is, to first order, a mean over rows."""

    value: float
    rows: int
    """All rows behind it."""
    subjects: int | None
    range: Range
    variance: float
    """Of the value, were all rows independent."""
    moving: int
    """Rows whose influence is not zero, or where there is none of these, the scarce ones."""
    scarce: int
    """One unseen row can move the value by at most 1 / scarce."""
    rows_a_person: float
    """Σn² / Σn over the people's moving rows (Kish 1965)."""
    effect: DesignEffect
    bias: tuple[float, float] = (0.0, 0.0)
    """By how much chance alone raises and lowers the value on average, at most, were all rows independent."""

    @property
    def method(self) -> str:
        """How the interval is made."""
        return named_method(_METHODS[self.range], self.subjects is not None)

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval at a level between 0 and 1."""
        factor = self.effect.at(level)
        if self.range == "share":
            low, high = share_interval(self.value, self.variance * factor, self._step(factor), level)
            return self._unbiased(low, high, factor, least=0.0)
        if self.range == "difference":
            low, high = self._of_difference(self.variance * factor, self._step(factor), z_of(level))
            return self._unbiased(low, high, factor, least=-1.0)
        return self._by_t(factor, level)

    def _unbiased(self, low: float, high: float, factor: float, least: float) -> tuple[float, float]:
        """Each end further out by what chance may have moved the value its way; bias grows like a standard error."""
        raised, lowered = (each * math.sqrt(factor) for each in self.bias)
        return max(low - raised, least), min(high + lowered, 1.0)

    def _step(self, factor: float) -> float:
        """1 / scarce by its own design effect: scarce rows are fewer a person, at the same correlation."""
        if self.rows_a_person <= 1:
            return 1 / self.scarce
        each = max(self.rows_a_person * self.scarce / self.moving, 1.0)
        return (1 + (factor - 1) * (each - 1) / (self.rows_a_person - 1)) / self.scarce

    def _of_difference(self, variance: float, step: float, z: float) -> tuple[float, float]:
        """Tango's interval of a paired share with this value and variance, each changed row moving it by one step."""
        rows = min(1 / step, (1 - self.value**2) / variance) if variance > 0 else 1 / step
        changed = min(max(variance * rows + self.value**2, abs(self.value)), 1.0)
        return tango((changed + self.value) / 2, (changed - self.value) / 2, rows, z)

    def _by_t(self, factor: float, level: float) -> tuple[float, float]:
        """Without any variation, rows of a positive metric are taken to scatter as much as they measure."""
        freedom = max((self.subjects or self.moving) - 1, 1)
        half = math.sqrt(self.variance * factor) * float(stdtrit(freedom, (1 + level) / 2))
        if self.range == "real":
            return self.value - half, self.value + half
        if self.value <= 0:
            return 0.0, half
        log_half = half / self.value if half > 0 else z_of(level) * math.sqrt(factor / self.moving)
        return self.value * math.exp(-log_half), self.value * math.exp(log_half)


def linear(
    value: float,
    influence: NDArray[np.float64],
    weights: NDArray[np.int64],
    people: NDArray[np.int64],
    *,
    named: bool,
    range: Range,  # noqa: A002 - the mathematical term
    scarce: int,
    bias: tuple[float, float] = (0.0, 0.0),
    correlation: float | None = None,
) -> Linear:
    """Build a `Linear` from cells of equal rows.

    Rows whose influence is zero stay out of the design effect: they do not bear on the metric.

    Args:
        value: the point estimate.
        influence: [cells] n times what one row adds to value − truth, n being all rows; its mean over rows is 0.
        weights: [cells] rows, at least 1.
        people: [cells] number of the person; ignored where people are not named.
        named: whether people are named.
        range: where the metric lives.
        scarce: rows of the scarcest denominator, at least 1; times the number of averaged parts for a macro average,
            as then one row moves the value by that much less.
        bias: by how much chance alone raises and lowers the value on average, at most, were all rows independent; for
            metrics that live in a bounded range.
        correlation: mean belief beforehand; None for that of outcomes or of changes, by the range.
    """
    rows = int(weights.sum())
    squares = weights * np.square(influence)
    moving = np.abs(influence) > _ROUNDING * np.abs(influence).max(initial=0.0)
    if not moving.any():
        moving = np.ones(len(weights), dtype=bool)
    codes = np.unique(people[moving], return_inverse=True)[1] if named else np.zeros(int(moving.sum()), dtype=np.int64)
    each = Contributions(
        sums=_sum(codes, (weights * influence)[moving]),
        squares=_sum(codes, squares[moving]),
        rows=_sum(codes, weights[moving].astype(np.float64)),
    )
    correlation = CHANGE_CORRELATION if range == "difference" else OUTCOME_CORRELATION
    return Linear(
        value=value,
        rows=rows,
        subjects=len(np.unique(people)) if named else None,
        range=range,
        variance=float(squares.sum()) / rows**2,
        moving=int(each.rows.sum()),
        scarce=scarce,
        rows_a_person=float(np.square(each.rows).sum() / each.rows.sum()) if named else 1.0,
        effect=design_effect(each, correlation) if named else INDEPENDENT,
        bias=bias,
    )


def _sum(codes: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(codes, values).astype(np.float64)
