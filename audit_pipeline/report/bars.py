"""The lines of the picture: what each says, and where it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit_pipeline.measurement import Measured, Measurement, Outcome
from audit_pipeline.report.wording import one_line, shortened

_ROOM = 0.02
"""Part of the axis kept free beyond a limit, so that its shade can be seen."""


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


def axis_of(bars: Sequence[Bar], *, whole: bool) -> tuple[float, float]:
    """The ends of the axis: 0 and 1, or the tenths around every value, interval and limit, 0.2 apart at least."""
    if whole:
        return 0.0, 1.0
    values = [value for bar in bars for value in _values(bar)]
    low = min(max(0.0, math.floor(min(values, default=0.0) * 10) / 10), 0.9)
    high = max(min(1.0, math.ceil(max(values, default=1.0) * 10) / 10), 0.1)
    return (low, high) if high - low > 0.15 else (max(0.0, high - 0.2), min(1.0, low + 0.2))


def _values(bar: Bar) -> list[float]:
    values = [] if bar.limit is None else [bar.limit, bar.limit - _ROOM if bar.higher_is_better else bar.limit + _ROOM]
    for measurement in (bar.before, bar.after):
        if isinstance(measurement, Measured):
            values.append(measurement.estimate)
            values += [measurement.interval.low, measurement.interval.high] if measurement.interval else []
    return values


def plot_rows(bars: Sequence[Bar], domain: tuple[float, float], frame: Frame) -> list[dict[str, Any]]:
    """One record a bar, with its values, words and heights in pixels; what it has no value for is left out."""
    return [_row(bar, domain, frame, index * frame.line + frame.line / 2) for index, bar in enumerate(bars)]


def _row(bar: Bar, domain: tuple[float, float], frame: Frame, y: float) -> dict[str, Any]:
    low, high = domain
    row: dict[str, Any] = {
        "label": shortened(one_line(bar.label), frame.label_cells),
        "note": shortened(one_line(bar.note), frame.label_cells + 6),
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
