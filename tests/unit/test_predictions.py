"""Scores and labels by task."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audit_pipeline.errors import InputError
from audit_pipeline.predictions import OutputKind, Predictions, Reading, Score, Task, class_scores, reconstruction_error

AUTOENCODER = Reading(Task.ANOMALY, threshold=1.0, score=Score.RECONSTRUCTION_ERROR)


def column(*scores: float) -> np.ndarray:
    return np.array(scores, dtype=np.float32)[:, None]


def test_without_a_threshold_the_first_of_the_highest_scores_is_the_label() -> None:
    scores = np.array([[0.2, 0.4, 0.4], [0.5, 0.5, 0.0]], np.float32)
    assert Predictions(scores, 0.0, "float").labels.tolist() == [1, 0]


def test_logits_without_end_give_no_number_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = class_scores(np.array([[np.inf, np.inf], [3e38, -3e38]], np.float32), OutputKind.LOGITS)
    assert np.isnan(scores[0]).all()
    assert scores[1].tolist() == [1.0, 0.0]


def test_an_anomaly_lies_above_its_threshold_and_not_on_it() -> None:
    predictions = Predictions(column(2.9, 3.0, 3.1), 0.0, "float", Task.ANOMALY, threshold=3.0)
    assert predictions.labels.tolist() == [0, 0, 1]
    assert predictions.labels.dtype == np.int64


def test_a_threshold_of_two_classes_is_for_the_second() -> None:
    p = np.array([0.2, 0.3, 0.4], np.float32)
    predictions = Predictions(np.stack([1 - p, p], axis=1), 0.0, "float", threshold=0.25)
    assert predictions.labels.tolist() == [0, 1, 1]


def test_thresholds_are_compared_in_float32_as_firmware_does() -> None:
    assert Predictions(column(0.1), 0.0, "float", Task.ANOMALY, threshold=0.1).labels.tolist() == [0]


def test_a_regression_has_no_labels_to_ask_for() -> None:
    with pytest.raises(ValueError, match="not a class"):
        _ = Predictions(column(1.0), 0.0, "float", Task.REGRESSION).labels


@pytest.mark.parametrize("kind", OutputKind)
@pytest.mark.parametrize("task", [Task.REGRESSION, Task.ANOMALY])
def test_one_unit_of_another_task_is_its_own_score(task: Task, kind: OutputKind) -> None:
    outputs = column(-3.0, 170.0)
    np.testing.assert_array_equal(Reading(task).scores(outputs, kind, np.zeros((2, 5), np.float32)), outputs)


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.ANOMALY])
def test_several_units_are_no_score_of_another_task(task: Task) -> None:
    with pytest.raises(InputError) as caught:
        Reading(task).scores(np.zeros((4, 3), np.float32), OutputKind.LOGITS, np.zeros((4, 5), np.float32))
    assert caught.value.code == "model.output-shape"
    assert f"3 values a row, and a model for {task} must give one" in caught.value.what


@given(arrays.arrays(np.float32, (2, 3, 4, 2), elements=st.floats(-100, 100, width=32)))
def test_the_reconstruction_error_is_the_mean_of_squares(both: np.ndarray) -> None:
    x, outputs = both
    expected = [[sum((float(o) - float(i)) ** 2 for o, i in zip(out.flat, row.flat, strict=True)) / 8]
                for out, row in zip(outputs, x, strict=True)]  # fmt: skip
    scores = AUTOENCODER.scores(outputs.reshape(3, 8), OutputKind.LOGITS, x)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-9)


def test_a_reconstruction_of_another_size_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        reconstruction_error(np.zeros((4, 7), np.float32), np.zeros((4, 8, 1), np.float32))
    assert caught.value.code == "model.output-shape"


def test_outputs_that_are_not_finite_give_such_an_error_without_a_warning() -> None:
    outputs = np.array([[np.nan, 0], [np.inf, 0], [3e38, -3e38]], np.float32)
    x = np.array([[0, 0], [np.inf, 0], [-3e38, 3e38]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not np.isfinite(reconstruction_error(outputs, x)).any()


def test_predictions_carry_their_reading_and_a_reconstruction_lies_on_no_grid() -> None:
    made = AUTOENCODER.predictions(column(1.5), 0.25, "tflite-micro")
    assert (made.task, made.threshold, made.score) == (Task.ANOMALY, 1.0, Score.RECONSTRUCTION_ERROR)
    assert (made.step, made.labels.tolist()) == (0.0, [1])
    assert Reading(Task.REGRESSION).predictions(column(1.5), 0.25, "tflite-micro").step == 0.25
