"""Metrics of scores against scikit-learn on the rows, and influence against the jackknife."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error as sklearn_mae
from sklearn.metrics import roc_auc_score, root_mean_squared_error

from audit_pipeline.data.population import Split
from audit_pipeline.evaluate import scores
from audit_pipeline.evaluate.cells import count_cells
from audit_pipeline.evaluate.scores import ScoreValue, score_metric
from audit_pipeline.predictions import Predictions, Task

Measure = Callable[[np.ndarray, np.ndarray], ScoreValue]


@pytest.fixture(autouse=True)
def _no_warnings() -> None:
    warnings.simplefilter("error")


def ranking(rows: int = 400, levels: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    positive = rng.random(rows) < 0.2
    return np.round(rng.normal(positive * 1.2, 1) * levels / 6) / levels, positive


def calibration(rows: int = 900) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.45, 0.9, rows).astype(np.float32)
    return confidence, rng.random(rows) < confidence**3  # overconfident in every bin, away from the kink


def test_auc_is_that_of_scikit_learn_with_ties() -> None:
    score, positive = ranking()
    assert len(np.unique(score)) < 40
    found = scores.auc(score, positive, np.ones(len(score), np.int64))
    assert found.value == pytest.approx(roc_auc_score(positive, score), rel=1e-14)
    assert found.scarce == positive.sum()


def test_auc_of_weighted_cells_is_that_of_their_rows() -> None:
    score, positive = ranking(60)
    rows = np.random.default_rng(3).integers(1, 6, len(score))
    found = scores.auc(score, positive, rows)
    assert found.value == pytest.approx(roc_auc_score(positive.repeat(rows), score.repeat(rows)), rel=1e-14)
    assert (rows * found.influence).sum() == pytest.approx(0, abs=1e-9)


def test_a_constant_score_ranks_like_a_coin() -> None:
    found = scores.auc(np.zeros(9), np.arange(9) < 4, np.ones(9, np.int64))
    assert found.value == 0.5
    assert not found.influence.any()


@pytest.mark.parametrize("positive", [np.ones(5, bool), np.zeros(5, bool), np.zeros(0, bool)])
def test_one_side_alone_has_no_ranking(positive: np.ndarray) -> None:
    rows = np.ones(len(positive), np.int64)
    found = scores.auc(np.linspace(0, 1, len(positive)), positive, rows)
    assert math.isnan(found.value)
    assert found.scarce == 0
    assert np.isnan(found.influence).all()
    assert len(found.influence) == len(rows)


def test_calibration_error_is_guos() -> None:
    confidence, correct = calibration()
    confidence[:3] = [0.0, 1.0, np.float32(0.2)]
    expected, edges = 0.0, np.linspace(0, 1, 16, dtype=np.float32)
    for low, high in pairwise(edges):
        inside = ((confidence > low) | ((low == 0) & (confidence == 0))) & (confidence <= high)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean(dtype=np.float64))
    found = scores.expected_calibration_error(confidence, correct, np.ones(len(correct), np.int64))
    assert found.value == pytest.approx(expected, rel=1e-12)


def test_errors_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    target, predicted, rows = rng.normal(50, 9, 200), rng.normal(50, 9, 200), rng.integers(1, 5, 200)
    error = predicted - target
    assert scores.mean_absolute_error(error, rows).value == pytest.approx(
        sklearn_mae(target, predicted, sample_weight=rows), rel=1e-14
    )
    assert scores.root_mean_squared_error(error, rows).value == pytest.approx(
        root_mean_squared_error(target, predicted, sample_weight=rows), rel=1e-14
    )


def test_large_and_absent_errors_are_measured() -> None:
    rows = np.array([1, 3])
    assert scores.root_mean_squared_error(np.array([1e200, 1e200]), rows).value == pytest.approx(1e200)
    none = scores.root_mean_squared_error(np.zeros(2), rows)
    assert (none.value, none.influence.tolist()) == (0.0, [0.0, 0.0])


@pytest.mark.parametrize("name", ["expected_calibration_error", "mean_absolute_error", "root_mean_squared_error"])
def test_without_rows_nothing_is_measured(name: str) -> None:
    empty = np.zeros(0)
    arguments = (empty, empty > 0) if name == "expected_calibration_error" else (empty,)
    assert math.isnan(getattr(scores, name)(*arguments, np.zeros(0, np.int64)).value)


@pytest.mark.parametrize(
    "name", ["auc", "expected_calibration_error", "mean_absolute_error", "root_mean_squared_error"]
)
def test_influence_is_what_leaving_one_row_out_shows(name: str) -> None:
    if name == "auc":
        columns = ranking()
    elif name == "expected_calibration_error":
        columns = calibration()
    else:
        columns = (np.random.default_rng(5).normal(1, 2, 500),)
    rows = np.ones(len(columns[0]), np.int64)
    whole = getattr(scores, name)(*columns, rows)
    assert whole.influence.sum() == pytest.approx(0, abs=1e-9)
    for row in range(0, len(rows), 7):
        left = np.arange(len(rows)) != row
        less = getattr(scores, name)(*(column[left] for column in columns), rows[left])
        assert (whole.value - less.value) * (len(rows) - 1) == pytest.approx(whole.influence[row], rel=0.03, abs=0.01)


def test_a_group_is_measured_on_its_own_cells() -> None:
    rng = np.random.default_rng(6)
    y, sex = rng.integers(0, 3, 500), rng.choice(["f", "m"], 500)
    probabilities = rng.dirichlet((1, 1, 1), 500).astype(np.float32)
    probabilities[250:] = probabilities[:250]
    split = Split(np.zeros((500, 1), np.float32), y, {"sex": sex}, None)
    cells = count_cells(None, Predictions(probabilities, 0.0, "float"), split, "NSV", with_scores=True)
    assert cells.after_scores is not None
    where = np.flatnonzero(cells.groups_of("sex").number == 1)
    group = sex == "m"
    found = score_metric("auc", cells, cells.after_scores, where, {1, 2})
    expected = roc_auc_score(y[group] > 0, probabilities[group][:, 1:].sum(1, dtype=np.float64))
    assert found.value == pytest.approx(expected, rel=1e-14)
    assert len(found.influence) == len(where)
    error = score_metric("expected_calibration_error", cells, cells.after_scores, where)
    direct = scores.expected_calibration_error(
        probabilities[group].max(1), probabilities[group].argmax(1) == y[group], np.ones(group.sum(), np.int64)
    )
    assert error.value == pytest.approx(direct.value, rel=1e-12)


def test_anomalies_rank_by_their_score_and_regressions_miss_their_target() -> None:
    rng = np.random.default_rng(7)
    y, made = rng.integers(0, 2, 80), rng.normal(size=(80, 1)).astype(np.float32)
    x = np.zeros((80, 1), np.float32)
    odd = count_cells(
        None, Predictions(made, 0.0, "float", Task.ANOMALY, 0.5), Split(x, y, {}, None), "NA", with_scores=True
    )
    assert odd.after_scores is not None
    everything = np.arange(len(odd))
    assert score_metric("auc", odd, odd.after_scores, everything, {1}).value == pytest.approx(roc_auc_score(y, made))
    target = rng.normal(size=80)
    number = count_cells(
        None, Predictions(made, 0.0, "float", Task.REGRESSION), Split(x, np.zeros(80, np.int64), {}, None, target), ()
    )
    assert number.after_scores is not None
    everything = np.arange(len(number))
    assert score_metric("mae", number, number.after_scores, everything).value == pytest.approx(
        np.abs(made[:, 0] - target).mean()
    )
    with pytest.raises(KeyError):
        score_metric("likelihood", number, number.after_scores, everything)


def test_chance_raises_a_calibration_error_by_no_more_than_is_said() -> None:
    """Of a calibrated model, whose true error is zero, so that all that is measured is chance."""
    rng = np.random.default_rng(6)
    found = []
    for _ in range(300):
        confidence = rng.uniform(0.5, 1, 60).astype(np.float32)
        rows = np.ones(60, np.int64)
        found.append(scores.expected_calibration_error(confidence, rng.random(60) < confidence, rows))
    raised, said = np.mean([each.value for each in found]), np.mean([each.inflation for each in found])
    assert 0.05 < raised < said < 1.25 * raised
