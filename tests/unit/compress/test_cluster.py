from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from lessons import accuracy, equal_weights, tones_lesson, untrained
from numpy.typing import NDArray

from audit_pipeline.compress.cluster import cluster
from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.fine_tune import fine_tune
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.prune_weights import prune_weights
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.policy.steps import Cluster, FineTune, PruneWeights
from audit_pipeline.progress import silent

SHARED = ("first", "hidden")


def settings(**given: Any) -> Cluster:
    return Cluster.model_validate({"batch_size": 64, "epochs": 2} | given)


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


@pytest.fixture(scope="module")
def model(taught: Lesson) -> Any:
    layers = keras_runtime(2).layers
    model = keras().Sequential(
        [
            layers.Input((20, 1)),
            layers.Conv1D(8, 5, strides=2, use_bias=False, name="first"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((8, 1, 8)),
            layers.DepthwiseConv2D((5, 1), name="depthwise"),
            layers.Flatten(),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(3, activation="softmax", name="out"),
        ]
    )
    return fine_tune(model, FineTune(epochs=6, batch_size=32, learning_rate=0.01), taught, 1, silent)[0]


def kernel(model: Any, name: str) -> NDArray[np.float32]:
    weights: NDArray[np.float32] = model.get_layer(name).kernel.numpy()
    return weights


@pytest.fixture(scope="module")
def pruned(model: Any, taught: Lesson) -> Any:
    return prune_weights(model, PruneWeights(sparsity=0.6, epochs=1, batch_size=64), taught, 1, silent)[0]


@pytest.fixture(scope="module")
def made(model: Any, taught: Lesson) -> tuple[Any, Any]:
    return cluster(model, settings(clusters=8), taught, 1, silent)


def test_every_layers_weights_take_as_many_values_as_there_are_clusters(made: Any, model: Any, taught: Lesson) -> None:
    shared, _ = made
    for name in SHARED:
        assert 4 <= len(np.unique(kernel(shared, name))) <= 8 < len(np.unique(kernel(model, name)))
    assert accuracy(shared, taught) > accuracy(model, taught) - 0.05
    assert [type(layer).__name__ for layer in shared.layers] == [type(layer).__name__ for layer in model.layers]


def test_the_notes_say_what_flash_does_and_what_was_left(made: Any) -> None:
    notes = made[1].notes
    assert "flash does not shrink" in notes[0]
    assert notes[-1].endswith("does not cluster them: depthwise")


def test_the_tflite_zips_better_and_is_no_smaller(made: Any, model: Any, taught: Lesson) -> None:
    plain, shared = (convert(each, taught.x[:60], "int8", silent) for each in (model, made[0]))
    assert abs(len(plain) - len(shared)) < 64
    assert len(zlib.compress(shared, 9)) < 0.85 * len(zlib.compress(plain, 9))


def test_the_same_seed_gives_the_same_weights_and_the_model_stays_as_it_was(
    made: Any, model: Any, taught: Lesson
) -> None:
    before = [weight.copy() for weight in model.get_weights()]
    again, _ = cluster(model, settings(clusters=8), taught, 1, silent)
    assert equal_weights(made[0], again)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_early_stopping_keeps_shared_weights(model: Any, taught: Lesson) -> None:
    shared, part = cluster(model, settings(clusters=8, epochs=4, patience=1, balance="group"), taught, 1, silent)
    assert all(len(np.unique(kernel(shared, name))) <= 8 for name in SHARED)
    assert any("held out" in note for note in part.notes)


def test_zeros_of_an_earlier_step_stay(pruned: Any, taught: Lesson) -> None:
    shared, _ = cluster(pruned, settings(clusters=8, epochs=1), taught, 1, silent)
    for name in SHARED:
        assert (kernel(shared, name)[kernel(pruned, name) == 0] == 0).all()
        assert len(np.unique(kernel(shared, name))) <= 8
    again, _ = cluster(shared, settings(clusters=8, epochs=1), taught, 1, silent)
    assert all(len(np.unique(kernel(again, name))) <= 8 for name in SHARED)
    assert all((kernel(again, name)[kernel(pruned, name) == 0] == 0).all() for name in SHARED)


def test_two_clusters_cannot_keep_zeros_and_say_so(pruned: Any, taught: Lesson) -> None:
    shared, part = cluster(pruned, settings(clusters=2, epochs=1), taught, 1, silent)
    assert all(len(np.unique(kernel(shared, name))) == 2 for name in SHARED)
    assert any("are lost" in note for note in part.notes)


def test_a_model_with_nothing_to_cluster_says_so(taught: Lesson) -> None:
    layers = keras().layers
    bare = keras().Sequential(
        [layers.Input((20, 1)), layers.Reshape((20, 1, 1)), layers.DepthwiseConv2D((18, 1)), layers.Flatten()]
    )
    with pytest.raises(InputError) as caught:
        cluster(bare, settings(clusters=4), taught, 1, silent)
    assert caught.value.code == "compress.nothing-to-cluster"


def test_biases_that_start_at_zero_are_no_zeros_of_an_earlier_step(taught: Lesson) -> None:
    _, part = cluster(untrained(), Cluster(clusters=4, epochs=1), taught, 1, silent)
    assert not any("zeros" in note for note in part.notes)
