"""Multiply-accumulates of one inference: the usual measure of its cost in time and energy.

Counted are the operators whose work is multiply-accumulates; additions, pooling and activations are not. With the
output [H, W, O] and a filter of h × w over I input channels (I / groups for a grouped convolution), a convolution
takes H·W·O·h·w·I; the others follow the same rule and are given at each function.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from audit_pipeline.tflite import Graph, Operator, Subgraph, Tensor

_Inputs = list[Tensor]


def count_macs(graph: Graph) -> int:
    """Multiply-accumulates of one run of every subgraph; the body of a loop counts once."""
    return sum(_macs(operator, part) for part in graph.subgraphs for operator in part.operators)


def _macs(operator: Operator, part: Subgraph) -> int:
    formula = _FORMULAS.get(operator.name)
    if formula is None:
        return 0
    inputs = [part.tensors[index] for index in operator.inputs if index >= 0]
    return formula(operator, inputs, part.tensors[operator.outputs[0]])


def _convolution(_: Operator, inputs: _Inputs, output: Tensor) -> int:
    """Outputs × the filter elements behind each; filters are [O, h, w, I / groups]."""
    return output.elements * math.prod(inputs[1].shape[1:])


def _convolution_3d(_: Operator, inputs: _Inputs, output: Tensor) -> int:
    """The same in three dimensions; filters are [d, h, w, I, O]."""
    return output.elements * math.prod(inputs[1].shape[:-1])


def _depthwise(_: Operator, inputs: _Inputs, output: Tensor) -> int:
    """H·W·C·h·w; filters are [1, h, w, C] with C the output channels."""
    return output.elements * math.prod(inputs[1].shape[1:3])


def _fully_connected(_: Operator, inputs: _Inputs, output: Tensor) -> int:
    """Outputs × inputs of each; weights are [outputs, inputs]."""
    return output.elements * inputs[1].shape[-1]


def _transposed_convolution(_: Operator, inputs: _Inputs, output: Tensor) -> int:
    """Every input element meets the whole filter of each output channel; inputs are (shape, [O, h, w, I], values)."""
    return inputs[2].elements * math.prod(inputs[1].shape[:-1])


def _batch_matmul(operator: Operator, inputs: _Inputs, output: Tensor) -> int:
    """Outputs × the length of the inner dimension."""
    transposed = bool(operator.options and operator.options.adjX)
    return output.elements * inputs[0].shape[-2 if transposed else -1]


def _svdf(_: Operator, inputs: _Inputs, output: Tensor) -> int:
    """Batch × filters × (features + memory); weights are [filters, features] and [filters, memory]."""
    return inputs[0].shape[0] * (inputs[1].elements + inputs[2].elements)


def _sequence_lstm(operator: Operator, inputs: _Inputs, output: Tensor) -> int:
    """Steps × batch × the weights of all gates, which are the two-dimensional constants."""
    weights = sum(tensor.elements for tensor in inputs[1:] if len(tensor.shape) == 2 and tensor.is_constant)
    steps = math.prod(inputs[0].shape[:-1])
    return steps * weights


_FORMULAS: dict[str, Callable[[Operator, _Inputs, Tensor], int]] = {
    "CONV_2D": _convolution,
    "CONV_3D": _convolution_3d,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transposed_convolution,
    "BATCH_MATMUL": _batch_matmul,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm,
}
