"""Predictions of the float model: the "before" of every comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import InputError
from audit_pipeline.model.feed import feed
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.predictions import OutputKind, Predictions, Reading
from audit_pipeline.progress import Progress, silent

_BATCH = 1024
_SHAPE_ONLY = frozenset({"Flatten", "Reshape", "Dropout", "Identity"})


def predict_float(
    source: SourceModel, x: NDArray[np.float32], reading: Reading, progress: Progress = silent
) -> Predictions:
    """Scores of the float model, 1024 rows at a time.

    Args:
        source: an inspected Keras model.
        x: [rows, *input_shape]; for several inputs [rows, total].
        reading: what the population says of the outputs.
        progress: told the share of rows that are done.

    Raises:
        InputError: `model.not-classifier`, `model.output-shape`, or as `load_keras`.
    """
    model = load_keras(source)
    kind = output_kind(model, str(source.path), reading)
    scores = []
    for start in range(0, len(x), _BATCH):
        rows = x[start : start + _BATCH]
        with quiet():
            outputs = model.predict_on_batch(feed(model, rows))
        scores.append(reading.scores(outputs.astype(np.float32), kind, rows))
        progress("float predictions", min(start + _BATCH, len(x)) / len(x))
    return reading.predictions(np.concatenate(scores), 0.0, "float")


def output_kind(model: Any, where: str, reading: Reading) -> OutputKind:
    """What a model's outputs are, by the activation of the layer that makes them.

    Raises:
        InputError: `model.not-classifier`: the outputs are not scores or one value, or one unit with a softmax, which
            is always 1. An autoencoder gives what it was given, of any shape.
    """
    shape = tuple(model.outputs[0].shape)
    kind = _activation(model)
    if not reading.reconstructs and (len(shape) != 2 or (shape[1] == 1 and kind is OutputKind.SOFTMAX)):
        raise InputError(
            "model.not-classifier",
            f"the output has the shape {shape} with {kind}; it must be one score per class, or one unit, no softmax",
            where=where,
            hint="end the model in Dense(classes, activation='softmax'), Dense(1, activation='sigmoid') or, for a "
            "regression, Dense(1)",
        )
    return kind


def last_layer(model: Any) -> Any:
    """The layer that makes a model's output; layers that only move values are passed over, nested models entered."""
    layer = model.outputs[0].node.layer
    while type(layer).__name__ in _SHAPE_ONLY:
        layer = layer.input.node.layer
    return last_layer(layer) if type(layer).__name__ in ("Functional", "Sequential") else layer


def _activation(model: Any) -> OutputKind:
    layer = last_layer(model)
    name = getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__)
    return {"softmax": OutputKind.SOFTMAX, "Softmax": OutputKind.SOFTMAX, "sigmoid": OutputKind.SIGMOID}.get(
        name, OutputKind.LOGITS
    )
