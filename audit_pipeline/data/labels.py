"""Labels: indices into the manifest's classes, or the values that a regression predicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.values import Values
from audit_pipeline.spelling import did_you_mean

_WHOLE = re.compile(r"[0-9]+")


def class_indices(labels: Values, classes: Sequence[str]) -> NDArray[np.int64]:
    """[rows] index into classes.

    A label is a class's name or its index. Where a class is itself named by a whole number, every label is a name:
    among classes 1, 2, 3 the label 1 is the first class, not the second.

    Raises:
        ValueError: a label is missing or is none of the classes; says which row has it.
    """
    by_text = {name: index for index, name in enumerate(classes)}
    if not any(_WHOLE.fullmatch(name) for name in classes):
        by_text |= {str(index): index for index in range(len(classes))}
    for kind in labels.kinds:
        if kind is None:
            raise ValueError(f"row {labels.row_of(None)} has no label")
        if kind not in by_text:
            allowed = f"; allowed are {', '.join(classes)}, or their indices from 0"
            hint = did_you_mean(kind, classes) or allowed
            raise ValueError(f"row {labels.row_of(kind)} has the label {kind[:40]}{hint}")
    return np.asarray([by_text[str(kind)] for kind in labels.kinds], dtype=np.int64)[labels.which]


def target_values(labels: NDArray[Any]) -> NDArray[np.float64]:
    """[rows] the value to predict.

    Args:
        labels: numbers as the file holds them; NaN where one is missing.

    Raises:
        ValueError: there is not one a row, or one is missing, infinite or beyond float32; says which row has it.
    """
    if labels.ndim != 1:
        raise ValueError(f"it has shape {labels.shape}, but must have one value a row")
    target = labels.astype(np.float64)
    with np.errstate(over="ignore"):  # no model can give what float32 cannot hold
        bad = np.flatnonzero(~np.isfinite(target.astype(np.float32)))
    if len(bad):
        row = int(bad[0])
        what = "has no label" if np.isnan(target[row]) else f"has the label {target[row]:g}, which is beyond float32"
        raise ValueError(f"row {row} {what} ({len(bad)} such row{'s' if len(bad) > 1 else ''})")
    return target
