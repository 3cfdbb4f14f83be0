"""What a model is trained towards: the loss it was trained with, or the one that its task and output call for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, tensorflow
from audit_pipeline.predictions import OutputKind, Reading, Task

_SPARSE = {"sparse_categorical_crossentropy": "CategoricalCrossentropy"}
_BY_FUNCTION = {
    "categorical_crossentropy": "CategoricalCrossentropy",
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_focal_crossentropy": "CategoricalFocalCrossentropy",
    "binary_focal_crossentropy": "BinaryFocalCrossentropy",
    "mean_squared_error": "MeanSquaredError",
    "mse": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "mae": "MeanAbsoluteError",
    "categorical_hinge": "CategoricalHinge",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
    "kl_divergence": "KLDivergence",
    "kullback_leibler_divergence": "KLDivergence",
    "huber": "Huber",
} | _SPARSE
_OF_NUMBERS = frozenset({"MeanSquaredError", "MeanAbsoluteError", "Huber"})
OF_TWO_CLASSES = frozenset({"BinaryCrossentropy", "BinaryFocalCrossentropy"})
"""Losses that take every unit for a choice of its own."""
OF_LABELS = OF_TWO_CLASSES | {"CategoricalCrossentropy", "CategoricalFocalCrossentropy", "KLDivergence"}
"""Losses that compare with shares of classes, so that a label may be a share."""
_SETTINGS = ("from_logits", "label_smoothing", "gamma", "alpha", "delta", "apply_class_balancing")


def by_row(losses: Any) -> Any:
    """One loss a row.

    Args:
        losses: [rows, ...] tensor.

    Returns:
        [rows] tensor: the mean over what is left of a row.
    """
    tf = tensorflow()
    return tf.reduce_mean(tf.reshape(losses, [tf.shape(losses)[0], -1]), axis=1)


@dataclass(frozen=True)
class Objective:
    """A loss, and where it comes from."""

    loss: str
    """Class name in `tf_keras.losses`."""
    settings: dict[str, Any]
    origin: str
    """In words, for the notes of the step."""

    def instance(self) -> Any:
        """The loss as a tf_keras object."""
        return getattr(keras().losses, self.loss)(**self.settings)


def objective(compiled: Any, kind: OutputKind, units: int, reading: Reading) -> Objective:
    """Choose the loss: the model's own where it fits the task.

    Else cross-entropy for a classification and for an anomaly score that is a probability, and the mean squared error
    for a regression and for an autoencoder.

    Args:
        compiled: the compiled loss as Keras serialised it: a name, an object, or None.
        kind: what the model's outputs are.
        units: how many there are.
        reading: what the population says of the outputs.

    Raises:
        InputError: `compress.no-loss`: an anomaly score that is no probability.
    """
    known = _recognised(compiled)
    if reading.task is Task.ANOMALY and not reading.reconstructs and kind is not OutputKind.SIGMOID:
        raise InputError(
            "compress.no-loss",
            "the anomaly score is no probability, so nothing says what a model that is trained should give",
            hint="leave the steps that train out of the recipe, end the model in a sigmoid, or ship a finished .tflite",
        )
    if known is not None and _fits(known[0], reading):
        return Objective(*known, origin="the loss the model was compiled with")
    why = "as it was saved without a loss" if compiled is None else "as its own loss is none that is used for the task"
    if reading.task is Task.REGRESSION or reading.reconstructs:
        return Objective("MeanSquaredError", {}, origin=f"mean squared error by the task, {why}")
    binary = units == 1 or kind is OutputKind.SIGMOID
    return Objective(
        "BinaryCrossentropy" if binary else "CategoricalCrossentropy",
        {"from_logits": kind is OutputKind.LOGITS},
        origin=f"cross-entropy by the model's output, {why}",
    )


def _fits(loss: str, reading: Reading) -> bool:
    if reading.task is Task.REGRESSION or reading.reconstructs:
        return loss in _OF_NUMBERS
    return reading.task is Task.CLASSIFICATION or loss in OF_TWO_CLASSES


def _recognised(compiled: Any) -> tuple[str, dict[str, Any]] | None:
    """The class and settings behind a serialised loss. Sparse losses become dense ones: answers are one-hot here."""
    name: Any = compiled
    config: Any = {}
    if isinstance(compiled, dict):
        name, config = compiled.get("class_name"), compiled.get("config")
        if name == "function":
            name, config = config, {}
    if not isinstance(name, str) or not isinstance(config, dict):
        return None
    loss = _BY_FUNCTION.get(name, name.removeprefix("Sparse"))
    if loss not in _BY_FUNCTION.values():
        return None
    return loss, {key: config[key] for key in _SETTINGS if isinstance(config.get(key), (bool, int, float))}
