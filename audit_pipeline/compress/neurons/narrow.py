"""A model with fewer filters and units in every layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from audit_pipeline.compress.neurons.channels import wire
from audit_pipeline.compress.neurons.choice import choose
from audit_pipeline.compress.neurons.surgery import resized
from audit_pipeline.compress.neurons.unnest import unnested
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras


def narrowed(model: Any, width: float, seed: int) -> Any:
    """The same architecture with a share of its filters and units, and fresh weights.

    Statistics that were measured on data rather than trained (`Normalization`) are carried over.

    Args:
        model: a tf_keras model; it is not changed.
        width: share of the filters and units that stays in every layer where any can go; one at least.
        seed: of the weights.

    Raises:
        InputError: `compress.nothing-to-prune`: no layer can be made narrower.
    """
    model = unnested(model)
    wiring = wire(model)
    gone = choose(wiring, -np.arange(wiring.units, dtype=np.float64), 1 - width, "layer")
    if not gone.any():
        raise InputError(
            "compress.nothing-to-prune",
            f"no layer of this model can be made narrower at a width of {width:g}",
            hint="give a student model by file, or a smaller width",
        )
    keras().utils.set_random_seed(seed)
    narrow = resized(model, wiring, gone)
    for layer in model.layers:
        if type(layer).__name__ == "Normalization":
            narrow.get_layer(layer.name).set_weights(layer.get_weights())
    return narrow
