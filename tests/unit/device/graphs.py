"""Graphs of one operator, built by hand, for tests that need to know every number in them."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def tensor(name: str, shape: list[int], buffer: int = 0, kind: int = schema.TensorType.INT8) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name, shape, kind, buffer
    made.quantization = schema.QuantizationParametersT()
    made.quantization.scale, made.quantization.zeroPoint = [0.5], [0]
    return made


def one_operator(
    operator: str,
    shapes: list[list[int]],
    output: list[int],
    constants: dict[int, np.ndarray[Any, Any]] | None = None,
    custom: str | None = None,
    options: Any = None,
) -> bytes:
    """A .tflite of one operator; inputs by shape, those in `constants` with values, the rest is the model's input."""
    constants = constants or {}
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs = [], []
    for number, shape in enumerate(shapes):
        buffer, kind = 0, schema.TensorType.INT8
        if number in constants:
            content = schema.BufferT()
            content.data = np.frombuffer(constants[number].tobytes(), np.uint8)
            model.buffers.append(content)
            buffer = len(model.buffers) - 1
            kind = schema.TensorType.INT32 if constants[number].dtype == np.int32 else kind
        else:
            graph.inputs.append(number)
        graph.tensors.append(tensor(f"in{number}", shape, buffer, kind))
    graph.tensors.append(tensor("out", output))
    graph.outputs = [len(shapes)]
    node = schema.OperatorT()
    node.opcodeIndex, node.inputs, node.outputs = 0, list(range(len(shapes))), [len(shapes)]
    if options is not None:
        node.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        node.builtinOptions = options
    graph.operators = [node]
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = getattr(schema.BuiltinOperator, operator), 1
    code.deprecatedBuiltinCode, code.customCode = min(code.builtinCode, 127), custom
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
