"""Finished models: a .tflite that is shipped as it is. One output, one input or several, int8 or int16, batch 1."""

from __future__ import annotations

import re
from pathlib import Path

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import InputPart, Layer, SourcePart
from audit_pipeline.model.architecture import several_outputs
from audit_pipeline.model.source import input_fields
from audit_pipeline.tflite import Graph, Operator, Tensor, read_graph

_MAX_BYTES = 256 << 20
_INTEGERS = frozenset({"INT8", "INT16"})
_SERVED = re.compile(r"serving_default_(.+):\d+")
"""How the converter names the inputs of a Keras model."""


def inspect_tflite(path: Path) -> SourcePart:
    """Inspect a finished .tflite.

    Raises:
        InputError: damaged, more than one output, or not int8 or int16 at all ends.
    """
    where = str(path)
    if path.stat().st_size > _MAX_BYTES:
        raise InputError("model.absurd-size", f"the file is larger than {_MAX_BYTES >> 20} MiB", where=where)
    data = path.read_bytes()
    graph = read_graph(data, where)
    sources, result = ends(graph, where)
    operators = graph.main.operators
    return SourcePart(
        file=path.name,
        format="tflite",
        sha256=sha256_hex(data),
        size_bytes=len(data),
        parameters=sum(tensor.elements for part in graph.subgraphs for tensor in part.tensors if tensor.is_constant),
        **input_fields(tuple(InputPart(name=_input_name(each), shape=each.shape[1:]) for each in sources)),
        output_shape=result.shape[1:],
        layers=tuple(_layer(number, operator, graph) for number, operator in enumerate(operators)),
    )


def ends(graph: Graph, where: str) -> tuple[tuple[Tensor, ...], Tensor]:
    """The inputs of a graph and its one output, int8 or int16, of batch 1, with one scale each.

    Raises:
        InputError: `model.several-ends`, `model.not-int8` or `model.shape`.
    """
    main = graph.main
    if len(main.outputs) != 1:
        raise several_outputs(len(main.outputs), where)
    if not main.inputs:
        raise InputError("model.shape", "the model has no input", where=where)
    sources, result = tuple(main.tensors[index] for index in main.inputs), main.tensors[main.outputs[0]]
    for source in sources:
        _check_end(source, "input", where)
    _check_end(result, "output", where)
    return sources, result


def _check_end(tensor: Tensor, what: str, where: str) -> None:
    scales, zero_points = tensor.scales, tensor.zero_points
    if tensor.dtype not in _INTEGERS or len(scales) != 1 or len(zero_points) != 1 or scales[0] <= 0:
        raise InputError(
            "model.not-int8",
            f"the {what} is {tensor.dtype} with {len(scales)} scales; the device needs int8 or int16 with one",
            where=where,
            hint="convert with inference_input_type = inference_output_type = tf.int8, "
            "or give the Keras model and let `audit` convert it",
        )
    if len(tensor.shape) < 2 or tensor.shape[0] != 1:
        raise InputError(
            "model.shape",
            f"the {what} has the shape {list(tensor.shape)}; the first size must be a batch of 1",
            where=where,
        )


def _input_name(tensor: Tensor) -> str:
    """An input as the Keras model called it."""
    served = _SERVED.fullmatch(tensor.name)
    return served[1] if served else tensor.name


def _layer(number: int, operator: Operator, graph: Graph) -> Layer:
    tensors = graph.main.tensors
    constants = [tensors[index] for index in operator.inputs if index >= 0 and tensors[index].is_constant]
    name = tensors[operator.outputs[0]].name if operator.outputs else f"operator {number}"
    return Layer(name=name, kind=operator.name, parameters=sum(tensor.elements for tensor in constants))
