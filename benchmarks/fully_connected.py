"""FULLY_CONNECTED in int8 as TFLite defines it, in NumPy: an oracle for graphs that LiteRT rounds otherwise.

Jacob et al. 2018, section 2.3, and gemmlowp's fixedpoint.h: an int32 sum is multiplied by a 31-bit fixed-point number,
rounding to nearest (SaturatingRoundingDoublingHighMul), then shifted, rounding half away from zero
(RoundingDivideByPOT). LiteRT 2.3 does both in one rounding; tflite-micro does both, one after the other.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.tflite import Operator, Tensor, read_graph

_RELU = 1


def run_dense(tflite: bytes, q: NDArray[np.int8]) -> NDArray[np.int8]:
    """Outputs of a graph that holds nothing but FULLY_CONNECTED.

    Args:
        tflite: an int8 model.
        q: [rows, inputs].

    Returns:
        [rows, units].
    """
    from ai_edge_litert.interpreter import Interpreter

    constants = Interpreter(model_content=tflite)
    main = read_graph(tflite).main
    for operator in main.operators:
        assert operator.name == "FULLY_CONNECTED", operator.name
        weights, bias = (constants.get_tensor(index).astype(np.int64) for index in operator.inputs[1:3])
        source, kernel, result = (main.tensors[i] for i in (*operator.inputs[:2], operator.outputs[0]))
        sums = (q.astype(np.int64) - source.zero_points[0]) @ weights.T + bias
        q = _requantized(sums, _multipliers(source, kernel, result), result.zero_points[0], operator)
    return q


def _multipliers(source: Tensor, kernel: Tensor, result: Tensor) -> list[float]:
    return [float(np.float64(source.scales[0]) * scale / result.scales[0]) for scale in kernel.scales]


def _requantized(
    sums: NDArray[np.int64], multipliers: list[float], zero_point: int, operator: Operator
) -> NDArray[np.int8]:
    scaled = np.empty_like(sums)
    each = multipliers * (sums.shape[1] // len(multipliers))
    for unit, multiplier in enumerate(each):
        mantissa, exponent = math.frexp(multiplier)
        scaled[:, unit] = _shifted(_high_product(sums[:, unit] << max(exponent, 0), round(mantissa * 2**31)), -exponent)
    lowest = zero_point if operator.options.fusedActivationFunction == _RELU else -128
    return np.clip(scaled + zero_point, lowest, 127).astype(np.int8)


def _high_product(a: NDArray[np.int64], b: int) -> NDArray[np.int64]:
    """Upper half of the doubled product, rounded to nearest."""
    product = a * b
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    return np.sign(nudged) * (np.abs(nudged) >> 31)


def _shifted(a: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Division by a power of two, rounding half away from zero."""
    if bits <= 0:
        return a
    mask = (1 << bits) - 1
    return (a >> bits) + ((a & mask) > (mask >> 1) + (a < 0))
