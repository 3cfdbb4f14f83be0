"""An estimate in another unit: events a row as events an hour."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.statistics.estimate import Estimate


@dataclass(frozen=True)
class Scaled:
    """An `Estimate` times a factor above 0."""

    estimate: Estimate
    factor: float

    @property
    def value(self) -> float:
        """The point estimate in the new unit."""
        return self.estimate.value * self.factor

    @property
    def rows(self) -> int:
        """Rows in the denominator."""
        return self.estimate.rows

    @property
    def subjects(self) -> int | None:
        """People behind those rows; None where they were not named."""
        return self.estimate.subjects

    @property
    def method(self) -> str:
        """How the interval is made."""
        return self.estimate.method

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval at a level between 0 and 1."""
        low, high = self.estimate.bounds(level)
        return low * self.factor, high * self.factor
