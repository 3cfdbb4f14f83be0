"""Which filters are found to hang together, and what must stay whole for which reason."""

from __future__ import annotations

from typing import Any

import neuron_models as zoo
import numpy as np
import pytest

from audit_pipeline.compress.neurons.channels import wire
from audit_pipeline.compress.neurons.choice import choose
from audit_pipeline.model.runtime import keras

# Families by hand: which layers lose the same filters, and how many units they share.
FAMILIES = {
    "residual": {("stem", "outer"): 6, ("inner",): 4},
    "flattened": {("conv",): 5, ("hidden",): 8},
    "concatenated": {("a",): 4, ("b",): 6, ("c",): 5},
    "depthwise": {("first",): 6, ("point",): 8},
    "multiplied_depthwise": {("first",): 6, ("point",): 4},
    "separable": {("first",): 6, ("second",): 5},
    "series": {("conv",): 8, ("next",): 6},
    "units_to_image": {("units",): 6, ("up",): 4},
    "reshaped": {("conv",): 5, ("line",): 4},
    "three_readers": {("shared",): 8, ("one", "two", "three"): 4},
    "squeezed": {("conv", "excite"): 8, ("squeeze",): 3},
    "attended": {("conv",): 8},
    "stacked_in_time": {("a", "b"): 6},
    "twice": {("a", "b"): 6, ("shared",): 5},
    "two_inputs": {("conv",): 6, ("dense",): 4},
}


@pytest.mark.parametrize("name", FAMILIES)
def test_coupled_layers_are_found(name: str) -> None:
    wiring = wire(zoo.built(name))
    found = {tuple(sorted(family.layers)): len(family.units) for family in wiring.families}
    expected = {tuple(sorted(layers)): units for layers, units in FAMILIES[name].items()}
    assert found == expected


def whole(*stack: Any) -> dict[str, str]:
    return dict(wire(keras().Sequential(list(stack))).whole)


def test_the_output_is_left_whole() -> None:
    layers = keras().layers
    image = layers.Input((8, 8, 1))
    assert whole(image, layers.Conv2D(4, 3, name="all")) == {"all": "its channels are the model's output"}
    behind = (layers.Conv2D(4, 3, name="last"), layers.GlobalAveragePooling2D(), layers.Activation("softmax"))
    assert "needs every channel" in whole(image, *behind)["last"]


@pytest.mark.parametrize(
    "layer",
    [
        lambda layers: layers.LSTM(3, name="next"),
        lambda layers: layers.LayerNormalization(name="next"),
        lambda layers: layers.Softmax(name="next"),
        lambda layers: keras().Sequential([layers.Dense(3)], name="next"),
        lambda layers: layers.TimeDistributed(layers.Dense(3), name="next"),
    ],
    ids=["recurrent", "normalised over channels", "softmax", "nested", "wrapped"],
)
def test_what_an_unknown_layer_reads_is_left_whole_and_the_layer_named(layer: Any) -> None:
    layers = keras().layers
    found = whole(layers.Input((8, 2)), layers.Conv1D(4, 3, name="conv"), layer(layers), layers.Dense(2, name="class"))
    assert "next" in found["conv"]
    assert set(found) == {"conv", "class"}


def test_a_convolution_in_groups_keeps_its_filters_and_what_it_reads() -> None:
    layers = keras().layers
    found = whole(
        layers.Input((8, 8, 2)),
        layers.Conv2D(4, 3, name="before"),
        layers.Conv2D(4, 3, groups=2, name="grouped"),
        layers.Dense(2, name="class"),
    )
    assert found["before"] == found["grouped"] == "grouped has its filters in groups"


def test_channels_on_an_axis_where_the_next_layer_looks_for_none_stay() -> None:
    layers = keras().layers
    found = whole(
        layers.Input((8, 2)),
        layers.Conv1D(4, 3, name="conv"),
        layers.Permute((2, 1)),
        layers.Conv1D(5, 3, name="across"),
        layers.Flatten(),
        layers.Dense(2, name="class"),
    )
    assert found["conv"] == "the Conv1D layer across works along another axis"
    assert "across" not in found


def test_a_ratio_takes_its_share_of_every_family_and_leaves_one() -> None:
    wiring = wire(zoo.built("residual"))
    scores = np.arange(wiring.units, dtype=np.float64)
    assert choose(wiring, scores, 0.5, "layer").tolist() == [True] * 3 + [False] * 3 + [True] * 2 + [False] * 2
    for scope in ("layer", "model"):
        gone = choose(wiring, scores, 0.99, scope)
        assert [int((~gone[family.units]).sum()) for family in wiring.families] == [1, 1]


def test_over_the_whole_model_the_least_go_wherever_they_are() -> None:
    wiring = wire(zoo.built("residual"))
    scores = np.where(np.arange(wiring.units) < 6, 1.0, 0.1)
    assert choose(wiring, scores, 0.1, "model").tolist() == [False] * 6 + [True] + [False] * 3


def test_no_layer_is_emptied_for_the_others() -> None:
    wiring = wire(zoo.built("residual"))
    scores = np.where(np.arange(wiring.units) < 6, 1.0, 0.1)
    gone = choose(wiring, scores, 0.5, "model")  # of four, two would stay under a ratio of their own
    assert gone.tolist() == [True] * 3 + [False] * 3 + [True] * 2 + [False] * 2
