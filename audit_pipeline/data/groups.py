"""Group values: as the column has them, or the bin that they fall into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import UNKNOWN
from audit_pipeline.data.values import Values

MOST_GROUPS = 1000
"""Groups of one column; beyond, it names people or measurements rather than groups of them."""


def group_values(column: Values, bins: Sequence[float] | None) -> NDArray[np.str_]:
    """[rows] the group of each row; `unknown` where the value is missing.

    Raises:
        ValueError: a value is no number or lies outside all bins, or there are more than 1,000 groups.
    """
    spelling = [UNKNOWN if kind is None else _group(column, kind, bins) for kind in column.kinds]
    if len(set(spelling)) > MOST_GROUPS:
        raise ValueError(f"{len(set(spelling))} different values, more than {MOST_GROUPS}: give bins")
    return column.texts(spelling)


def _group(column: Values, kind: str, bins: Sequence[float] | None) -> str:
    if bins is None:
        return kind
    try:
        number = float(kind)
    except ValueError:
        raise ValueError(f"row {column.row_of(kind)} has {kind[:40]}, which is no number to put in a bin") from None
    if not bins[0] <= number < bins[-1]:
        place = f"outside of the bins from {bins[0]:g} up to, not including, {bins[-1]:g}"
        raise ValueError(f"row {column.row_of(kind)} has {kind}, {place}")
    index = int(np.searchsorted(bins, number, side="right"))
    return bin_label(bins[index - 1], bins[index], whole=all(edge >= 0 and edge == int(edge) for edge in bins))


def bin_label(low: float, high: float, *, whole: bool) -> str:
    """A half-open bin [low, high) as people read it: `45-64` between whole numbers, else `[0.5, 1)`."""
    if not whole:
        return f"[{low:g}, {high:g})"
    first, last = int(low), int(high) - 1
    return f"{first}-{last}" if first < last else str(first)
