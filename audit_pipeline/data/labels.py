"""Labels as indices into the manifest's classes."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
