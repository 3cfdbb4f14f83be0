"""Names of operators: that of the layer each came from, instead of the converter's trail of TensorFlow scopes.

An operator is named by its output tensor: reports, error messages and `lift` of a mixed recipe say `conv2d_3` where the
converter wrote `ecg/re_lu_3/Relu;ecg/batch_normalization_3/FusedBatchNormV3;ecg/conv2d_3/Conv2D1`. Where several layers
became one operator, it is the layer that has the weights. Names are stored on the device: short ones save flash.
"""

from __future__ import annotations

import re
from typing import Any

_INPUT = re.compile(r"^serving_default_(.+):\d+$")
_OUTPUT = re.compile(r"^StatefulPartitionedCall(?::\d+)?$")
_HAS_WEIGHTS = re.compile(r"conv|matmul|dense|depthwise", re.IGNORECASE)
_WITHIN_A_LAYER = frozenset({"batchnorm", "BiasAdd", "Conv1D", "Tensordot", "LastValueQuant", "MovingAvgQuantize"})


def shorten_names(model: Any) -> None:
    """Give every tensor that is computed a short name of its own, and constants none at all.

    Names that are short already stay as they are.

    Args:
        model: a `ModelT` of schema.fbs; changed in place.
    """
    for graph in model.subgraphs:
        # A one-dimensional convolution is a reshape, a convolution and a reshape: the second has the layer's name.
        by_claim = sorted(graph.operators, key=lambda each: _reshapes(model, each))
        outputs = (index for operator in by_claim for index in operator.outputs)
        computed = list(dict.fromkeys(int(index) for index in (*graph.inputs, *outputs)))
        taken: set[str] = set()
        for index in computed:
            _rename(graph.tensors[index], taken)
        for index in set(range(len(graph.tensors))) - set(computed):
            graph.tensors[index].name = None


def _reshapes(model: Any, operator: Any) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    kinds = schema.BuiltinOperator
    return model.operatorCodes[operator.opcodeIndex].builtinCode in (kinds.RESHAPE, kinds.EXPAND_DIMS, kinds.SQUEEZE)


def _rename(tensor: Any, taken: set[str]) -> None:
    short = _short((tensor.name or b"").decode(errors="replace")) or "tensor"
    free, number = short, 1
    while free in taken:
        number += 1
        free = f"{short}.{number}"
    taken.add(free)
    tensor.name = free.encode()


def _short(name: str) -> str:
    """The layer behind a name: `model/layer/Op` gives `layer`, `model/inner/layer/Op` gives `inner.layer`."""
    given = _INPUT.match(name)
    if given:
        return given[1]
    if _OUTPUT.match(name):
        return "output"
    trails = [trail.split("/") for trail in name.split(";")]
    scopes = next((trail for trail in trails if _HAS_WEIGHTS.search(trail[-1])), trails[-1])
    layers = [scope for scope in scopes[1:-1] if scope not in _WITHIN_A_LAYER]
    return ".".join(layers or scopes[:1])


def name_constants(model: Any) -> None:
    """Number the tensors that have no name, for a tool that needs one for each.

    Args:
        model: a `ModelT` of schema.fbs; changed in place.
    """
    for graph in model.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            if not tensor.name:
                tensor.name = f"constant {index}".encode()
