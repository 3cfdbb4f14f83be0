"""The two conversions around the integer model, as firmware does them: floats to int8 and int8 to floats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.tflite import Tensor


def quantize_input(x: NDArray[np.float32], tensor: Tensor) -> NDArray[np.int8]:
    """The rows as the model's int8 input takes them: `quantize` with the tensor's scale and zero point."""
    return quantize(x, tensor.scales[0], tensor.zero_points[0])


def quantize(x: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[np.int8]:
    """Compute clamp(round(x / scale) + zero_point), rounded half away from zero.

    This is TFLite's reference kernel (reference/quantize.h, AffineQuantize): the division is in float32 and the
    rounding is C's `round`; NumPy's would take halves to the even number.

    Args:
        x: [rows, *shape] finite.
        scale: real = (q - zero_point) · scale.
        zero_point: likewise.

    Returns:
        [rows, *shape].
    """
    with np.errstate(over="ignore"):  # a value beyond float32 is beyond int8 as well
        scaled = (x.astype(np.float32, copy=False) / np.float32(scale)).astype(np.float64)
    rounded = np.trunc(scaled + np.copysign(0.5, scaled)) + zero_point
    return np.asarray(np.clip(rounded, -128, 127), dtype=np.int8)


def dequantize_output(q: NDArray[np.int8], tensor: Tensor) -> NDArray[np.float32]:
    """(q - zero_point) · scale in float32, element by element."""
    with np.errstate(over="ignore", invalid="ignore"):  # a scale without end gives NaN, which the evaluation refuses
        return (q.astype(np.int32) - tensor.zero_points[0]).astype(np.float32) * np.float32(tensor.scales[0])
