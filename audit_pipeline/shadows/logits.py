"""A model without its last softmax or sigmoid: its output is then what the device computes before it.

Whoever holds the file can do the same: the logits of an int8 model stand in its arena one operator before the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.neurons.unnest import unnested
from audit_pipeline.compress.repack import pack
from audit_pipeline.device.kernels import SHAPE_ONLY
from audit_pipeline.model.predict import last_layer
from audit_pipeline.model.runtime import keras
from audit_pipeline.predictions import OutputKind
from audit_pipeline.tflite import read_graph

_SQUASHING = {"SOFTMAX": OutputKind.SOFTMAX, "LOGISTIC": OutputKind.SIGMOID}
_AFTERWARDS = SHAPE_ONLY | {"ARG_MAX", "EQUAL", "SELECT_V2"}
"""What may come after: operators that move values, and those that make outputs coarser (`compress/outputs.py`)."""


@dataclass(frozen=True)
class Cut:
    """A .tflite in two: what the tail makes of the head's outputs is what the whole makes of its inputs, to the byte.

    An interpreter runs one operator after the other, and each sees nothing but its inputs. So the tail need run only
    once for all rows that share their logits.
    """

    head: bytes
    """All operators up to the logits, which it gives."""
    tail: bytes
    """The softmax or sigmoid and what follows; takes the logits."""
    kind: OutputKind
    """What the tail makes of them first."""


def cut(tflite: bytes) -> Cut | None:
    """Cut a .tflite before its last softmax or sigmoid.

    Args:
        tflite: one that `read_graph` has read.

    Returns:
        None where the output is made by another operator: then it is itself what there is to read.
    """
    main = read_graph(tflite).main
    last = next((n for n in reversed(range(len(main.operators))) if main.operators[n].name not in _AFTERWARDS), None)
    if last is None or main.operators[last].name not in _SQUASHING:
        return None
    logits = main.operators[last].inputs[0]
    made = {index for operator in main.operators[last:] for index in operator.outputs}
    read = {index for operator in main.operators[last:] for index in operator.inputs}
    if any(not main.tensors[index].is_constant for index in read - made - {logits}) or main.outputs[0] not in made:
        return None
    head = _part(tflite, slice(None, last), main.inputs, [logits])
    tail = _part(tflite, slice(last, None), [logits], main.outputs)
    return Cut(head, tail, _SQUASHING[main.operators[last].name])


def _part(tflite: bytes, operators: slice, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """The file with some of its operators and with these ends."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    model.signatureDefs = model.metadata = model.metadataBuffer = None
    graph = model.subgraphs[0]
    graph.operators = graph.operators[operators]
    graph.inputs, graph.outputs = list(inputs), list(outputs)
    return pack(model)


def without_activation(model: Any) -> tuple[Any, str] | None:
    """A Keras model without its last softmax or sigmoid.

    Args:
        model: a tf_keras model that was not called yet; it is changed and of no use afterwards.

    Returns:
        A model that gives the logits, and the name of the activation in `tf_keras.activations`; None where it ends in
        another.
    """
    model = unnested(model)
    layer = last_layer(model)
    if type(layer).__name__ == "Softmax":
        return keras().Model(model.inputs, layer.input), "softmax"
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    if name not in ("softmax", "sigmoid"):
        return None
    layer.activation = keras().activations.linear
    return model, name


def activated(logits: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """[rows, units] what the activation of this name makes of logits, by the operator that the whole model runs."""
    return np.asarray(getattr(keras().activations, name)(keras().backend.constant(logits)).numpy(), dtype=np.float32)
