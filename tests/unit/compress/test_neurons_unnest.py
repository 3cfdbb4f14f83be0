"""Layers of nested models take their place in the model, and the function stays what it was."""

from __future__ import annotations

from typing import Any

import neuron_models as zoo
import numpy as np
import pytest

from audit_pipeline.compress.neurons.channels import wire
from audit_pipeline.compress.neurons.choice import choose
from audit_pipeline.compress.neurons.mask import masked
from audit_pipeline.compress.neurons.surgery import without
from audit_pipeline.compress.neurons.unnest import unnested
from audit_pipeline.model.runtime import keras, keras_runtime


def transfer_learning() -> Any:
    """A body with a residual block inside a sequential head, and one more model in the body."""
    layers = keras_runtime(0).layers
    start = layers.Input((8, 8, 6))
    block = keras().Sequential(
        [layers.Conv2D(6, 3, padding="same", name="conv"), layers.BatchNormalization()], name="block"
    )
    body = keras().Model(start, layers.ReLU()(layers.Add()([start, block(start)])), name="body")
    x = layers.Input((8, 8, 2))
    a = layers.Conv2D(6, 1, name="conv")(x)
    y = layers.GlobalAveragePooling2D()(body(body(a)))  # one body, twice
    return keras().Model(x, layers.Dense(3, activation="softmax", name="class")(y))


def test_the_function_and_the_names_stay() -> None:
    model = zoo.with_random_weights(transfer_learning())
    flat, rows = unnested(model), zoo.rows_for(model)
    assert flat(rows).numpy() == pytest.approx(model(rows).numpy(), abs=1e-6)
    assert {"conv", "block_conv", "class"} <= {layer.name for layer in flat.layers}
    assert not {"body", "block"} & {layer.name for layer in flat.layers}
    assert flat.input_names == model.input_names
    assert flat.count_params() == model.count_params()


def test_filters_of_nested_models_can_go() -> None:
    flat = unnested(zoo.with_random_weights(transfer_learning()))
    wiring, rows = wire(flat), zoo.rows_for(flat)
    assert [family.layers for family in wiring.families] == [("conv", "block_conv")]
    gone = choose(wiring, np.arange(wiring.units, dtype=np.float64), 0.5, "layer")
    expected = masked(flat, wiring, gone)(rows).numpy()
    assert without(flat, wiring, gone)(rows).numpy() == pytest.approx(expected, abs=1e-5)


def test_a_model_without_nested_ones_is_given_back() -> None:
    model = zoo.built("residual")
    assert unnested(model) is model


def test_the_model_that_was_given_is_not_changed() -> None:
    model = transfer_learning()
    nodes = [len(layer.inbound_nodes) for layer in model.layers]
    unnested(model)
    assert [len(layer.inbound_nodes) for layer in model.layers] == nodes
