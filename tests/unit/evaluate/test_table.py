"""Every metric in every group, before and after, against scikit-learn and fairlearn on the rows themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
import sklearn.metrics as sklearn
from fairlearn.metrics import MetricFrame
from stage import ALARMS, CLASSES, Evaluated, evaluate, every_rule, labels, population_of, rule, split_of, three_classes
from stage import values as numbers

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.answers import Answer
from audit_pipeline.evaluate.table import tabulate
from audit_pipeline.measurement import NotMeasurable
from audit_pipeline.policy.catalogue import BETWEEN_GROUPS, METRICS
from audit_pipeline.predictions import Predictions, Task

SPECS = ("overall", "sex", "age", "sex*age")
Rows = np.ndarray

# (truly in the class, predicted to be in it) by row
OF_A_SET: dict[str, Callable[[Rows, Rows], float]] = {
    "recall": sklearn.recall_score,
    "precision": sklearn.precision_score,
    "specificity": fairlearn.true_negative_rate,
    "f1": sklearn.f1_score,
    "selection_rate": fairlearn.selection_rate,
    "false_alarm_rate": fairlearn.false_positive_rate,
    "missed_alarm_rate": fairlearn.false_negative_rate,
}
OF_ALL: dict[str, Callable[[Rows, Rows], float]] = {
    "accuracy": sklearn.accuracy_score,
    "balanced_accuracy": sklearn.balanced_accuracy_score,
    "macro_recall": lambda t, p: sklearn.recall_score(t, p, average="macro"),
    "macro_precision": lambda t, p: sklearn.precision_score(t, p, average="macro"),
    "macro_f1": lambda t, p: sklearn.f1_score(t, p, average="macro"),
    "macro_specificity": lambda t, p: np.mean([fairlearn.true_negative_rate(t == k, p == k) for k in range(3)]),
}


def probabilities(like: Predictions, seed: int) -> Predictions:
    """Scores whose highest is that of the class which `like` predicts."""
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet((1, 1, 1), len(like.scores)).astype(np.float32)
    scores = np.sort(scores, axis=1)[:, [*rng.permuted(np.tile([0, 1], (len(scores), 1)), axis=1)[0].tolist(), 2]]
    rows, top = np.arange(len(scores)), like.labels
    scores[rows, top], scores[rows, 2] = scores[rows, 2].copy(), scores[rows, top].copy()
    return Predictions(scores, 0.0, like.made_by)


@cache
def evaluated(*, named: bool = True) -> tuple[Evaluated, Predictions, Predictions, Split]:
    before, after, split = three_classes(named=named)
    before, after = probabilities(before, 1), probabilities(after, 2)
    rules = every_rule(Task.CLASSIFICATION, CLASSES, SPECS, once=True)
    per_hour = rule(metric="false_alarms_per_hour", max=99)
    population = population_of(split, row_seconds=5)
    return evaluate(before, after, population, (*rules, per_hour), SPECS), before, after, split


def expected(name: str, concerned: list[int], y: Rows, made: Predictions, mask: Rows) -> float:
    """A metric of some rows as other libraries compute it."""
    truth, predicted, scores = y[mask], made.labels[mask], made.scores[mask]
    if name == "auc":
        return float(sklearn.roc_auc_score(np.isin(truth, concerned), scores[:, concerned].sum(1, dtype=np.float64)))
    if name == "expected_calibration_error":
        confidence, right = scores.max(1).astype(np.float64), predicted == truth
        place = np.ceil(scores.max(1) * np.float32(15) - 1e-6)
        return float(sum(abs((right - confidence)[place == bin_].sum()) for bin_ in np.unique(place)) / len(truth))
    if name == "false_alarms_per_hour":
        return float(np.mean(~np.isin(truth, concerned) & np.isin(predicted, concerned)) * 720)
    if name in OF_ALL:
        return float(OF_ALL[name](truth, predicted))
    return float(OF_A_SET[name](np.isin(truth, concerned).astype(int), np.isin(predicted, concerned).astype(int)))


def value(answer: Answer | None) -> float:
    assert answer is not None
    assert not isinstance(answer, NotMeasurable)
    return answer.value


@pytest.mark.parametrize("named", [True, False])
def test_every_metric_of_every_group_is_what_scikit_learn_and_fairlearn_say(named: bool) -> None:
    found, before, after, split = evaluated(named=named)
    alarms = [CLASSES.index(name) for name in ALARMS]
    seen = set()
    for spec in SPECS:
        for (group, mask), row in zip(split.members(spec), found.table.by_spec[spec], strict=True):
            assert row.group == group
            assert row.rows == mask.sum()
            assert row.subjects == (len(np.unique(split.subjects[mask])) if split.subjects is not None else None)
            for answers in row.metrics:
                name, class_ = answers.metric.name, answers.metric.class_
                concerned = alarms if class_ is None else [CLASSES.index(class_)]
                old = expected(name, concerned, split.y, before, mask)
                new = expected(name, concerned, split.y, after, mask)
                assert value(answers.before) == pytest.approx(old, abs=1e-7 if "calib" in name else 1e-12), name
                assert value(answers.after) == pytest.approx(new, abs=1e-7 if "calib" in name else 1e-12), name
                worse = old - new if answers.metric.higher_is_better else new - old
                assert value(answers.worsening) == pytest.approx(worse, abs=1e-6), name
                seen.add(name)
    assert seen == {name for name, kind in METRICS.items() if Task.CLASSIFICATION in kind.tasks} - BETWEEN_GROUPS


@pytest.mark.parametrize("side", ["before", "after"])
def test_groups_are_those_of_a_metric_frame(side: str) -> None:
    found, before, after, split = evaluated()
    made = before if side == "before" else after
    frame = MetricFrame(
        metrics=sklearn.accuracy_score, y_true=split.y, y_pred=made.labels, sensitive_features=dict(split.groups)
    )
    for at, theirs in frame.by_group.items():
        label = ", ".join(f"{column}={part}" for column, part in zip(split.groups, at, strict=True))
        assert value(getattr(found.of(label, "accuracy"), side)) == pytest.approx(theirs, abs=1e-12)


def test_every_interval_holds_its_value_and_grows_with_the_level() -> None:
    for named in (True, False):
        found, *_ = evaluated(named=named)
        for group in found.table.groups:
            for answers in group.metrics:
                for answer in (answers.before, answers.after, answers.worsening):
                    assert answer is not None
                    assert not isinstance(answer, NotMeasurable)
                    (low, high), (lower, higher) = answer.bounds(0.8), answer.bounds(0.99)
                    assert lower <= low <= answer.value + 1e-9, answers.metric
                    assert answer.value - 1e-9 <= high <= higher, answers.metric
                    assert low < high, answers.metric


def test_a_regression_errs_as_scikit_learn_says() -> None:
    rng = np.random.default_rng(3)
    target, sex = rng.normal(100, 20, 300), rng.choice(["f", "m"], 300)
    before, after = target + rng.normal(0, 5, 300), target + rng.normal(1, 6, 300)
    split = split_of(np.zeros(300, int), target=target, sex=sex)
    population = population_of(split, (), (), task="regression", unit="mg/dL")
    found = evaluate(numbers(before), numbers(after), population, (), ("sex",))
    for label, mask in (("overall", sex != ""), ("sex=f", sex == "f"), ("sex=m", sex == "m")):
        for name, score in (
            ("mean absolute error", sklearn.mean_absolute_error),
            ("root mean squared error", sklearn.root_mean_squared_error),
        ):
            answers = found.of(label, name)
            old, new = (score(target[mask], made[mask].astype(np.float32)) for made in (before, after))
            assert (value(answers.before), value(answers.after)) == pytest.approx((old, new), rel=1e-9)
            assert value(answers.worsening) == pytest.approx(new - old, rel=1e-6)


def test_an_anomaly_score_is_ranked_and_alarms_above_its_threshold() -> None:
    rng = np.random.default_rng(3)
    y, sex = rng.integers(0, 2, 300), rng.choice(["f", "m"], 300)
    made = [
        Predictions(np.round(rng.normal(y + 0.2, 1)[:, None], 1).astype(np.float32), 0.0, "float", Task.ANOMALY, 0.7)
        for _ in range(2)
    ]
    population = population_of(
        split_of(y, sex=sex), ("normal", "odd"), ("odd",), task="anomaly", threshold=0.7, row_seconds=2
    )
    found = evaluate(made[0], made[1], population, (), ("sex",))
    for sex_ in ("f", "m"):
        mask = sex == sex_
        for side, scores in zip(("before", "after"), made, strict=True):
            raised = (scores.scores[mask, 0] > np.float32(0.7)).astype(int)
            told = {
                "AUC": sklearn.roc_auc_score(y[mask], scores.scores[mask, 0]),
                "accuracy": sklearn.accuracy_score(y[mask], raised),
                "false alarm rate": fairlearn.false_positive_rate(y[mask], raised),
                "missed alarm rate": fairlearn.false_negative_rate(y[mask], raised),
                "false alarms per hour": ((y[mask] == 0) & (raised == 1)).mean() * 1800,
            }
            for metric, theirs in told.items():
                assert value(getattr(found.of(f"sex={sex_}", metric), side)) == pytest.approx(theirs, abs=1e-12)


def test_overall_comes_first_and_every_row_is_in_one_group_of_each_spec() -> None:
    before, after, split = three_classes()
    table = evaluate(before, after, population_of(split), (), ("sex", "sex*age")).table
    assert list(table.by_spec) == ["overall", "sex", "sex*age"]
    assert table.groups[0].group.label == "overall"
    assert table.people == table.groups[0].subjects == 24
    for groups in table.by_spec.values():
        assert sum(group.rows for group in groups) == len(split)


def test_a_group_column_that_the_data_have_not_is_refused() -> None:
    before, after, split = three_classes(60)
    found = evaluate(before, after, population_of(split))
    with pytest.raises(InputError) as error:
        tabulate(found.cells, found.metrics, ("height",))
    assert error.value.code == "data.unknown-group"


def test_without_a_float_model_there_is_no_before() -> None:
    found = evaluate(None, labels([0, 1]), population_of(split_of([0, 1])))
    assert all(metric.before is None and metric.worsening is None for metric in found.table.groups[0].metrics)
    assert found.table.groups[0].subjects is None


def test_the_same_predictions_give_the_same_table_in_any_order() -> None:
    before, after, split = three_classes()
    order = np.random.default_rng(1).permutation(len(split))
    mixed = split_of(
        split.y[order],
        None if split.subjects is None else split.subjects[order],
        **{column: values[order] for column, values in split.groups.items()},
    )
    rules = every_rule(Task.CLASSIFICATION, CLASSES, ("sex",), once=True)

    def shuffled(made: Predictions) -> Predictions:
        return Predictions(made.scores[order], 0.0, made.made_by)

    first = evaluate(before, after, population_of(split), rules)
    second = evaluate(shuffled(before), shuffled(after), population_of(mixed), rules)
    assert first.rows == second.rows
    assert first.findings == second.findings
