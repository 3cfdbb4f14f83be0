"""The population as later stages see it: frozen arrays, one `Split` for each of train, calibration and evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import DataPart
from audit_pipeline.measurement import GroupKey
from audit_pipeline.predictions import Reading, Score, Task

SPLITS = ("train", "calibration", "evaluation")
"""The parts of a data set, in the order they are read and told."""

UNKNOWN = "unknown"
"""The group of rows whose group value is missing."""


@dataclass(frozen=True)
class Split:
    """Rows of one split. Arrays are read-only and share their first dimension."""

    x: NDArray[np.float32]
    """[rows, *input_shape] model inputs, finite; of a model with several, [rows, total] their values side by side."""
    y: NDArray[np.int64]
    """[rows] index into the manifest's classes; all 0 for a regression, which has none."""
    groups: Mapping[str, NDArray[np.str_]]
    """Group column → [rows] value, binned where the manifest says so, `unknown` where missing."""
    subjects: NDArray[np.str_] | None
    """[rows] the person each row came from; None where the manifest names no subject column."""
    target: NDArray[np.float64] | None = None
    """[rows] the value to predict, finite, in the manifest's unit; None unless the task is a regression."""

    def __len__(self) -> int:
        """Rows of the split."""
        return len(self.y)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Split:
        """The split of these rows alone, by number or by mask."""
        return Split(
            x=self.x[rows],
            y=self.y[rows],
            groups={column: values[rows] for column, values in self.groups.items()},
            subjects=None if self.subjects is None else self.subjects[rows],
            target=None if self.target is None else self.target[rows],
        )

    def members(self, spec: str) -> list[tuple[GroupKey, NDArray[np.bool_]]]:
        """Cut the split by a group spec: `overall`, a column, or columns joined by `*`.

        Returns:
            The groups that hold rows, in order of their values, each with its [rows] mask. Every row is in one.

        Raises:
            InputError: a column that the data do not have.
        """
        if spec == "overall":
            return [(GroupKey(), np.ones(len(self), dtype=bool))]
        by = tuple(spec.split("*"))
        for column in by:
            if column not in self.groups:
                raise unknown_column(column, spec, self.groups)
        kinds, codes = zip(*(np.unique(self.groups[column], return_inverse=True) for column in by), strict=True)
        shape = tuple(len(values) for values in kinds)
        cell = np.ravel_multi_index(codes, shape)
        return [
            (GroupKey(by=by, values=tuple(str(v[i]) for v, i in zip(kinds, at, strict=True))), cell == number)
            for number in np.unique(cell)
            for at in [np.unravel_index(number, shape)]
        ]


@dataclass(frozen=True)
class Development:
    """What a model may be made from: the task and the two splits that judge nobody.

    Compression and its search get this and never a `Population`: what they cannot see they cannot choose by.
    """

    part: DataPart
    train: Split
    calibration: Split

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; `Split.y` indexes them. Of an anomaly, normal comes first; a regression has none."""
        return self.part.classes

    @property
    def alarm_classes(self) -> tuple[str, ...]:
        """Classes that raise an alarm on the device."""
        return self.part.alarm_classes

    @property
    def task(self) -> Task:
        """What a model of these data is for."""
        return Task(self.part.task)

    @property
    def threshold(self) -> float | None:
        """Score above which a row is of the second class; None where the highest score decides."""
        return self.part.threshold

    @property
    def score(self) -> Score:
        """Where an anomaly score comes from."""
        return Score(self.part.score)

    @property
    def unit(self) -> str | None:
        """Unit of a regression's labels; None where the manifest names none."""
        return self.part.unit

    @property
    def row_seconds(self) -> float | None:
        """Time that a row covers, in seconds; None where the manifest does not say."""
        return self.part.row_seconds

    @property
    def class_weights(self) -> Mapping[str, float] | None:
        """How much a row of each class counts in training; None where all count the same."""
        return self.part.class_weights

    @property
    def reading(self) -> Reading:
        """How a model's outputs are to be read."""
        return Reading(self.task, self.threshold, self.score)


@dataclass(frozen=True)
class Population(Development):
    """A data set that was checked: its task, its splits and what may be said about it in evidence."""

    evaluation: Split

    @property
    def development(self) -> Development:
        """Everything but the evaluation split."""
        return Development(self.part, self.train, self.calibration)


def unknown_column(column: str, spec: str, columns: Iterable[str]) -> InputError:
    """The error for a group spec that names a column which the data do not have."""
    return InputError(
        "data.unknown-group",
        f"the data have no group column {column!r}",
        where=f"groups: {spec}",
        hint=f"the manifest's group columns are {', '.join(columns) or 'none'}",
    )


def split_digest(split: Split) -> str:
    """Digest of a split's rows, labels, groups and people."""
    arrays: dict[str, NDArray[Any] | None] = {
        "x": split.x,
        "y": split.y,
        "subjects": split.subjects,
        "target": split.target,
        **{f"group {name}": values for name, values in split.groups.items()},
    }
    return sha256_hex(canonical_json({name: _array(array) for name, array in arrays.items() if array is not None}))


def _array(array: NDArray[Any]) -> list[Any]:
    return [array.dtype.str, list(array.shape), sha256_hex(array.tobytes())]
