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
    spec = "*".join(sorted(split.groups)) or "overall"
    strata = np.empty(len(split), dtype=np.int64)
    for number, (_, inside) in enumerate(split.members(spec)):
        strata[inside] = number
    return draw_evenly(strata, rows, seed)


def draw_evenly(strata: NDArray[np.int64], rows: int, seed: int) -> NDArray[np.int64]:
    """Draw rows without replacement, the same number from each stratum as far as it has them.

    Args:
        strata: [all rows] number of each row's stratum.
        rows: how many to draw; all where there are no more.
        seed: of the draw.

    Returns:
        Row numbers, ascending.
    """
    if rows >= len(strata):
        return np.arange(len(strata), dtype=np.int64)
    random = np.random.default_rng(seed)
    members = [random.permutation(np.flatnonzero(strata == number)) for number in np.unique(strata)]
    # The n-th row of every stratum comes before the (n+1)-th of any; ties in an order drawn once.
    turn = np.concatenate([np.arange(len(stratum)) for stratum in members])
    order = np.concatenate(
        [np.full(len(s), place) for s, place in zip(members, random.permutation(len(members)), strict=True)]
    )
    chosen = np.lexsort((order, turn))[:rows]
    return np.sort(np.concatenate(members)[chosen]).astype(np.int64)
