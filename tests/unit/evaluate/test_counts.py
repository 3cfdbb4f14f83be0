"""Metrics and counts, held against scikit-learn and fairlearn's MetricFrame on the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.compare import compare
from audit_pipeline.evaluate.counts import PopulationCounts, count
from audit_pipeline.evidence import GroupRow
from audit_pipeline.measurement import Measured, NotMeasurable
from audit_pipeline.policy.schema import FairnessRule
from audit_pipeline.predictions import Predictions

CLASSES = ("N", "S", "V")
ALARMS = ("S", "V")


def split(y: list[int] | np.ndarray, **columns: np.ndarray | None) -> Split:
    y = np.asarray(y, dtype=np.int64)
    subjects = columns.pop("subjects", None)
    return Split(np.zeros((len(y), 1), np.float32), y, columns, subjects)


def predict(labels: list[int] | np.ndarray, made_by: str = "float", classes: int = 3) -> Predictions:
    scores = np.full((len(labels), classes), 0.1, np.float32)
    scores[np.arange(len(labels)), labels] = 0.8
    return Predictions(scores, 0.0, made_by)


def world(rows: int = 600) -> tuple[Predictions, Predictions, Split]:
    rng = np.random.default_rng(4)
    y = rng.choice(3, rows, p=[0.6, 0.25, 0.15])
    person = rng.integers(0, 12, rows)
    before = np.where(rng.random(rows) < 0.9, y, rng.integers(0, 3, rows))
    after = np.where(rng.random(rows) < 0.85, before, rng.integers(0, 3, rows))
    here = split(
        y,
        sex=np.array(["f", "m"])[person % 2],
        age=np.array(["0-44", "45-64", "65+"])[person % 3],
        subjects=np.char.add("p", person.astype(str)),
    )
    return predict(before), predict(after, "tflite-micro"), here


def estimate(table: tuple[GroupRow, ...], label: str, metric: str, side: str = "after") -> float:
    row = next(row for row in table if row.group.label == label)
    value = getattr(next(m for m in row.metrics if m.metric.label == metric), side)
    assert isinstance(value, Measured)
    return value.estimate


def table(counts: PopulationCounts) -> tuple[GroupRow, ...]:
    return compare(counts, 0.95)


def test_values_equal_scikit_learn_in_every_group() -> None:
    before, after, here = world()
    rows = table(count(before, after, here, CLASSES, ALARMS, ["sex", "sex*age"]))
    for spec in ("overall", "sex", "sex*age"):
        for group, mask in here.members(spec):
            y, predicted = here.y[mask], after.labels[mask]
            alarm, raised = np.isin(y, [1, 2]), np.isin(predicted, [1, 2])
            (tn, fp), (fn, tp) = confusion_matrix(alarm, raised)
            expected = {
                "accuracy": accuracy_score(y, predicted),
                "recall of N": recall_score(y, predicted, labels=[0], average="macro"),
                "recall of V": recall_score(y, predicted, labels=[2], average="macro"),
                "false alarm rate": fp / (fp + tn),
                "missed alarm rate": fn / (fn + tp),
            }
            for metric, value in expected.items():
                assert estimate(rows, group.label, metric) == pytest.approx(value, abs=1e-12)


def test_values_equal_a_metric_frame_over_the_rows() -> None:
    before, after, here = world()
    rows = table(count(before, after, here, CLASSES, ALARMS, ["age"]))
    frame = MetricFrame(
        metrics=accuracy_score, y_true=here.y, y_pred=before.labels, sensitive_features=here.groups["age"]
    )
    for age, value in frame.by_group.items():
        assert estimate(rows, f"age={age}", "accuracy", "before") == pytest.approx(value, abs=1e-12)


def test_alarm_rates_of_a_class_take_it_as_the_only_alarm() -> None:
    rules = [
        FairnessRule.model_validate({"metric": name, "class": "V", "max": 0.5})
        for name in ("false_alarm_rate", "missed_alarm_rate")
    ]
    here = split([0, 1, 1, 2, 2])
    rows = table(count(None, predict([2, 2, 1, 2, 1]), here, CLASSES, ALARMS, rules=rules))
    assert estimate(rows, "overall", "false alarm rate of V") == pytest.approx(2 / 3)
    assert estimate(rows, "overall", "missed alarm rate of V") == pytest.approx(1 / 2)


def test_overall_comes_first_and_every_row_is_in_one_group_of_each_spec() -> None:
    before, after, here = world()
    rows = table(count(before, after, here, CLASSES, ALARMS, ["sex", "age"]))
    assert rows[0].group.label == "overall"
    assert rows[0].subjects == 12
    for column in ("sex", "age"):
        assert sum(row.rows for row in rows if row.group.by == (column,)) == len(here)


def test_worsening_is_positive_where_the_device_is_worse_whatever_the_metric() -> None:
    here = split([0, 0, 0, 0, 1, 1, 1, 1])
    before, after = predict([0, 0, 0, 0, 1, 1, 1, 1]), predict([0, 0, 0, 1, 1, 1, 0, 0])
    rows = table(count(before, after, here, CLASSES, ALARMS))
    expected = {"accuracy": 3 / 8, "recall of S": 0.5, "false alarm rate": 0.25, "missed alarm rate": 0.5}
    for metric, value in expected.items():
        assert estimate(rows, "overall", metric, "worsening") == pytest.approx(value)


def test_without_a_float_model_there_is_no_before() -> None:
    (row,) = table(count(None, predict([0, 1]), split([0, 1]), CLASSES, ALARMS))
    assert all(metric.before is None and metric.worsening is None for metric in row.metrics)
    assert row.subjects is None


def test_a_metric_without_rows_is_not_measurable_and_says_why() -> None:
    (row,) = table(count(predict([0, 1]), predict([0, 1]), split([0, 1]), CLASSES, ALARMS))
    recall = next(metric for metric in row.metrics if metric.metric.label == "recall of V")
    assert isinstance(recall.after, NotMeasurable)
    assert recall.after.reason == "there is no row of class V in this group"
    assert isinstance(recall.worsening, NotMeasurable)


def test_alarm_rates_are_left_out_where_nothing_is_an_alarm() -> None:
    (row,) = table(count(None, predict([0, 1]), split([0, 1]), CLASSES, ()))
    assert [metric.metric.name for metric in row.metrics] == ["accuracy", "recall", "recall", "recall"]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"metric": "recall", "class": "X", "min": 0.5}, "policy.unknown-class"),
        ({"metric": "false_alarm_rate", "max": 0.5}, "policy.no-alarm-classes"),
        ({"metric": "accuracy", "min": 0.5, "groups": ("height",)}, "data.unknown-group"),
    ],
)
def test_a_rule_that_the_data_cannot_answer_is_refused(rule: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as error:
        count(None, predict([0, 1]), split([0, 1]), CLASSES, (), rules=[FairnessRule.model_validate(rule)])
    assert error.value.code == code


def test_scores_that_do_not_fit_are_refused() -> None:
    here = split([0, 1])
    with pytest.raises(InputError, match="2 rows of 3 classes"):
        count(None, predict([0, 1], classes=2), here, CLASSES, ALARMS)
    broken = predict([0, 1])
    broken.scores[1, 0] = np.nan
    with pytest.raises(InputError) as error:
        count(None, broken, here, CLASSES, ALARMS)
    assert error.value.where == "evaluation row 1"


def test_group_values_may_be_anything() -> None:
    odd = np.array(["<b>", "a\nb", "🫀", "x" * 10_000])
    rows = table(count(None, predict([0] * 4), split([0] * 4, site=odd), CLASSES, ALARMS, ["site"]))
    assert {row.group.values[0] for row in rows[1:]} == set(odd.tolist())
