"""Integers only: small devices have no float unit, and an operator in floats would run in emulation, if at all."""

from __future__ import annotations

from audit_pipeline.errors import InputError
from audit_pipeline.tflite import Graph, Operator, Subgraph

_CONVERSIONS = frozenset({"QUANTIZE", "DEQUANTIZE"})
_FLOATS = frozenset({"FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16", "COMPLEX64", "COMPLEX128"})


def require_integers(graph: Graph, scheme: str) -> None:
    """Refuse a graph in which anything is computed in floats.

    Args:
        graph: of a converted model.
        scheme: in words, how it was converted.

    Raises:
        InputError: `compress.float-operator`, with the operator and its output tensor.
    """
    found = [(each, part) for part in graph.subgraphs for each in part.operators if _is_float(each, part)]
    if found:
        computing = [(operator, part) for operator, part in found if operator.name not in _CONVERSIONS]
        raise _refusal(*(computing or found)[0], scheme)


def _is_float(operator: Operator, part: Subgraph) -> bool:
    touched = (*operator.inputs, *operator.outputs)
    return any(part.tensors[index].dtype in _FLOATS for index in touched if index >= 0)


def _refusal(operator: Operator, part: Subgraph, scheme: str) -> InputError:
    name = part.tensors[operator.outputs[0]].name if operator.outputs else "no output"
    return InputError(
        "compress.float-operator",
        f"{scheme} leaves the operator {operator.name} in floats (its output is {name})",
        hint="replace the layer that it comes from by one with an integer kernel, or quantize by another scheme",
    )
