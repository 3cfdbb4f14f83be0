"""A model without some filters answers as the whole model does when nothing listens to them."""

from __future__ import annotations

from typing import Any

import neuron_models as zoo
import numpy as np
import pytest

from audit_pipeline.compress.neurons.channels import Wiring, kept, wire
from audit_pipeline.compress.neurons.choice import choose
from audit_pipeline.compress.neurons.mask import masked
from audit_pipeline.compress.neurons.narrow import narrowed
from audit_pipeline.compress.neurons.surgery import without
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras


def pruned(model: Any, ratio: float = 0.4, seed: int = 1) -> tuple[Any, Wiring, Any]:
    wiring = wire(model)
    gone = choose(wiring, np.random.default_rng(seed).random(wiring.units), ratio, "layer")
    return without(model, wiring, gone), wiring, gone


def answers(model: Any, rows: Any) -> Any:
    return model(rows, training=False).numpy()


def carry_over(source: Any, target: Any) -> None:
    """Weights by the names of layers: gates are layers too, but have none."""
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())


@pytest.mark.parametrize("name", zoo.BUILDERS)
def test_without_some_filters_it_answers_as_if_they_were_gated_off(name: str) -> None:
    model = zoo.with_random_weights(zoo.built(name))
    smaller, wiring, gone = pruned(model)
    stays = {layer: kept(end.outputs[0], gone) for layer, end in wiring.ends.items()}
    oracle = zoo.built(name, zoo.gated(stays))
    carry_over(model, oracle)
    rows = zoo.rows_for(model)
    expected = answers(oracle, rows)
    assert answers(smaller, rows) == pytest.approx(expected, abs=1e-5, rel=1e-5)
    assert answers(masked(model, wiring, gone), rows) == pytest.approx(expected, abs=1e-5, rel=1e-5)
    assert np.abs(expected - answers(model, rows)).max() > 1e-3


@pytest.mark.parametrize("name", zoo.BUILDERS)
def test_down_to_one_filter_a_layer_it_is_smaller_and_otherwise_the_same(name: str) -> None:
    model = zoo.with_random_weights(zoo.built(name))
    before, rows = model.get_weights(), zoo.rows_for(model)
    smaller, wiring, gone = pruned(model, 0.99)
    expected = answers(masked(model, wiring, gone), rows)
    assert answers(smaller, rows) == pytest.approx(expected, abs=1e-5, rel=1e-5)
    assert smaller.count_params() < model.count_params()
    assert [layer.name for layer in smaller.layers] == [layer.name for layer in model.layers]
    assert [t.shape for t in smaller.inputs + smaller.outputs] == [t.shape for t in model.inputs + model.outputs]
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))


def test_a_sequential_model_stays_one() -> None:
    layers = keras().layers
    model = keras().Sequential(
        [
            layers.Conv2D(6, 3, input_shape=(10, 10, 3)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    smaller, wiring, gone = pruned(zoo.with_random_weights(model))
    rows = zoo.rows_for(model)
    assert type(smaller) is keras().Sequential
    assert answers(smaller, rows) == pytest.approx(answers(masked(model, wiring, gone), rows), abs=1e-5)
    again = keras().Sequential.from_config(smaller.get_config())
    assert again.count_params() == smaller.count_params() < model.count_params()


def test_a_model_cut_twice_is_wired_anew() -> None:
    model = zoo.with_random_weights(zoo.built("residual"))
    once, _, _ = pruned(model)
    smaller, wiring, gone = pruned(once, seed=2)
    rows = zoo.rows_for(model)
    assert answers(smaller, rows) == pytest.approx(answers(masked(once, wiring, gone), rows), abs=1e-5)
    assert smaller.count_params() < once.count_params()


def in_groups(layers: Any, x: Any) -> Any:
    return layers.Conv1D(8, 3, groups=4)(layers.Conv1D(8, 1)(x))


def normalised_along_time(layers: Any, x: Any) -> Any:
    return layers.BatchNormalization(axis=1)(layers.Conv1D(8, 1)(x))


def convolved_over_channels(layers: Any, x: Any) -> Any:
    return layers.Reshape((6, 4))(layers.Conv2D(1, 1)(layers.Reshape((6, 4, 1))(layers.Conv1D(4, 1)(x))))


@pytest.mark.parametrize("part", [in_groups, normalised_along_time, convolved_over_channels])
def test_a_layer_that_works_along_another_axis_stays_whole_among_others_that_shrink(part: Any) -> None:
    layers = keras().layers
    x = layers.Input((6, 3))
    hidden = layers.Dense(6, activation="sigmoid")(layers.Flatten()(part(layers, x)))
    model = zoo.with_random_weights(keras().Model(x, layers.Dense(2)(hidden)))
    smaller, wiring, gone = pruned(model, 0.5)
    rows = zoo.rows_for(model)
    assert smaller.count_params() < model.count_params()
    assert answers(smaller, rows) == pytest.approx(answers(masked(model, wiring, gone), rows), abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_random_graphs_answer_as_their_masked_models(seed: int) -> None:
    model = zoo.with_random_weights(random_graph(np.random.default_rng(seed)), seed)
    smaller, wiring, gone = pruned(model, 0.5, seed)
    rows = zoo.rows_for(model)
    expected = answers(masked(model, wiring, gone), rows)
    assert answers(smaller, rows) == pytest.approx(expected, abs=1e-5, rel=1e-4)


def random_graph(rng: np.random.Generator) -> Any:
    """Images that are convolved, normalised, added, multiplied and joined at random."""
    layers = keras().layers
    x = layers.Input((5, 5, 2))
    images = [layers.Conv2D(int(rng.integers(2, 6)), 3, padding="same")(x) for _ in range(2)]
    for _ in range(10):
        one, other = (images[i] for i in rng.integers(0, len(images), 2))
        same = one.shape == other.shape
        match int(rng.integers(0, 8)):
            case 0:
                images.append(layers.Add()([one, other]) if same else layers.Concatenate()([one, other]))
            case 1:
                images.append(layers.Multiply()([one, other]) if same else layers.BatchNormalization()(one))
            case 2:
                images.append(layers.Activation(str(rng.choice(["sigmoid", "relu", "softmax"])))(one))
            case 3:
                images.append(layers.DepthwiseConv2D(3, padding="same", depth_multiplier=int(rng.integers(1, 3)))(one))
            case 4:
                images.append(layers.LayerNormalization()(one) if rng.random() < 0.3 else layers.ReLU()(one))
            case 5:
                images.append(layers.Concatenate()([one, layers.BatchNormalization()(one)]))
            case _:
                images.append(layers.Conv2D(int(rng.integers(2, 6)), 1, activation="tanh")(one))
    y = layers.Concatenate()([layers.GlobalAveragePooling2D()(image) for image in images[-3:]])
    return keras().Model(x, layers.Dense(2)(y))


def test_a_narrow_model_has_its_share_of_filters_and_repeatable_weights() -> None:
    model = zoo.with_random_weights(zoo.built("residual"))
    narrow = narrowed(model, 0.5, seed=4)
    assert {name: narrow.get_layer(name).filters for name in ("stem", "inner", "outer")} == {
        "stem": 3,
        "inner": 2,
        "outer": 3,
    }
    again, other = narrowed(model, 0.5, seed=4), narrowed(model, 0.5, seed=5)
    assert all(np.array_equal(a, b) for a, b in zip(narrow.get_weights(), again.get_weights(), strict=True))
    assert not np.array_equal(narrow.get_weights()[0], other.get_weights()[0])


def test_a_narrow_model_keeps_what_was_measured_on_the_data() -> None:
    layers = keras().layers
    scale = layers.Normalization()
    scale.adapt(np.random.default_rng(0).normal(3, 2, (50, 4)).astype(np.float32))
    model = keras().Sequential([layers.Input((4,)), scale, layers.Dense(8), layers.Dense(2)])
    narrow = narrowed(model, 0.25, seed=0)
    assert narrow.layers[0].mean.numpy() == pytest.approx(scale.mean.numpy())
    assert narrow.layers[1].units == 2


def test_a_model_of_one_layer_cannot_be_made_narrower() -> None:
    layers = keras().layers
    model = keras().Sequential([layers.Input((4,)), layers.Dense(2)])
    with pytest.raises(InputError, match="no layer of this model can be made narrower") as caught:
        narrowed(model, 0.5, seed=0)
    assert caught.value.code == "compress.nothing-to-prune"
