"""A model of unchanged size in which nothing listens to some of its units: what their removal must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.neurons.channels import Wiring, kept
from audit_pipeline.compress.neurons.surgery import resized
from audit_pipeline.compress.neurons.weights import MIXING, name_of, spread


def masked(model: Any, wiring: Wiring, gone: NDArray[np.bool_]) -> Any:
    """The model with the weights that read these units set to zero.

    Whatever normalisations and activations make of a unit, no layer takes it in any more.

    Args:
        model: a tf_keras model.
        wiring: of this model.
        gone: [units] whether each unit is masked.
    """
    copy = resized(model, wiring, np.zeros_like(gone))
    for layer in model.layers:
        weights = layer.get_weights()
        kind = type(layer).__name__
        if kind in MIXING and layer.name in wiring.ends:
            stays = kept(wiring.ends[layer.name].inputs[0], gone)
            for number, variable in enumerate(layer.weights):
                for axis, end in MIXING[kind].weights.get(name_of(variable), {}).items():
                    if end == "in":
                        silent = ~spread(stays, variable.shape[axis])
                        np.moveaxis(weights[number], axis, 0)[silent] = 0
        copy.get_layer(layer.name).set_weights(weights)
    return copy
