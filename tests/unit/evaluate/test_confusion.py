"""Metrics of confusion tables against scikit-learn and fairlearn on the rows, and influence against the jackknife."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from fairlearn.metrics import false_negative_rate, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from audit_pipeline.evaluate.confusion import Quotient, confusion_metric

CLASSES = 4
MACRO = ("balanced_accuracy", "macro_recall", "macro_precision", "macro_specificity", "macro_f1")
OF_A_SET = (
    "recall",
    "precision",
    "specificity",
    "f1",
    "selection_rate",
    "false_alarm_rate",
    "missed_alarm_rate",
    "false_alarms_per_row",
)


def draw(seed: int, rows: int = 300, classes: tuple[int, ...] = (0, 1, 2, 3)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.choice(classes, rows)
    return true, np.where(rng.random(rows) < 0.7, true, rng.integers(0, CLASSES, rows))


def table(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return confusion_matrix(true, predicted, labels=range(CLASSES))


def specificity_score(true: np.ndarray, predicted: np.ndarray) -> float:
    return recall_score(~true, ~predicted)


SETS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "recall": true_positive_rate,
    "precision": precision_score,
    "specificity": specificity_score,
    "f1": f1_score,
    "selection_rate": partial(selection_rate, pos_label=True),
    "false_alarm_rate": false_positive_rate,
    "missed_alarm_rate": false_negative_rate,
    "false_alarms_per_row": lambda true, predicted: (predicted & ~true).sum() / len(true),
}


@pytest.mark.parametrize("concerned", [{2}, {1, 3}])
@pytest.mark.parametrize("name", OF_A_SET)
def test_a_metric_of_a_set_is_that_of_membership(name: str, concerned: set[int]) -> None:
    true, predicted = draw(1)
    t, p = np.isin(true, list(concerned)), np.isin(predicted, list(concerned))
    expected = SETS[name](t, p)
    assert confusion_metric(name, CLASSES, concerned).value(table(true, predicted)) == pytest.approx(
        expected, rel=1e-14
    )


def test_accuracy_is_that_of_scikit_learn() -> None:
    true, predicted = draw(2)
    assert confusion_metric("accuracy", CLASSES).value(table(true, predicted)) == accuracy_score(true, predicted)


@pytest.mark.parametrize("classes", [(0, 1, 2, 3), (0, 3), (2,)])
@pytest.mark.parametrize("seed", range(3))
def test_means_over_classes_are_those_of_scikit_learn_by_default(classes: tuple[int, ...], seed: int) -> None:
    true, predicted = draw(seed, 40, classes)
    counts = table(true, predicted)
    expected = {
        "balanced_accuracy": balanced_accuracy_score,
        "macro_recall": lambda t, p: recall_score(t, p, average="macro"),
        "macro_precision": lambda t, p: precision_score(t, p, average="macro"),
        "macro_f1": lambda t, p: f1_score(t, p, average="macro"),
    }
    for name, score in expected.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn says which classes are missing
            assert confusion_metric(name, CLASSES).value(counts) == pytest.approx(score(true, predicted), rel=1e-14)


def test_macro_specificity_is_the_mean_over_classes_that_occur_and_are_not_all_there_is() -> None:
    true, predicted = draw(3)
    each = [specificity_score(true == k, predicted == k) for k in range(CLASSES)]
    metric = confusion_metric("macro_specificity", CLASSES)
    assert metric.value(table(true, predicted)) == pytest.approx(np.mean(each), rel=1e-14)
    only = table(np.array([2, 2, 2, 2]), np.array([2, 2, 2, 1]))
    assert metric.value(only) == 0.75  # of class 1 alone: without class 2 there is no row


@pytest.mark.parametrize("name", ["accuracy", *MACRO, *OF_A_SET])
def test_many_tables_at_once_are_each_by_itself(name: str) -> None:
    tables = np.random.default_rng(5).integers(0, 4, (3, 5, CLASSES, CLASSES))
    metric = confusion_metric(name, CLASSES, {1, 2})
    together, influence = metric.value(tables), metric.influence(tables)
    for at in np.ndindex(3, 5):
        assert together[at] == pytest.approx(metric.value(tables[at]), nan_ok=True)
        assert influence[at] == pytest.approx(metric.influence(tables[at]), nan_ok=True)


@pytest.mark.parametrize("name", ["accuracy", *MACRO, *OF_A_SET])
def test_without_rows_nothing_is_measured_and_nothing_warns(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metric = confusion_metric(name, CLASSES, {1})
        empty = np.zeros((2, CLASSES, CLASSES), dtype=np.int64)
        assert np.isnan(metric.value(empty)).all()
        assert np.isnan(metric.influence(empty)).all()


@pytest.mark.parametrize(
    ("name", "place"),
    [("recall", (0, 1)), ("missed_alarm_rate", (0, 1)), ("precision", (1, 0)), ("specificity", (1, 1)), ("f1", (0, 0))],
)
def test_a_denominator_without_rows_is_not_measurable(name: str, place: tuple[int, int]) -> None:
    counts = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    counts[place] = 7
    assert np.isnan(confusion_metric(name, CLASSES, {1}).value(counts))


@pytest.mark.parametrize("name", ["accuracy", *MACRO, *OF_A_SET])
def test_influence_is_what_leaving_one_row_out_shows(name: str) -> None:
    true, predicted = draw(7, 2000)
    counts = table(true, predicted)
    metric = confusion_metric(name, CLASSES, {1, 2})
    rows, value, influence = counts.sum(), metric.value(counts), metric.influence(counts)
    assert (counts * influence).sum() == pytest.approx(0, abs=1e-9 * rows)
    for place in zip(*np.nonzero(counts), strict=True):
        less = counts.copy()
        less[place] -= 1
        assert (value - metric.value(less)) * (rows - 1) == pytest.approx(influence[place], rel=0.02, abs=0.02)


@pytest.mark.parametrize("name", ["macro_recall", "macro_precision", "balanced_accuracy", "macro_specificity"])
def test_influence_takes_absent_classes_as_given(name: str) -> None:
    counts = np.array([[400, 60, 0, 9], [30, 300, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    metric = confusion_metric(name, CLASSES)
    rows, value, influence = counts.sum(), metric.value(counts), metric.influence(counts)
    for place in zip(*np.nonzero(counts), strict=True):
        less = counts.copy()
        less[place] -= 1
        assert (value - metric.value(less)) * (rows - 1) == pytest.approx(influence[place], rel=0.02, abs=0.02)


def test_shares_say_so_and_their_tables_count_rows() -> None:
    counts = table(*draw(8))
    for name in ("accuracy", *OF_A_SET):
        metric = confusion_metric(name, CLASSES, {0, 3})
        assert isinstance(metric, Quotient)
        assert metric.is_share == (name != "f1")
        if metric.is_share:
            hits, among = metric.hits.astype(bool), metric.among.astype(bool)
            assert not (hits & ~among).any()
            assert metric.value(counts) == counts[hits].sum() / counts[among].sum()


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(KeyError):
        confusion_metric("likelihood", CLASSES)
