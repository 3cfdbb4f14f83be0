"""Predictions of the float model: the "before" of every comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import InputError
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.predictions import OutputKind, Predictions, class_scores
from audit_pipeline.progress import Progress, silent

_BATCH = 1024
_SHAPE_ONLY = frozenset({"Flatten", "Reshape", "Dropout", "Identity"})


def predict_float(source: SourceModel, x: NDArray[np.float32], progress: Progress = silent) -> Predictions:
    """Class scores of the float model, 1024 rows at a time.

    Args:
        source: an inspected Keras model.
        x: [rows, *input_shape].
        progress: told the share of rows that are done.

    Raises:
        InputError: `model.not-classifier`, or as `load_keras`.
    """
    model = load_keras(source)
    kind = output_kind(model, str(source.path))
    outputs = []
    for start in range(0, len(x), _BATCH):
        with quiet():
            outputs.append(model.predict_on_batch(x[start : start + _BATCH]))
        progress("float predictions", min(start + _BATCH, len(x)) / len(x))
    scores = class_scores(np.concatenate(outputs).astype(np.float32), kind)
    return Predictions(scores=scores, step=0.0, made_by="float")


def output_kind(model: Any, where: str) -> OutputKind:
    """What a classifier's outputs are, by the activation of the layer that makes them.

    Raises:
        InputError: `model.not-classifier`: the outputs are not one score per class, or one unit with a softmax.
    """
    shape = tuple(model.outputs[0].shape)
    kind = _activation(model)
    if len(shape) != 2 or (shape[1] == 1 and kind is OutputKind.SOFTMAX):
        raise InputError(
            "model.not-classifier",
            f"the output has the shape {shape} with {kind}; a classifier gives one score per class",
            where=where,
            hint="end the model in Dense(classes, activation='softmax') or Dense(1, activation='sigmoid')",
        )
    return kind


def _activation(model: Any) -> OutputKind:
    layer = model.outputs[0].node.layer
    while type(layer).__name__ in _SHAPE_ONLY:
        layer = layer.input.node.layer
    if type(layer).__name__ in ("Functional", "Sequential"):
        return _activation(layer)
    name = getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__)
    return {"softmax": OutputKind.SOFTMAX, "Softmax": OutputKind.SOFTMAX, "sigmoid": OutputKind.SIGMOID}.get(
        name, OutputKind.LOGITS
    )
