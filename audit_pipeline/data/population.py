"""The population as later stages see it: frozen arrays, one `Split` for each of train, calibration and evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evidence import DataPart, GroupKey

UNKNOWN = "unknown"
"""The group of rows whose group value is missing."""


@dataclass(frozen=True)
class Split:
    """Rows of one split. Arrays are read-only and share their first dimension."""

    x: NDArray[np.float32]
    """[rows, *input_shape] model inputs, finite."""
    y: NDArray[np.int64]
    """[rows] index into the manifest's classes."""
    groups: Mapping[str, NDArray[np.str_]]
    """Group column → [rows] value, binned where the manifest says so, `unknown` where missing."""
    subjects: NDArray[np.str_] | None
    """[rows] the person each row came from; None where the manifest names no subject column."""

    def __len__(self) -> int:
        """Rows of the split."""
        return len(self.y)

    def members(self, spec: str) -> list[tuple[GroupKey, NDArray[np.bool_]]]:
        """Cut the split by a group spec: `overall`, a column, or columns joined by `*`.

        Returns:
            The groups that hold rows, in order of their values, each with its [rows] mask. Every row is in one.
        """
        if spec == "overall":
            return [(GroupKey(), np.ones(len(self), dtype=bool))]
        by = tuple(spec.split("*"))
        values = np.stack([self.groups[column] for column in by], axis=1)
        kinds, which = np.unique(values, axis=0, return_inverse=True)
        which = which.reshape(-1)
        return [
            (GroupKey(by=by, values=tuple(str(v) for v in kind)), which == number) for number, kind in enumerate(kinds)
        ]


@dataclass(frozen=True)
class Population:
    """A data set that was checked: classes, splits and what may be said about it in evidence."""

    part: DataPart
    train: Split
    calibration: Split
    evaluation: Split

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; `Split.y` indexes them."""
        return self.part.classes

    @property
    def alarm_classes(self) -> tuple[str, ...]:
        """Classes that raise an alarm on the device."""
        return self.part.alarm_classes
