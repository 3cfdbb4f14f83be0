"""Drawing rows evenly over groups: for calibration, and for the sample that shows whose arithmetic was used.

A simple random draw would hold as few rows of a minority as the population does, and the ranges an int8 model is
calibrated to would be the majority's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split


def stratified_sample(split: Split, rows: int, seed: int) -> NDArray[np.int64]:
    """Draw rows without replacement, the same number from each intersection of all group columns.

    Where an intersection has fewer rows than its share, all of them are taken and the others share what is left.

    Args:
        split: where to draw from.
        rows: how many; all rows where the split has no more.
        seed: of the draw.

    Returns:
        Row numbers, ascending.
    """
    if rows >= len(split):
        return np.arange(len(split), dtype=np.int64)
    random = np.random.default_rng(seed)
    spec = "*".join(sorted(split.groups)) or "overall"
    strata = [random.permutation(np.flatnonzero(inside)) for _, inside in split.members(spec)]
    # The n-th row of every stratum comes before the (n+1)-th of any; ties in an order drawn once.
    turn = np.concatenate([np.arange(len(stratum)) for stratum in strata])
    order = np.concatenate(
        [np.full(len(s), place) for s, place in zip(strata, random.permutation(len(strata)), strict=True)]
    )
    chosen = np.lexsort((order, turn))[:rows]
    return np.sort(np.concatenate(strata)[chosen]).astype(np.int64)
