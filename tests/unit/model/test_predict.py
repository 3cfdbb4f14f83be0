from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax

from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.predict import output_kind, predict_float
from audit_pipeline.model.runtime import keras, quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.predictions import OutputKind, Reading, Task, class_scores

CLASSES = Reading(Task.CLASSIFICATION)


def test_float_scores_are_the_models_own(source: SourceModel, trained: Any, population: Population) -> None:
    told: list[float] = []
    x = np.tile(population.evaluation.x, (4, 1, 1))
    predictions = predict_float(source, x, CLASSES, lambda _, done: told.append(done))
    np.testing.assert_allclose(predictions.scores, trained.predict(x, verbose=0), atol=1e-6)
    assert predictions.scores.dtype == np.float32
    assert (predictions.step, predictions.made_by) == (0.0, "float")
    assert told == sorted(told)
    assert told[-1] == 1.0


def end(units: int, *layers: Any, activation: str | None = None) -> Any:
    made = keras().layers
    return keras().Sequential([made.Input((4,)), made.Dense(units, activation=activation), *layers])


def test_what_outputs_are_is_read_from_the_last_layer() -> None:
    layers = keras().layers
    assert output_kind(end(3, activation="softmax"), "m", CLASSES) is OutputKind.SOFTMAX
    assert output_kind(end(3, layers.Softmax()), "m", CLASSES) is OutputKind.SOFTMAX
    assert output_kind(end(3, layers.Activation("softmax"), layers.Flatten()), "m", CLASSES) is OutputKind.SOFTMAX
    assert output_kind(end(1, activation="sigmoid"), "m", CLASSES) is OutputKind.SIGMOID
    assert output_kind(end(3), "m", CLASSES) is OutputKind.LOGITS
    nested = keras().Sequential([layers.Input((4,)), end(3, activation="softmax")])
    assert output_kind(nested, "m", CLASSES) is OutputKind.SOFTMAX


def test_one_unit_with_a_softmax_is_no_classifier() -> None:
    with pytest.raises(InputError) as caught:
        output_kind(end(1, activation="softmax"), "m", CLASSES)
    assert caught.value.code == "model.not-classifier"


def test_one_sigmoid_unit_is_the_second_of_two_classes(tmp_path: Path) -> None:
    model = end(1, activation="sigmoid")
    with quiet():
        model.save(tmp_path / "m.h5")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    scores = predict_float(inspect_model(tmp_path / "m.h5"), x, CLASSES).scores
    np.testing.assert_allclose(scores[:, 1], model.predict(x, verbose=0)[:, 0], atol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_logits_become_probabilities() -> None:
    logits = np.array([[2.0, -1.0, 800.0], [0.5, 0.25, 0.0]], np.float32)
    np.testing.assert_allclose(class_scores(logits, OutputKind.LOGITS), softmax(logits, axis=1), atol=1e-6)
    one = np.array([[-90.0], [0.0], [3.0]], np.float32)
    np.testing.assert_allclose(class_scores(one, OutputKind.LOGITS)[:, 1], expit(one[:, 0]), atol=1e-6)
    assert class_scores(logits, OutputKind.SOFTMAX) is logits
