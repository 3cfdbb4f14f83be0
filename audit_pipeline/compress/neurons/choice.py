"""Which units go: those that matter least, the same share of every family or of all units together."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.neurons.channels import Wiring

Scope = Literal["layer", "model"]


def choose(wiring: Wiring, scores: NDArray[np.float64], ratio: float, scope: Scope) -> NDArray[np.bool_]:
    """Mark the units that go; every family keeps its best.

    Args:
        wiring: with the families.
        scores: [units] how much each matters; equal ones go in the order of their numbers.
        ratio: share that goes, rounded to the nearest whole unit.
        scope: whether it is a share of each family or of all units.

    Returns:
        [units].
    """
    gone = np.zeros(wiring.units, dtype=bool)
    ordered = [family.units[np.argsort(scores[family.units], kind="stable")] for family in wiring.families]
    if scope == "layer":
        for units in ordered:
            gone[units[:-1][: _share(ratio, len(units))]] = True
        return gone
    best = {int(units[-1]) for units in ordered}
    able = [unit for unit in np.argsort(scores, kind="stable").tolist() if unit not in best]
    gone[able[: _share(ratio, wiring.units)]] = True
    return gone


def _share(ratio: float, count: int) -> int:
    return int(ratio * count + 0.5)
