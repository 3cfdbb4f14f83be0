"""The lines of the picture: what each says, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit_pipeline.measurement import Measured, Measurement, Outcome
from audit_pipeline.report.wording import brief

_ROOM = 0.04
"""Part of the values' span kept free beyond a limit, so that its shade can be seen."""
_MOST_STEPS = 6


@dataclass(frozen=True)
class Bar:
    """One line of the picture."""

    label: str
    note: str
    """Small print under the label: what stands behind the number."""
    numbers: str
    before: Measurement | None
    after: Measurement
    limit: float | None
    """Value at which the policy's limit lies; the side beyond it is shaded."""
    higher_is_better: bool
    outcome: Outcome | None
    strong: bool = False
    """Whether the line is a reference that the others are read against, as overall is."""


@dataclass(frozen=True)
class Frame:
    """Widths and heights of a picture, in pixels of its own coordinates."""

    left: int
    plot: int
    right: int
    line: int
    """Height of one line."""
    label_cells: int
    """Characters a label may have before it is shortened."""
    stacked: bool
    """Whether the words stand above their line, for narrow screens, instead of beside it."""

    @property
    def rise(self) -> int:
        """How far the marks lie below the middle of their line."""
        return 12 if self.stacked else 0


WIDE = Frame(left=266, plot=376, right=238, line=34, label_cells=35, stacked=False)
NARROW = Frame(left=8, plot=344, right=8, line=62, label_cells=32, stacked=True)


@dataclass(frozen=True)
class Axis:
    """The horizontal axis: its ends and marks as whole multiples of a step."""

    first: int
    last: int
    step: float
    every: int = 1
    """Steps from one mark to the next."""

    @property
    def domain(self) -> tuple[float, float]:
        """Values at the ends."""
        return _rounded(self.first * self.step), _rounded(self.last * self.step)

    @property
    def marks(self) -> list[float]:
        """Values that are written below."""
        return [_rounded(number * self.step) for number in range(self.first, self.last + 1, self.every)]


WHOLE = Axis(0, 10, 0.1, 2)
"""All that a share can be."""


def share_axis(bars: Sequence[Bar]) -> Axis:
    """The tenths around every value, interval and limit of shares: 0.2 apart at least, and never beyond 0 and 1."""
    values = _values(bars)
    low = min(max(0, math.floor(_rounded(min(values, default=0.0) * 10))), 9)
    high = max(min(10, math.ceil(_rounded(max(values, default=1.0) * 10))), 1)
    if high - low < 2:
        low, high = max(0, high - 2), min(10, low + 2)
    every = next(every for every, most in ((1, 2), (2, 8), (4, 10)) if high - low <= most)
    return Axis(low * 2, high * 2, 0.05, every)


def data_axis(bars: Sequence[Bar]) -> Axis:
    """Round steps around every value, interval and limit, wherever they lie."""
    return axis_over(_values(bars) or [0.0])


def axis_over(values: Sequence[float], most: int = _MOST_STEPS) -> Axis:
    """Round steps (1, 2 or 5 times a power of ten) around some values, one at least; about as many steps as `most`."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(factor * power for factor in (1, 2, 5, 10) if span <= factor * power * most)
    first, last = math.floor(_rounded(low / step)), math.ceil(_rounded(high / step))
    return Axis(first, max(last, first + 1), step)


def _rounded(value: float) -> float:
    """Without the last digits, which are not the data's but those of adding tenths."""
    return float(f"{value:.12g}")


def _values(bars: Sequence[Bar]) -> list[float]:
    values = [value for bar in bars for value in _values_of(bar)]
    room = _ROOM * (max(values) - min(values)) if values else 0.0
    for bar in bars:
        if bar.limit is not None:
            values.append(bar.limit - room if bar.higher_is_better else bar.limit + room)
    return values


def _values_of(bar: Bar) -> list[float]:
    values = [] if bar.limit is None else [bar.limit]
    for measurement in (bar.before, bar.after):
        if isinstance(measurement, Measured):
            values.append(measurement.estimate)
            values += [measurement.interval.low, measurement.interval.high] if measurement.interval else []
    return values


def plot_rows(bars: Sequence[Bar], axis: Axis, frame: Frame) -> list[dict[str, Any]]:
    """One record a bar, with its values, words and heights in pixels; what it has no value for is left out."""
    return [_row(bar, axis.domain, frame, index * frame.line + frame.line / 2) for index, bar in enumerate(bars)]


def _row(bar: Bar, domain: tuple[float, float], frame: Frame, y: float) -> dict[str, Any]:
    low, high = domain
    row: dict[str, Any] = {
        "label": brief(bar.label, frame.label_cells),
        "note": brief(bar.note, frame.label_cells + 6),
        "numbers": bar.numbers,
        "outcome": bar.outcome.value if bar.outcome else "none",
        "verdict": bar.outcome.value if bar.outcome else "",
        "weight": "bold" if bar.strong else "normal",
        "y": y + frame.rise,
        "top": y + frame.rise - 12,
        "bottom": y + frame.rise + 12,
        "upper": y + frame.rise - 5,
        "lower": y + frame.rise + 5,
        "first": y - (21 if frame.stacked else 6),
        "second": y - 7 if frame.stacked else y + 8,
    }
    if bar.limit is not None and low <= bar.limit <= high:
        row |= {"limit": bar.limit, "wall": low if bar.higher_is_better else high}
    for key, measurement in (("before", bar.before), ("after", bar.after)):
        if isinstance(measurement, Measured):
            row[key] = measurement.estimate
            if measurement.interval:
                row |= {f"{key}_low": measurement.interval.low, f"{key}_high": measurement.interval.high}
    return row
