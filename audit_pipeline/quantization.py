"""The two conversions around the integer model, as firmware does them: floats to int8 or int16, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.tflite import Tensor

Integers = NDArray[np.signedinteger[Any]]
"""Values as the device has them, int8 or int16."""

_TYPES: dict[str, np.dtype[np.signedinteger[Any]]] = {"INT8": np.dtype(np.int8), "INT16": np.dtype(np.int16)}


def quantize_inputs(x: NDArray[np.float32], tensors: Sequence[Tensor]) -> Integers:
    """The rows as the model takes them: each input by its own scale and zero point.

    Args:
        x: [rows, *input_shape]; for several inputs [rows, total], their values one after the other.
        tensors: the model's inputs, in order.

    Returns:
        The shape of x.
    """
    if len(tensors) == 1:
        return quantize_input(x, tensors[0])
    ends = np.cumsum([tensor.elements for tensor in tensors])
    parts = np.split(x, ends[:-1], axis=1)
    return np.concatenate([quantize_input(part, each) for part, each in zip(parts, tensors, strict=True)], axis=1)


def quantize_input(x: NDArray[np.float32], tensor: Tensor) -> Integers:
    """The rows as one input takes them: `quantize` with the tensor's scale, zero point and type."""
    return quantize(x, tensor.scales[0], tensor.zero_points[0], integer_type(tensor))


def integer_type(tensor: Tensor) -> np.dtype[np.signedinteger[Any]]:
    """NumPy's type of a tensor of INT8 or INT16."""
    return _TYPES[tensor.dtype]


def quantize(
    x: NDArray[np.float32], scale: float, zero_point: int, kind: np.dtype[np.signedinteger[Any]] = _TYPES["INT8"]
) -> Integers:
    """Compute clamp(round(x / scale) + zero_point), rounded half away from zero.

    This is TFLite's reference kernel (reference/quantize.h, AffineQuantize): the division is in float32 and the
    rounding is C's `round`; NumPy's would take halves to the even number.

    Args:
        x: [rows, *shape] finite.
        scale: real = (q - zero_point) · scale.
        zero_point: likewise.
        kind: int8 or int16; values beyond it are clamped.

    Returns:
        [rows, *shape].
    """
    with np.errstate(over="ignore"):  # a value beyond float32 is beyond int16 as well
        scaled = (x.astype(np.float32, copy=False) / np.float32(scale)).astype(np.float64)
    rounded = np.trunc(scaled + np.copysign(0.5, scaled)) + zero_point
    return np.asarray(np.clip(rounded, np.iinfo(kind).min, np.iinfo(kind).max), dtype=kind)


def dequantize_output(q: Integers, tensor: Tensor) -> NDArray[np.float32]:
    """(q - zero_point) · scale in float32, element by element."""
    with np.errstate(over="ignore", invalid="ignore"):  # a scale without end gives NaN, which the evaluation refuses
        return (q.astype(np.int32) - tensor.zero_points[0]).astype(np.float32) * np.float32(tensor.scales[0])
