"""What makes a filter worth keeping: its size, the loss, or the loss of the group that needs it most."""

from __future__ import annotations

from typing import Any

import neuron_models as zoo
import numpy as np
import pytest

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.neurons.channels import kept, wire
from audit_pipeline.compress.neurons.importance import importance
from audit_pipeline.compress.neurons.magnitude import magnitudes
from audit_pipeline.compress.neurons.taylor import taylor_scores
from audit_pipeline.compress.objective import Objective
from audit_pipeline.data.population import Split
from audit_pipeline.model.runtime import keras
from audit_pipeline.policy.steps import PruneNeurons
from audit_pipeline.predictions import Reading, Task
from audit_pipeline.progress import silent


def taught(x: Any, answers: Any, y: Any = None, groups: Any = None) -> Lesson:
    labels = np.zeros(len(x), np.int64) if y is None else np.asarray(y, np.int64)
    split = Split(np.asarray(x, np.float32), labels, groups or {}, None)
    squares = Objective("MeanSquaredError", {}, "by the test")
    return Lesson(split, np.asarray(answers, np.float32), squares, "rows", Reading(Task.CLASSIFICATION))


def scored(model: Any, lesson: Lesson, **settings: Any) -> tuple[Any, tuple[str, ...]]:
    asked = PruneNeurons.model_validate({"ratio": 0.5} | settings)
    found = importance(model, wire(model), asked, lesson, 0, silent)
    return found.scores, found.notes


def test_a_filter_is_as_large_as_its_normalisation_makes_it() -> None:
    layers = keras().layers
    model = keras().Sequential(
        [layers.Input((2,)), layers.Dense(3), layers.BatchNormalization(epsilon=0.0), layers.Dense(1)]
    )
    model.layers[0].set_weights([np.array([[1.0, -2.0, 4.0], [1.0, 2.0, -4.0]]), np.zeros(3)])
    model.layers[1].set_weights([np.array([1.0, -3.0, 0.0]), np.zeros(3), np.zeros(3), np.array([1.0, 4.0, 1.0])])
    norms = np.array([2.0, 4.0 * 3.0 / 2.0, 0.0])
    assert magnitudes(wire(model)) == pytest.approx(norms / norms.mean())


def test_coupled_filters_have_the_mean_of_their_layers() -> None:
    layers = keras().layers
    x = layers.Input((2,))
    both = layers.Add()([layers.Dense(2, name="a", use_bias=False)(x), layers.Dense(2, name="b", use_bias=False)(x)])
    model = keras().Model(x, layers.Dense(1)(both))
    model.get_layer("a").set_weights([np.array([[1.0, 3.0], [0.0, 0.0]])])
    model.get_layer("b").set_weights([np.array([[30.0, 10.0], [0.0, 0.0]])])
    assert magnitudes(wire(model)) == pytest.approx([(0.5 + 1.5) / 2, (1.5 + 0.5) / 2])


@pytest.mark.parametrize("name", ["residual", "squeezed", "multiplied_depthwise", "twice", "reshaped"])
def test_taylor_scores_are_squared_gradients_by_gates(name: str) -> None:
    """Against central differences of the loss in gates that the builder sets by hand."""
    model = zoo.with_random_weights(zoo.built(name))
    wiring, x = wire(model), zoo.rows_for(model)
    answers = np.zeros((len(x), model.output_shape[-1]))
    rows, weights = np.arange(len(x)), np.array([[0.5, 0.5, 0, 0, 0], [0, 0, 0.2, 0.2, 0.6]])
    found = taylor_scores(model, wiring, taught(x, answers), rows, weights, silent)

    def losses(unit: int, factor: float) -> Any:
        gone = np.arange(wiring.units) == unit
        gates = {layer: np.where(kept(end.outputs[0], gone), 1.0, factor) for layer, end in wiring.ends.items()}
        gated = zoo.built(name, zoo.gated(gates))
        for layer in gated.layers:
            if layer.weights:
                layer.set_weights(model.get_layer(layer.name).get_weights())
        return np.mean(gated(x, training=False).numpy().astype(np.float64) ** 2, axis=1)

    for unit in (0, wiring.units - 1):
        slope = (losses(unit, 1.02) - losses(unit, 0.98)) / 0.04
        assert found[:, unit] == pytest.approx(weights @ slope**2, rel=2e-2, abs=1e-7)


def test_rows_are_measured_as_at_inference_and_in_any_number_of_batches() -> None:
    model = zoo.with_random_weights(zoo.built("flattened"))  # has dropout
    x = np.random.default_rng(0).normal(size=(150, 7, 7, 2))
    lesson, each = taught(x, np.zeros((150, 3))), np.full((1, 150), 1 / 150)
    wiring = wire(model)
    whole = taylor_scores(model, wiring, lesson, np.arange(150), each, silent)
    alone = [
        taylor_scores(model, wiring, lesson, np.arange(r, r + 30), np.full((1, 30), 1 / 30), silent)
        for r in range(0, 150, 30)
    ]
    assert whole == pytest.approx(np.mean(alone, axis=0), rel=1e-4)


def specialists(seen: float = 1.0) -> Any:
    """Four units, each of which hands one feature on to one output."""
    layers = keras().layers
    model = keras().Sequential([layers.Input((4,)), layers.Dense(4, use_bias=False), layers.Dense(4, use_bias=False)])
    model.set_weights([np.eye(4), np.eye(4) * seen])
    return model


def test_what_only_a_small_group_needs_is_kept_for_it() -> None:
    rng = np.random.default_rng(0)
    group = np.where(np.arange(400) < 40, "few", "many")
    x = np.zeros((400, 4))
    x[group == "few", 0] = rng.normal(0, 1, 40)
    x[group == "many", 1] = rng.normal(0, 3, 360)
    x[:, 2] = rng.normal(0, 0.6, 400)
    lesson = taught(x, x * 3, groups={"who": group})
    plain, _ = scored(specialists(), lesson, importance="taylor")
    worst, notes = scored(specialists(), lesson, importance="worst_group", groups="who")
    assert plain[0] < plain[1] / 5
    assert worst[0] > 0.5
    assert worst[1] > 0.5
    assert worst[3] == 0
    assert notes[1] == "groups asked: who=few, who=many"


def test_a_group_whose_loss_is_large_has_no_more_say() -> None:
    rng = np.random.default_rng(0)
    group = np.where(np.arange(200) % 2 == 0, "loud", "quiet")
    x = rng.normal(size=(200, 4))
    x[group == "loud"] *= [1, 1, 0, 0]
    x[group == "quiet"] *= [0, 0, 1, 1]
    answers = np.where(group == "loud", 1000.0, 1.5)[:, None] * x
    worst, _ = scored(specialists(), taught(x, answers, groups={"who": group}), groups="who")
    assert worst == pytest.approx([0.5] * 4, abs=0.2)


def test_a_rare_class_counts_as_much_as_a_frequent_one() -> None:
    y = (np.arange(400) % 20 == 0).astype(int)
    x = np.zeros((400, 4))
    x[np.arange(400), y] = np.where(y == 1, 1, 3)  # and its loss is small
    lesson = taught(x, x * 2, y, {"who": np.full(400, "all")})
    worst, _ = scored(specialists(), lesson, groups="who")
    plain, _ = scored(specialists(), lesson, importance="taylor")
    assert worst == pytest.approx([0.5, 0.5, 0, 0])
    assert plain[1] == pytest.approx(plain[0] / 19 / 3**4)


def test_a_group_of_a_few_rows_is_not_asked_and_named() -> None:
    group = np.where(np.arange(200) < 5, "few", "many")
    x = np.random.default_rng(0).normal(size=(200, 4))
    _, notes = scored(specialists(), taught(x, x * 2, groups={"who": group}), groups="who")
    assert notes[1:] == ("groups asked: who=many", "not asked, as no class has 10 rows in them: who=few")


def test_the_same_seed_draws_and_scores_the_same() -> None:
    x = np.random.default_rng(0).normal(size=(500, 4))
    lesson = taught(x, x * 2)
    one, _ = scored(specialists(), lesson, rows=100)
    other, notes = scored(specialists(), lesson, rows=100)
    assert np.array_equal(one, other)
    assert "on 100 rows of the train split" in notes[0]
