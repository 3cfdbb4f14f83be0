"""The step: a smaller model, and what was done to it in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audit_pipeline.compress.lesson import lesson
from audit_pipeline.compress.objective import Objective
from audit_pipeline.compress.prune_neurons import prune_neurons
from audit_pipeline.compress.recipe import compress
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.model.runtime import keras
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.policy.steps import PruneNeurons
from audit_pipeline.progress import silent


def step(model: Any, population: Population, **settings: Any) -> tuple[Any, StepPart]:
    asked = PruneNeurons.model_validate({"ratio": 0.25} | settings)
    units = model.output_shape[-1]
    taught = lesson(population.development, Objective("CategoricalCrossentropy", {}, "by the test"), units)
    return prune_neurons(model, asked, taught, 7, silent)


def test_the_notes_say_what_went_and_what_stayed(trained: Any, population: Population) -> None:
    smaller, part = step(trained, population, importance="worst_group", groups="group", rows=200)
    convolution, _, _, _, hidden, last = trained.layers
    assert smaller.count_params() < trained.count_params()
    assert part.technique == "prune_neurons"
    assert part.settings["rows"] == 200
    assert part.notes[0].startswith(f"parameters {trained.count_params()} → {smaller.count_params()}: ")
    assert part.notes[1] == f"filters and units removed: {convolution.name} 2 of 8, {hidden.name} 4 of 16"
    assert part.notes[2] == f"left whole: {last.name}, as the softmax of {last.name} needs every unit"
    assert "groups asked: group=a, group=b" in part.notes


@pytest.mark.parametrize("asked", ["l1", "taylor", "worst_group"])
def test_the_same_seed_gives_the_same_weights(trained: Any, population: Population, asked: str) -> None:
    one, _ = step(trained, population, importance=asked, rows=100)
    other, _ = step(trained, population, importance=asked, rows=100)
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_half_of_the_units_can_go_where_the_loss_does_not_need_them(trained: Any, population: Population) -> None:
    x, y = population.evaluation.x, population.evaluation.y
    smaller, _ = step(trained, population, importance="taylor", ratio=0.5, rows=600)
    assert np.mean(np.argmax(smaller.predict(x, verbose=0), axis=1) == y) > 0.75


def test_a_model_with_nothing_to_remove_is_refused(population: Population) -> None:
    layers = keras().layers
    model = keras().Sequential(
        [layers.Input((20, 1)), layers.LSTM(3, name="memory"), layers.Dense(3, activation="softmax", name="class")]
    )
    with pytest.raises(InputError, match=r"no filter or unit of this model can go .*the softmax of class") as caught:
        step(model, population)
    assert caught.value.code == "compress.nothing-to-prune"


def test_a_ratio_of_less_than_one_filter_is_refused(trained: Any, population: Population) -> None:
    with pytest.raises(InputError, match=r"a share of 0\.02 is one") as caught:
        step(trained, population, ratio=0.02)
    assert caught.value.code == "compress.nothing-to-prune"


def test_flash_shrinks(source: SourceModel, quantize_only: Compress, population: Population) -> None:
    steps = ({"prune_neurons": {"ratio": 0.5, "importance": "l1"}}, *quantize_only.model_dump()["recipe"])
    pruned = compress(source, Compress.model_validate({"recipe": steps, "seed": 5}), population)
    whole = compress(source, quantize_only, population)
    assert len(pruned.tflite) < len(whole.tflite)
    assert pruned.part.steps[0].parameters is not None
    assert pruned.part.steps[0].parameters < source.part.parameters
