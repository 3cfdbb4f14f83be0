"""p-values adjusted for how many questions one policy asks.

Why this method, and not a bootstrap of the largest statistic, is docs/adr/0009-one-family.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def holm(p_values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Step-down adjusted p-values of Holm (1979), Scand. J. Stat. 6:65.

    Rejecting where the adjusted value is at most α keeps the chance of any false rejection at or below α, however the
    questions depend on one another. The k-th smallest of m is multiplied by m − k + 1; none falls below one before it.

    Args:
        p_values: [questions] between 0 and 1, in any order; may be empty.

    Returns:
        [questions] adjusted, at most 1, in the same order.
    """
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)), 1.0)
    return adjusted
