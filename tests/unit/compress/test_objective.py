from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audit_pipeline.compress.lesson import class_answers
from audit_pipeline.compress.objective import objective
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras
from audit_pipeline.predictions import OutputKind, Reading, Score, Task

CLASSES = Reading(Task.CLASSIFICATION)
REGRESSION = Reading(Task.REGRESSION)
AUTOENCODER = Reading(Task.ANOMALY, 1.0, Score.RECONSTRUCTION_ERROR)
ANOMALY = Reading(Task.ANOMALY, 0.5)


@pytest.mark.parametrize(
    ("compiled", "loss"),
    [
        ("sparse_categorical_crossentropy", "CategoricalCrossentropy"),
        ("categorical_crossentropy", "CategoricalCrossentropy"),
        ("mse", "MeanSquaredError"),
        ({"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}}, "CategoricalCrossentropy"),
        ({"class_name": "CategoricalCrossentropy", "config": {"label_smoothing": 0.1}}, "CategoricalCrossentropy"),
        ({"class_name": "function", "config": "binary_crossentropy"}, "BinaryCrossentropy"),
    ],
)
def test_the_models_own_loss_is_kept(compiled: Any, loss: str) -> None:
    chosen = objective(compiled, OutputKind.SOFTMAX, 3, CLASSES)
    assert chosen.loss == loss
    assert "compiled with" in chosen.origin
    if isinstance(compiled, dict) and isinstance(compiled["config"], dict):
        assert chosen.settings == compiled["config"]


@pytest.mark.parametrize(
    ("kind", "units", "loss", "from_logits"),
    [
        (OutputKind.SOFTMAX, 4, "CategoricalCrossentropy", False),
        (OutputKind.LOGITS, 4, "CategoricalCrossentropy", True),
        (OutputKind.SIGMOID, 1, "BinaryCrossentropy", False),
        (OutputKind.LOGITS, 1, "BinaryCrossentropy", True),
        (OutputKind.SIGMOID, 4, "BinaryCrossentropy", False),
    ],
)
@pytest.mark.parametrize("compiled", [None, "my_own_loss", {"class_name": "Mine", "config": {}}, ["mse", "mse"]])
def test_without_a_known_loss_the_output_decides(
    kind: OutputKind, units: int, loss: str, from_logits: bool, compiled: Any
) -> None:
    chosen = objective(compiled, kind, units, CLASSES)
    assert (chosen.loss, chosen.settings) == (loss, {"from_logits": from_logits})


def test_a_sparse_loss_and_its_dense_form_on_one_hot_targets_are_equal() -> None:
    rng = np.random.default_rng(0)
    y, logits = rng.integers(0, 3, 8), rng.normal(size=(8, 3)).astype(np.float32)
    config = {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}}
    dense = objective(config, OutputKind.LOGITS, 3, CLASSES).instance()(class_answers(y, 3), logits)
    sparse = keras().losses.SparseCategoricalCrossentropy(from_logits=True)(y, logits)
    assert float(dense) == pytest.approx(float(sparse), rel=1e-6)


def test_one_unit_takes_labels_as_a_column() -> None:
    assert class_answers(np.array([0, 1, 1]), 1).tolist() == [[0.0], [1.0], [1.0]]
    assert class_answers(np.array([0, 2]), 3).tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("reading", [REGRESSION, AUTOENCODER])
@pytest.mark.parametrize("kind", OutputKind)
def test_numbers_are_learnt_by_the_squared_error(reading: Reading, kind: OutputKind) -> None:
    for compiled in (None, "my_own_loss", "binary_crossentropy", "sparse_categorical_crossentropy"):
        assert objective(compiled, kind, 1, reading).loss == "MeanSquaredError"
    assert "without a loss" in objective(None, kind, 1, reading).origin


@pytest.mark.parametrize("reading", [REGRESSION, AUTOENCODER])
def test_a_model_of_numbers_keeps_its_own_loss_of_numbers(reading: Reading) -> None:
    chosen = objective({"class_name": "Huber", "config": {"delta": 2.0}}, OutputKind.LOGITS, 1, reading)
    assert (chosen.loss, chosen.settings) == ("Huber", {"delta": 2.0})
    assert objective("mae", OutputKind.LOGITS, 1, reading).loss == "MeanAbsoluteError"


@pytest.mark.parametrize("compiled", [None, "mse", "binary_crossentropy"])
def test_a_probability_of_an_anomaly_is_learnt_by_cross_entropy(compiled: str | None) -> None:
    assert objective(compiled, OutputKind.SIGMOID, 1, ANOMALY).loss == "BinaryCrossentropy"


def test_an_anomaly_score_that_is_no_probability_is_not_fine_tuned() -> None:
    with pytest.raises(InputError) as caught:
        objective("binary_crossentropy", OutputKind.LOGITS, 1, ANOMALY)
    assert caught.value.code == "compress.no-loss"
    assert "finished .tflite" in str(caught.value.hint)
