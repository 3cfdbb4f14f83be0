"""A model without some of its units: smaller tensors, the same layers by name, the same input and output."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.neurons.channels import Ends, Wiring, kept
from audit_pipeline.compress.neurons.weights import MIXING, End, channel_axes, name_of, spread
from audit_pipeline.model.runtime import keras, quiet


def without(model: Any, wiring: Wiring, gone: NDArray[np.bool_]) -> Any:
    """The model without these units, with the weights of all others.

    Args:
        model: a tf_keras model.
        wiring: of this model.
        gone: [units] whether each unit goes; every family keeps one at least.
    """
    smaller = resized(model, wiring, gone)
    for layer in model.layers:
        weights = layer.get_weights()
        if weights and layer.name in wiring.ends:
            weights = _cut(layer, wiring.ends[layer.name], gone)
        smaller.get_layer(layer.name).set_weights(weights)
    return smaller


def resized(model: Any, wiring: Wiring, gone: NDArray[np.bool_]) -> Any:
    """The architecture without these units, with fresh weights."""

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in wiring.ends:
            config |= _settings(layer, wiring.ends[layer.name], gone)
        return type(layer).from_config(config)

    with quiet():
        return keras().models.clone_model(model, clone_function=clone)


def _settings(layer: Any, ends: Ends, gone: NDArray[np.bool_]) -> dict[str, Any]:
    """What the layer's configuration says about sizes that change."""
    kind, given = type(layer).__name__, ends.outputs[0]
    remaining = int(np.count_nonzero(kept(given, gone)))
    if kind in MIXING:
        return {MIXING[kind].size: remaining}
    if kind == "Reshape":
        return {"target_shape": (*given.shape[: given.axis], remaining, *given.shape[given.axis + 1 :])}
    return {}


def _cut(layer: Any, ends: Ends, gone: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """The layer's weights, without the slices that belong to units that go."""
    axes_of = channel_axes(layer, ends.outputs[0].axis)
    stays: dict[End, NDArray[np.bool_]] = {"out": kept(ends.outputs[0], gone)}
    if ends.inputs:
        stays["in"] = kept(ends.inputs[0], gone)
    cut = []
    for variable in layer.weights:
        value = variable.numpy()
        for axis, end in axes_of.get(name_of(variable), {}).items():
            value = value.compress(spread(stays[end], value.shape[axis]), axis)
        cut.append(value)
    return cut
