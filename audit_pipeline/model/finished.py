"""Finished models: a .tflite that is shipped as it is. One input, one output, both int8 or int16, batch 1."""

from __future__ import annotations

from pathlib import Path

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import Layer, SourcePart
from audit_pipeline.tflite import Graph, Operator, Tensor, read_graph

_MAX_BYTES = 256 << 20
_INTEGERS = frozenset({"INT8", "INT16"})


def inspect_tflite(path: Path) -> SourcePart:
    """Inspect a finished .tflite.

    Raises:
        InputError: damaged, more than one input or output, or not int8 or int16 at both ends.
    """
    where = str(path)
    if path.stat().st_size > _MAX_BYTES:
        raise InputError("model.absurd-size", f"the file is larger than {_MAX_BYTES >> 20} MiB", where=where)
    data = path.read_bytes()
    graph = read_graph(data, where)
    source, result = ends(graph, where)
    operators = graph.main.operators
    return SourcePart(
        file=path.name,
        format="tflite",
        sha256=sha256_hex(data),
        size_bytes=len(data),
        parameters=sum(tensor.elements for part in graph.subgraphs for tensor in part.tensors if tensor.is_constant),
        input_shape=source.shape[1:],
        output_shape=result.shape[1:],
        layers=tuple(_layer(number, operator, graph) for number, operator in enumerate(operators)),
    )


def ends(graph: Graph, where: str) -> tuple[Tensor, Tensor]:
    """The one input and the one output of a graph, int8 or int16, of batch 1, with one scale each.

    Raises:
        InputError: `model.several-ends`, `model.not-int8` or `model.shape`.
    """
    found = []
    for indices, what in ((graph.main.inputs, "input"), (graph.main.outputs, "output")):
        if len(indices) != 1:
            raise InputError(
                "model.several-ends",
                f"the model has {len(indices)} {what}s; models with one input and one output are supported",
                where=where,
            )
        tensor = graph.main.tensors[indices[0]]
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
        found.append(tensor)
    return found[0], found[1]


def _layer(number: int, operator: Operator, graph: Graph) -> Layer:
    tensors = graph.main.tensors
    constants = [tensors[index] for index in operator.inputs if index >= 0 and tensors[index].is_constant]
    name = tensors[operator.outputs[0]].name if operator.outputs else f"operator {number}"
    return Layer(name=name, kind=operator.name, parameters=sum(tensor.elements for tensor in constants))
