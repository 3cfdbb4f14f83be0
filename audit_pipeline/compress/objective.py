"""What a model is fine-tuned towards: the loss it was trained with, or the cross-entropy its output calls for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.model.runtime import keras
from audit_pipeline.predictions import OutputKind

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
_SETTINGS = ("from_logits", "label_smoothing", "gamma", "alpha", "delta", "apply_class_balancing")


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


def objective(compiled: Any, kind: OutputKind, units: int) -> Objective:
    """Choose the loss.

    Args:
        compiled: the compiled loss as Keras serialised it: a name, an object, or None.
        kind: what the model's outputs are.
        units: how many there are.
    """
    known = _recognised(compiled)
    if known is not None:
        return Objective(*known, origin="the loss the model was compiled with")
    binary = units == 1 or kind is OutputKind.SIGMOID
    return Objective(
        "BinaryCrossentropy" if binary else "CategoricalCrossentropy",
        {"from_logits": kind is OutputKind.LOGITS},
        origin="cross-entropy by the model's output, as "
        + ("it was saved without a loss" if compiled is None else "its own loss is not one Keras knows"),
    )


def _recognised(compiled: Any) -> tuple[str, dict[str, Any]] | None:
    """The class and settings behind a serialised loss. Sparse losses become dense ones: targets are one-hot here."""
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


def targets(y: NDArray[np.int64], units: int) -> NDArray[np.float32]:
    """Labels as the losses above take them.

    Args:
        y: [rows] class indices.
        units: outputs of the model; one unit stands for the second of two classes.

    Returns:
        [rows, units], one-hot where there is more than one unit.
    """
    if units == 1:
        return y.astype(np.float32)[:, None]
    return np.eye(units, dtype=np.float32)[y]
