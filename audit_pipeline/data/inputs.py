"""Model inputs: the feature columns of a split as one array of float32, the values of several inputs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evidence import InputPart


def match_features(features: str | tuple[str, ...], names: Sequence[str]) -> list[str]:
    """The columns that the manifest's `features` stands for, in the file's order if it is a pattern.

    Returns:
        Those that exist; of a list, also the ones that do not.
    """
    if not isinstance(features, str):
        return list(features)
    return [features] if features in names else [name for name in names if fnmatchcase(name, features)]


def stack_inputs(columns: Sequence[NDArray[Any]], shape: tuple[int, ...] | None) -> NDArray[np.float32]:
    """One array [rows, *shape] of the model's inputs.

    Args:
        columns: one array [rows, ...], or several [rows] that become the values of a row.
        shape: what each row is reshaped to; None leaves it.

    Raises:
        ValueError: the columns do not fit together or the shape, or a value is not finite; says which row.
    """
    x = columns[0] if len(columns) == 1 and columns[0].ndim > 1 else _stacked(columns)
    size = int(np.prod(x.shape[1:]))
    if shape is not None and size != np.prod(shape):
        raise ValueError(f"a row holds {size} values, the shape {_times(shape)} takes {int(np.prod(shape))}")
    if size == 0:
        raise ValueError("a row holds no value")
    with np.errstate(over="ignore"):
        inputs = np.ascontiguousarray(x.reshape(len(x), *(shape or x.shape[1:])), dtype=np.float32)
    finite = np.isfinite(inputs).all(axis=tuple(range(1, inputs.ndim)))
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise ValueError(
            f"row {bad[0]} holds a value that is missing, infinite or beyond float32 ({len(bad)} such rows)"
        )
    return inputs


def side_by_side(inputs: Mapping[str, NDArray[np.float32]]) -> tuple[NDArray[np.float32], tuple[InputPart, ...]]:
    """Several inputs as one array.

    Args:
        inputs: [rows, *shape] of each, by its name.

    Returns:
        [rows, total] their values one after the other, and what they are.
    """
    flat = [rows.reshape(len(rows), -1) for rows in inputs.values()]
    parts = tuple(InputPart(name=name, shape=rows.shape[1:]) for name, rows in inputs.items())
    return np.concatenate(flat, axis=1), parts


def _stacked(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if any(column.ndim != 1 for column in columns):
        raise ValueError("several arrays of features must have one value a row each")
    if len({len(column) for column in columns}) > 1:
        raise ValueError(f"arrays of features differ in length: {', '.join(str(len(column)) for column in columns)}")
    return np.stack(columns, axis=1)


def _times(shape: Sequence[int]) -> str:
    return "×".join(str(length) for length in shape)
