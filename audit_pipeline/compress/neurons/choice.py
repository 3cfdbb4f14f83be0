"""Which units go: those that matter least, the same share of every family or of all units together."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.neurons.channels import Wiring

Scope = Literal["layer", "model"]

_FLOOR = 0.75
"""Of what a family would keep under a ratio of its own, the share that it keeps in any case.

To first order the loss hardly needs any one unit of a wide layer, and cannot say that it needs them together. Without a
floor the last layers of the ECG example lost all but a handful of units and the model gave one answer to everybody,
fine-tuned or not (layer collapse: Tanaka et al. 2020); with this one it was smaller, and did so no more.
"""


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
    able = np.concatenate([units[: -_least(ratio, len(units))] for units in ordered])
    cheapest = able[np.lexsort((able, scores[able]))]
    gone[cheapest[: _share(ratio, wiring.units)]] = True
    return gone


def _least(ratio: float, count: int) -> int:
    """Units that a family of so many keeps wherever the rest of the model is cut."""
    return math.ceil(_FLOOR * (1 - ratio) * count)


def _share(ratio: float, count: int) -> int:
    return int(ratio * count + 0.5)
