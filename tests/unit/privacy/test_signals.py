"""What a losses-only attacker orders rows by, and which rows there are to order."""

from __future__ import annotations

import numpy as np
import pytest

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import Measured
from audit_pipeline.predictions import Predictions, Score, Task
from audit_pipeline.privacy.membership import membership
from audit_pipeline.privacy.signals import are_probabilities, sureness


def split(y: list[int], target: list[float] | None = None) -> Split:
    values = None if target is None else np.array(target)
    return Split(np.zeros((len(y), 1), np.float32), np.array(y), {}, None, values)


def column(scores: list[float], task: Task, **rest: object) -> Predictions:
    return Predictions(np.array(scores, np.float32)[:, None], 0.0, "float", task, **rest)  # type: ignore[arg-type]


def test_a_regression_is_surer_the_nearer_it_comes() -> None:
    predictions = column([10.0, 12.0, 7.0], Task.REGRESSION)
    assert sureness(predictions, split([0, 0, 0], [10.5, 10.5, 10.5]), bounded=True).tolist() == [-0.5, -1.5, -3.5]


def test_a_probability_of_an_anomaly_is_that_of_the_second_class() -> None:
    p = np.array([0.1, 0.8, 0.8, 1.0], np.float32)
    here = split([0, 0, 1, 1])
    anomalies = Predictions(p[:, None], 1 / 256, "device", Task.ANOMALY, threshold=0.5)
    classes = Predictions(np.stack([1 - p, p], axis=1), 1 / 256, "device")
    np.testing.assert_allclose(
        sureness(anomalies, here, bounded=True), sureness(classes, here, bounded=True), rtol=1e-5
    )


def test_another_score_counts_from_its_threshold() -> None:
    predictions = column([1.0, 5.0, 5.0, 1.0], Task.ANOMALY, threshold=2.0)
    assert sureness(predictions, split([0, 0, 1, 1]), bounded=False).tolist() == [1.0, -3.0, 3.0, -1.0]


def test_what_is_given_back_well_is_known_well() -> None:
    predictions = column([0.5, 2.0], Task.ANOMALY, score=Score.RECONSTRUCTION_ERROR, threshold=1.0)
    assert sureness(predictions, split([0, 0]), bounded=True).tolist() == [-0.5, -2.0]


@pytest.mark.parametrize(
    ("scores", "could_be"), [([0.0, 1.0], True), ([-0.1], False), ([1.1], False), ([np.nan], False)]
)
def test_scores_between_0_and_1_could_be_probabilities(scores: list[float], could_be: bool) -> None:
    assert are_probabilities(column(scores, Task.ANOMALY)) is could_be


def test_one_score_beyond_1_on_either_side_changes_the_measure_of_both() -> None:
    rng = np.random.default_rng(0)
    rows = 400
    here, there = split([0] * rows), split([0] * rows)
    inside = rng.uniform(0, 1, rows)
    outside = np.r_[rng.uniform(0, 1, rows - 1), 1.5]
    (part,) = membership(
        "float",
        column(list(inside), Task.ANOMALY, threshold=0.9),
        column(list(outside), Task.ANOMALY, threshold=0.9),
        here,
        there,
        ["overall"],
        0.1,
        0,
        0.95,
    )
    assert part.auc == pytest.approx(0.5, abs=0.06)


def autoencoder(members: np.ndarray, others: np.ndarray, odd: int) -> tuple[float, float | None]:
    """Share of members recognised, and the area under the curve; the last `odd` rows of each side are anomalies."""

    def side(errors: np.ndarray) -> tuple[Predictions, Split]:
        y = np.zeros(len(errors), np.int64)
        y[len(errors) - odd :] = 1
        here = Split(np.zeros((len(errors), 1), np.float32), y, {}, None)
        return column(list(errors), Task.ANOMALY, score=Score.RECONSTRUCTION_ERROR, threshold=1.0), here

    (first, train), (second, evaluation) = side(members), side(others)
    (part,) = membership("float", first, second, train, evaluation, ["overall"], 0.1, 3, 0.95)
    assert isinstance(part.tpr, Measured)
    assert part.tpr.rows == len(members) - odd
    return part.tpr.estimate, part.auc


def test_anomalies_are_neither_members_nor_not() -> None:
    rng = np.random.default_rng(1)
    normal, odd = rng.gamma(2, 1, (2, 1000)), np.full(500, 100.0)
    tpr, auc = autoencoder(np.r_[normal[0], odd], np.r_[normal[1], odd], odd=500)
    assert tpr == pytest.approx(0.1, abs=0.05)
    assert auc == pytest.approx(0.5, abs=0.04)


def test_an_autoencoder_that_learnt_its_rows_by_heart_is_found_out() -> None:
    rng = np.random.default_rng(2)
    tpr, auc = autoencoder(rng.uniform(0, 0.1, 500), rng.uniform(0.2, 1, 500), odd=0)
    assert (tpr, auc) == (1.0, 1.0)


def test_a_regression_that_learnt_its_rows_by_heart_is_found_out() -> None:
    rng = np.random.default_rng(3)
    target = rng.normal(100, 10, 500)
    here = split([0] * 500, list(target))
    near = column(list(target + rng.normal(0, 0.01, 500)), Task.REGRESSION)
    far = column(list(target + rng.normal(0, 5, 500)), Task.REGRESSION)
    (part,) = membership("device", near, far, here, here, ["overall"], 0.05, 1, 0.95)
    assert isinstance(part.tpr, Measured)
    assert part.tpr.estimate > 0.9
