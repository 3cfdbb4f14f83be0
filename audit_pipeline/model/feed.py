"""Rows as a model takes them: one array, or one for each of its inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def feed(model: Any, x: NDArray[np.float32]) -> Any:
    """Cut rows into the model's inputs.

    Args:
        model: a tf_keras model.
        x: [rows, *input_shape]; for several inputs [rows, total], their values one after the other in its order.

    Returns:
        x itself, or a list of arrays [rows, *shape].
    """
    arrays = feeds(model, x)
    return arrays[0] if len(arrays) == 1 else arrays


def feeds(model: Any, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The same, as a list also where there is one input."""
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if len(shapes) == 1:
        return [x]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    parts = np.split(x, ends[:-1], axis=1)
    return [np.ascontiguousarray(part.reshape(len(x), *shape)) for part, shape in zip(parts, shapes, strict=True)]
