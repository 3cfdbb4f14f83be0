"""Replicates of metrics, against resampling the rows or the people themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, precision_score

from audit_pipeline.data.population import Split
from audit_pipeline.evaluate.cells import count_cells
from audit_pipeline.evaluate.confusion import confusion_metric
from audit_pipeline.evaluate.replicates import Replicates, replicate_metrics
from audit_pipeline.predictions import Predictions

METRICS = (confusion_metric("balanced_accuracy", 3), confusion_metric("precision", 3, {1, 2}))


def world() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    person, y = rng.integers(0, 15, 600), rng.choice(3, 600, p=[0.5, 0.3, 0.2])
    before = np.where(rng.random(600) < 0.9, y, rng.integers(0, 3, 600))
    after = np.where(rng.random(600) < 0.9 - person / 30, before, rng.integers(0, 3, 600))
    return person, np.array(["f", "m"])[person % 2], y, before, after


def replicates(*, named: bool, with_before: bool = True, count: int = 1500) -> Replicates:
    person, sex, y, before, after = world()
    split = Split(np.zeros((600, 1), np.float32), y, {"sex": sex}, person.astype(str) if named else None)
    one_hot = np.eye(3, dtype=np.float32)
    cells = count_cells(
        Predictions(one_hot[before], 0.0, "float") if with_before else None,
        Predictions(one_hot[after], 0.0, "tflite-micro"),
        split,
        "NSV",
    )
    return replicate_metrics(cells, cells.groups_of("sex"), METRICS, replicates=count, seed=3)


@pytest.mark.parametrize("named", [False, True])
def test_spread_and_pairing_are_those_of_resampled_rows(named: bool) -> None:
    person, sex, y, before, after = world()
    rng = np.random.default_rng(2)
    expected = []
    for _ in range(500):
        if named:
            chosen = np.concatenate([np.flatnonzero(person == one) for one in rng.integers(0, 15, 15)])
        else:
            chosen = rng.integers(0, 600, 600)
        women = chosen[sex[chosen] == "f"]
        t, b, a = y[women], before[women], after[women]
        expected.append(
            [
                balanced_accuracy_score(t, b),
                balanced_accuracy_score(t, a),
                precision_score(t > 0, b > 0),
                precision_score(t > 0, a > 0),
            ]
        )
    drawn = replicates(named=named)
    assert drawn.before is not None
    assert drawn.before.shape == drawn.after.shape == (1500, 2, 2)
    women = np.stack([drawn.before[:, 0, 0], drawn.after[:, 0, 0], drawn.before[:, 0, 1], drawn.after[:, 0, 1]], 1)
    spread = np.std(expected, 0)
    assert (np.abs(women.mean(0) - np.mean(expected, 0)) < 4 * spread * np.sqrt(1 / 500 + 1 / 1500)).all()
    assert women.std(0) == pytest.approx(spread, rel=0.13)
    assert np.corrcoef(women.T) == pytest.approx(np.corrcoef(np.transpose(expected)), abs=0.15)


def test_without_a_float_model_there_is_nothing_before() -> None:
    drawn = replicates(named=True, with_before=False, count=5)
    assert drawn.before is None
    assert drawn.after.shape == (5, 2, 2)
