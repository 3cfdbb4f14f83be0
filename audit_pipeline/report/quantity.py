"""Measured numbers in the unit of their metric: shares to three decimals, all others to three digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from audit_pipeline.evidence import DataPart
from audit_pipeline.measurement import Interval, Measured, Measurement, MetricKey, Scale
from audit_pipeline.report.wording import brief, proportion, with_minus

_UNIT_CELLS = 20


@dataclass(frozen=True)
class Quantity:
    """How the values of one metric are written."""

    scale: Scale = Scale.SHARE
    unit: str = ""
    """Stands behind a value; empty for shares, and where the metric's own name or nothing says it."""

    @property
    def caption(self) -> str:
        """The unit as a phrase, for the head of a table: ` in mmHg`; empty where the metric's name says it."""
        if self.scale is not Scale.LABEL:
            return ""
        return f" in {self.unit}" if self.unit else " in the unit of the labels"

    def value(self, value: float) -> str:
        """A value."""
        return proportion(value) if self.scale is Scale.SHARE else self._digits(value, abs(value))

    def range(self, interval: Interval | None) -> str:
        """An interval of values; empty where there is none."""
        return self._range(interval)

    def change(self, value: float) -> str:
        """A difference of two values, with its sign."""
        return self._digits(value, abs(value), sign="+")

    def change_range(self, interval: Interval | None) -> str:
        """An interval of a difference; empty where there is none."""
        return self._range(interval, sign="+")

    def brief(self, measurement: Measurement | None) -> str:
        """A measurement in the fewest words: its estimate, or that there is none."""
        if measurement is None:
            return "–"
        return self.value(measurement.estimate) if isinstance(measurement, Measured) else "not measurable"

    def with_unit(self, words: str) -> str:
        """A value with its unit behind it."""
        return f"{words} {self.unit}" if self.unit else words

    def _range(self, interval: Interval | None, sign: str = "") -> str:
        if interval is None:
            return ""
        largest = max(abs(interval.low), abs(interval.high))
        return f"{self._digits(interval.low, largest, sign)} to {self._digits(interval.high, largest, sign)}"

    def _digits(self, value: float, largest: float, sign: str = "") -> str:
        """As many decimals as the largest number beside it needs for its digits."""
        if self.scale is Scale.SHARE:
            return with_minus(f"{value:{sign}.3f}")
        exponent = math.floor(math.log10(largest)) if largest else 0
        if not -6 <= exponent <= 8:
            return with_minus(f"{value:{sign}.2e}")
        return with_minus(f"{value:{sign},.{max(2 - exponent, 0)}f}")


SHARES = Quantity()
"""Shares of rows, and every other number between 0 and 1."""


def quantity_of(data: DataPart, metric: MetricKey) -> Quantity:
    """How a metric's values are written, given what the data set says of its labels."""
    is_labelled = metric.scale is Scale.LABEL and data.unit is not None
    return Quantity(metric.scale, brief(data.unit or "", _UNIT_CELLS) if is_labelled else "")
