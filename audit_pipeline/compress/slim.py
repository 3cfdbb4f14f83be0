"""Out of a .tflite goes what no interpreter reads on the device: flash is paid for byte by byte.

What stays gives the same outputs to the bit, in tflite-micro and in LiteRT's reference kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_FILTER, _BIAS = 1, 2
"""Places of weights and bias among an operator's inputs."""


def slim(model: Any) -> None:
    """Remove what is for converters and debuggers alone.

    - Description, metadata and signatures: interpreters find inputs and outputs by their place in the graph.
    - Ranges that the scales were computed from, and shapes that repeat the shape.
    - Scales of biases whose weights have one scale per channel: such a bias is added to the sums as it is, in steps of
      input scale × weight scale. Where weights have one scale, FULLY_CONNECTED compares the bias's with it.

    Args:
        model: a `ModelT` of schema.fbs; changed in place.
    """
    from ai_edge_litert import schema_py_generated as schema

    kinds = schema.BuiltinOperator
    biased = (kinds.CONV_2D, kinds.DEPTHWISE_CONV_2D, kinds.FULLY_CONNECTED)
    model.description = model.metadata = model.metadataBuffer = model.signatureDefs = None
    for graph in model.subgraphs:
        graph.name = None
        for tensor in graph.tensors:
            _slim_tensor(tensor)
        for operator in graph.operators:
            _slim_operator(operator)
            if model.operatorCodes[operator.opcodeIndex].builtinCode in biased:
                _slim_bias(operator, graph)


def _slim_tensor(tensor: Any) -> None:
    signature = tensor.shapeSignature
    if signature is not None and (len(signature) == 0 or np.array_equal(signature, tensor.shape)):
        tensor.shapeSignature = None
    quantization = tensor.quantization
    if quantization is None:
        return
    quantization.min = quantization.max = None
    if quantization.scale is None or len(quantization.scale) == 0:
        tensor.quantization = None


def _slim_operator(operator: Any) -> None:
    for vector in ("mutatingVariableInputs", "intermediates", "customOptions"):
        found = getattr(operator, vector)
        if found is not None and len(found) == 0:
            setattr(operator, vector, None)


def _slim_bias(operator: Any, graph: Any) -> None:
    weights = graph.tensors[operator.inputs[_FILTER]].quantization
    per_channel = weights is not None and weights.scale is not None and len(weights.scale) > 1
    if per_channel and len(operator.inputs) > _BIAS and operator.inputs[_BIAS] >= 0:
        graph.tensors[operator.inputs[_BIAS]].quantization = None
