from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lessons import tones_lesson, untrained
from numpy.typing import NDArray

from audit_pipeline.compress.fine_tune import fine_tune
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.prune_weights import prune_weights
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.policy.steps import FineTune, PruneWeights
from audit_pipeline.progress import silent


def settings(**given: Any) -> PruneWeights:
    return PruneWeights.model_validate({"batch_size": 64, "epochs": 2} | given)


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


@pytest.fixture(scope="module")
def model() -> Any:
    layers = keras_runtime(2).layers
    return keras().Sequential(
        [
            layers.Input((20, 1)),
            layers.Reshape((20, 1, 1)),
            layers.Conv2D(8, (5, 1), activation="relu", name="first"),
            layers.Conv2D(8, (3, 1), strides=2, activation="relu", name="second"),
            layers.Flatten(),
            layers.Dense(10, activation="relu", name="hidden"),
            layers.Dense(3, activation="softmax", name="out"),
        ]
    )


def kernel(model: Any, name: str) -> NDArray[np.float32]:
    weights: NDArray[np.float32] = model.get_layer(name).kernel.numpy()
    return weights


def test_of_every_four_weights_along_the_inputs_two_are_zero(model: Any, taught: Lesson) -> None:
    """After one step as well: a batch holds all rows."""
    pruned, part = prune_weights(model, settings(pattern="2:4", epochs=1, batch_size=600), taught, 1, silent)
    by_input = {"second": kernel(pruned, "second").transpose(3, 0, 1, 2), "hidden": kernel(pruned, "hidden").T}
    for weights in by_input.values():
        fours = weights.reshape(-1, 4)
        assert ((fours == 0).sum(axis=1) == 2).all()
    assert (kernel(pruned, "first") != 0).all()  # one input channel: there are no four to choose from
    assert any("flash does not shrink" in note for note in part.notes)


def test_whole_blocks_are_zero_and_their_share_is_the_sparsity(model: Any, taught: Lesson) -> None:
    how = settings(pattern="block", block=(2, 5), sparsity=0.5, schedule="constant")
    pruned, part = prune_weights(model, how, taught, 1, silent)
    blocks = kernel(pruned, "hidden").reshape(28, 2, 2, 5).transpose(0, 2, 1, 3).reshape(-1, 10)
    zeros = (blocks == 0).sum(axis=1)
    assert set(zeros) == {0, 10}
    assert (zeros == 10).mean() == pytest.approx(0.5, abs=0.03)
    assert part.notes[-1].endswith("in blocks of 2×5: first, second, out")


def test_a_pattern_that_no_layer_takes_is_an_error(taught: Lesson) -> None:
    with pytest.raises(InputError, match="two of four") as caught:
        only = keras().Sequential(
            [keras().layers.Input((20, 1)), keras().layers.Conv1D(3, 20), keras().layers.Flatten()],
        )
        prune_weights(only, settings(pattern="2:4"), taught, 1, silent)
    assert caught.value.code == "compress.nothing-to-prune"


def test_early_stopping_keeps_an_epoch_that_is_as_sparse_as_was_asked_for(taught: Lesson) -> None:
    """Held-out loss is lowest while nothing is pruned yet; that epoch must not come back."""
    how = settings(sparsity=0.9, epochs=8, patience=1, learning_rate=0.01)
    dense, _ = fine_tune(untrained(), FineTune(epochs=8, batch_size=32, learning_rate=0.01), taught, 1, silent)
    pruned, part = prune_weights(dense, how, taught, 1, silent)
    weights = [layer.kernel.numpy() for layer in pruned.layers if hasattr(layer, "kernel")]
    share = sum(int((each == 0).sum()) for each in weights) / sum(each.size for each in weights)
    assert share == pytest.approx(0.9, abs=0.03)
    assert any("held out" in note for note in part.notes)


@pytest.mark.parametrize("schedule", ["polynomial", "constant"])
def test_the_mean_of_epochs_is_as_sparse_as_was_asked_for(schedule: str, taught: Lesson) -> None:
    how = settings(sparsity=0.8, epochs=4, average=True, schedule=schedule, learning_rate=0.02)
    pruned, part = prune_weights(untrained(), how, taught, 1, silent)
    assert (pruned.layers[0].kernel.numpy() == 0).mean() == pytest.approx(0.8, abs=0.03)
    assert "the weights are the mean over the last 1 of 4 epochs" in part.notes
