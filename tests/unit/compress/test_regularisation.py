from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lessons import tones_lesson, untrained
from pydantic import ValidationError

import audit_pipeline.compress.distill
from audit_pipeline.compress.distill import distill
from audit_pipeline.compress.fine_tune import fine_tune
from audit_pipeline.compress.lesson import Lesson, smoothed
from audit_pipeline.compress.objective import Objective
from audit_pipeline.compress.optimizer import optimizer
from audit_pipeline.compress.training import Aim
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, keras_runtime, tensorflow
from audit_pipeline.policy.steps import Distill, FineTune
from audit_pipeline.progress import silent


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


def settings(**given: Any) -> FineTune:
    return FineTune.model_validate({"epochs": 1, "batch_size": 64, "learning_rate": 0.01} | given)


def test_labels_are_spread_over_the_classes(taught: Lesson) -> None:
    soft = smoothed(taught, 0.3)
    np.testing.assert_allclose(np.unique(soft.answers), [0.1, 0.8], rtol=1e-6)
    np.testing.assert_allclose(soft.answers.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(soft.answers.argmax(axis=1), taught.split.y)
    assert smoothed(taught, 0.0) is taught


def test_units_that_each_choose_for_themselves_have_two_classes(taught: Lesson) -> None:
    binary = replace(taught, objective=Objective("BinaryCrossentropy", {}, "by the test"))
    np.testing.assert_allclose(np.unique(smoothed(binary, 0.2).answers), [0.1, 0.9], rtol=1e-6)


@pytest.mark.parametrize("loss", ["CategoricalCrossentropy", "BinaryCrossentropy"])
def test_smoothing_is_what_keras_losses_do(taught: Lesson, loss: str) -> None:
    lesson = replace(taught, objective=Objective(loss, {}, "by the test"))
    outputs = np.random.default_rng(0).dirichlet(np.ones(3), len(lesson)).astype(np.float32)
    ours = lesson.objective.instance().call(smoothed(lesson, 0.2).answers, outputs)
    theirs = getattr(keras().losses, loss)(label_smoothing=0.2).call(lesson.answers, outputs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_answers_that_are_no_labels_are_not_softened(taught: Lesson) -> None:
    number = replace(taught, objective=Objective("MeanSquaredError", {}, "by the test"))
    with pytest.raises(InputError) as caught:
        fine_tune(untrained(), settings(label_smoothing=0.1), number, 1, silent)
    assert caught.value.code == "compress.nothing-to-smooth"


def test_kernels_decay_apart_from_the_gradient_and_biases_do_not() -> None:
    """Loshchilov & Hutter 2019, algorithm 2: without a gradient a kernel shrinks by (1 − rate · decay) a step."""
    model = keras_runtime(1).Sequential([keras().layers.Input((2,)), keras().layers.Dense(3, bias_initializer="ones")])
    before = model.get_weights()
    made = optimizer(model, settings(weight_decay=0.5), 1)
    none = [tensorflow().zeros_like(variable) for variable in model.trainable_variables]
    made.apply_gradients(zip(none, model.trainable_variables, strict=True))
    np.testing.assert_allclose(model.get_weights()[0], before[0] * (1 - 0.01 * 0.5), rtol=1e-6)
    np.testing.assert_array_equal(model.get_weights()[1], before[1])


def test_softer_labels_make_a_model_less_sure_and_decay_makes_weights_smaller(taught: Lesson) -> None:
    plain, soft, decayed = (
        fine_tune(untrained(), settings(epochs=3, **given), taught, 1, silent)
        for given in ({}, {"label_smoothing": 0.3}, {"weight_decay": 0.5})
    )
    tops = [np.asarray(model(taught.x, training=False)).max(axis=1).mean() for model, _ in (plain, soft)]
    assert tops[1] < tops[0] - 0.1
    assert "30.0% of each label is spread over the classes" in soft[1].notes
    sizes = [sum(float((weight**2).sum()) for weight in model.get_weights()) for model, _ in (plain, decayed)]
    assert sizes[1] < sizes[0]
    assert [part.settings["optimizer"] for _, part in (plain, decayed)] == ["Adam", "AdamW"]
    assert "kernels decay by 0.5 × learning rate at each step" in decayed[1].notes


def test_distillation_softens_the_labels_and_not_the_teacher(taught: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Aim] = []

    def seen(*_: Any, aim: Aim) -> tuple[str, ...]:
        given.append(aim)
        return ()

    monkeypatch.setattr(audit_pipeline.compress.distill, "fit", seen)
    settings = Distill(weight=0.5, blend=False, label_smoothing=0.3)
    teacher = untrained(seed=8)
    distill(untrained(), settings, teacher, taught, 1, silent)
    labels, taught_by = np.split(given[0].answers, 2, axis=-1)
    np.testing.assert_allclose(np.unique(labels), [0.1, 0.8], rtol=1e-6)
    np.testing.assert_allclose(taught_by, teacher(taught.x, training=False), atol=1e-6)


def test_labels_that_do_not_count_are_not_to_be_softened() -> None:
    with pytest.raises(ValidationError, match="labels do not count at weight 1"):
        Distill(label_smoothing=0.1)
