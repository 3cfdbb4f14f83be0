"""Groups and predictions as bad as they come: a right answer or the reason why there is none, and no warning."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from stage import (
    CLASSES,
    Evaluated,
    evaluate,
    every_rule,
    labels,
    people_of,
    population_of,
    rule,
    split_of,
    three_classes,
)
from stage import values as numbers

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.answers import Answer
from audit_pipeline.evaluate.second_opinion import confirm
from audit_pipeline.measurement import Measured, NotMeasurable, Outcome
from audit_pipeline.predictions import Predictions, Task

SPECS = ("sex",)


@pytest.fixture(autouse=True)
def _no_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="raise", under="ignore"):
            yield


def ask_everything(
    before: Predictions | None, after: Predictions, split: Split, *, every_limit: bool = False
) -> Evaluated:
    """Every metric there is, perhaps with every limit, judged however small the group."""
    rules = every_rule(Task.CLASSIFICATION, CLASSES, SPECS, once=not every_limit)
    found = evaluate(before, after, population_of(split, row_seconds=5), rules, SPECS, smallest=1)
    confirm(found.table, found.cells, found.metrics)
    is_complete(found, split)
    return found


def is_complete(found: Evaluated, split: Split) -> None:
    """No group is missing, every number is finite and in its interval, and whatever has none says why."""
    for spec, groups in found.table.by_spec.items():
        assert [group.group for group in groups] == [key for key, _ in split.members(spec)]
        assert sum(group.rows for group in groups) == len(split)
    for row in found.rows:
        assert len(row.metrics) == len(found.metrics)
        for metric in row.metrics:
            for value in (metric.before, metric.after, metric.worsening):
                is_answer(value)
            if metric.change is not None:
                assert 0 < metric.change.p <= metric.change.adjusted_p <= 1
    for finding in found.findings:
        is_answer(finding.value)
        assert finding.reason
        if isinstance(finding.value, NotMeasurable):
            assert finding.outcome is Outcome.INCONCLUSIVE
    json.dumps([part.model_dump(mode="json") for part in (*found.rows, *found.findings)], allow_nan=False)


def is_answer(value: Measured | NotMeasurable | None) -> None:
    if isinstance(value, NotMeasurable):
        assert value.reason
    elif value is not None:
        assert value.interval is not None
        assert value.interval.low - 1e-9 <= value.estimate <= value.interval.high + 1e-9
        assert value.interval.low < value.interval.high


def verdicts(found: Evaluated, label: str) -> set[Outcome]:
    return {finding.outcome for finding in found.findings if finding.group.label == label}


def in_one_group(rows: int, y: int | None = None, person: str | None = None, seed: int = 2) -> Evaluated:
    """Ordinary people, and a group `x` of so many rows, perhaps all of one class or person."""
    before, after, split = three_classes(300, seed=seed)
    assert split.subjects is not None
    sex, labelled, people = split.groups["sex"].copy(), split.y.copy(), split.subjects.astype("<U8")
    sex[:rows] = "x"
    if y is not None:
        labelled[:rows] = y
    people[:rows] = [f"x{number}" if person is None else person for number in range(rows)]
    return ask_everything(before, after, split_of(labelled, people, sex=sex), every_limit=rows == 1)


def test_a_group_of_one_row_is_there_and_decides_nothing() -> None:
    found = in_one_group(1)
    assert next(group.rows for group in found.table.groups if group.group.label == "sex=x") == 1
    assert verdicts(found, "sex=x") == {Outcome.INCONCLUSIVE}


def test_a_group_of_one_person_is_as_good_as_one_row() -> None:
    found = in_one_group(60, person="x")
    group = next(group for group in found.table.groups if group.group.label == "sex=x")
    assert (group.rows, group.subjects) == (60, 1)
    assert verdicts(found, "sex=x") <= {Outcome.INCONCLUSIVE, Outcome.PASS}
    for metric in group.metrics:
        if metric.metric.name == "accuracy":
            low, high = bounds(metric.after)
            assert high - low > 0.6


def test_a_group_without_positives_has_no_recall_of_them() -> None:
    found = in_one_group(80, y=0)
    for metric, reason in (
        ("recall of S", "there is no row of class S in this group"),
        ("missed alarm rate", "there is no row of an alarm class in this group"),
        ("recall of V", "there is no row of class V in this group"),
        ("specificity of N", "there is no row outside class N in this group"),
        ("AUC of V", "there are not both rows of class V and others in this group"),
    ):
        answer = found.of("sex=x", metric).after
        assert isinstance(answer, NotMeasurable), metric
        assert answer.reason == reason
    assert not isinstance(found.of("sex=x", "accuracy").after, NotMeasurable)
    assert not isinstance(found.of("sex=x", "false alarm rate").after, NotMeasurable)


def bounds(answer: Answer | None) -> tuple[float, float]:
    assert answer is not None
    assert not isinstance(answer, NotMeasurable)
    return answer.bounds(0.95)


@pytest.mark.parametrize(("always", "named"), [(0, True), (2, False)])
def test_a_model_that_always_says_the_same_is_measured(always: int, named: bool) -> None:
    before, _, split = three_classes(200, named=named)
    found = ask_everything(before, labels(np.full(200, always)), split)
    for number, name in enumerate(CLASSES):
        recall = found.of("overall", f"recall of {name}").after
        assert not isinstance(recall, NotMeasurable)
        assert recall.value == float(number == always)
        precision = found.of("overall", f"precision of {name}").after
        if number == always:
            assert not isinstance(precision, NotMeasurable)
            assert precision.value == pytest.approx((split.y == number).mean())
        else:
            assert precision == NotMeasurable(
                reason=f"no row was taken for class {name} in this group", rows=0, subjects=0 if named else None
            )


@pytest.mark.parametrize("named", [True, False])
def test_two_models_that_say_the_same_have_no_change_and_an_interval(named: bool) -> None:
    before, _, split = three_classes(200, named=named)
    found = ask_everything(before, before, split, every_limit=True)
    for row in found.rows:
        for metric in row.metrics:
            assert isinstance(metric.worsening, Measured)
            assert metric.worsening.estimate == 0
            assert metric.change is not None
            assert metric.change.p == metric.change.adjusted_p == 1


@pytest.mark.parametrize("named", [True, False])
def test_models_that_are_always_right_or_always_wrong_are_measured(named: bool) -> None:
    _, _, split = three_classes(200, named=named)
    right, wrong = labels(split.y), labels((split.y + 1) % 3)
    for before, after, worse in ((right, wrong, 1.0), (wrong, right, -1.0)):
        found = ask_everything(before, after, split, every_limit=named)
        worsening = found.of("sex=f", "accuracy").worsening
        assert not isinstance(worsening, NotMeasurable | None)
        assert worsening.value == worse


def test_a_class_that_is_never_seen_is_told_and_leaves_the_others_as_they_are() -> None:
    rng = np.random.default_rng(3)
    y, before, after = (rng.integers(0, 2, 200) for _ in range(3))
    split = split_of(y, people_of(np.arange(200) % 20), sex=np.array(["f", "m"])[np.arange(200) % 2])
    found = ask_everything(labels(before), labels(after), split)
    for name in ("recall", "f1", "missed alarm rate", "AUC"):
        label = "F1 of V" if name == "f1" else f"{name} of V"
        assert isinstance(found.of("overall", label).after, NotMeasurable), name
    seldom = found.of("overall", "selection rate of V").after
    assert not isinstance(seldom, NotMeasurable)
    assert seldom.value == 0
    assert 0 < bounds(seldom)[1] < 0.15


def test_scores_with_ties_rank_as_half() -> None:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, 240)
    scores = (rng.integers(0, 3, (2, 240, 3)) / 4).astype(np.float32)
    scores[:, :3] = 0.25  # nothing but ties
    sex = np.array(["f", "m", "x"])[np.repeat([2, 0, 1], [3, 117, 120])]
    split = split_of(y, sex=sex)
    found = ask_everything(Predictions(scores[0], 0.0, "float"), Predictions(scores[1], 0.0, "device"), split)
    ranked = found.of("sex=f", "AUC of V").after
    assert not isinstance(ranked, NotMeasurable)
    of_f = sex == "f"
    assert ranked.value == pytest.approx(roc_auc_score(y[of_f] == 2, scores[1][of_f, 2].astype(float)), abs=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", ["before", "after"])
def test_scores_that_are_no_numbers_are_refused_by_row(bad: float, side: str) -> None:
    before, after, split = three_classes(50)
    (before if side == "before" else after).scores[17, 1] = bad
    with pytest.raises(InputError) as error:
        evaluate(before, after, population_of(split))
    assert (error.value.code, error.value.where) == ("evaluate.scores-not-finite", "evaluation row 17")
    assert "1 rows" not in error.value.what


ODD = (
    "x" * 10_000,
    "x" * 9_999 + "y",
    "<script>alert(1)</script>",
    "🫀 Zoë",
    "line\nbreak",
    "",
    " ",
    "a=b, c",
    "\u202e",
)


def test_a_group_value_may_be_any_text() -> None:
    rows = 20 * len(ODD)
    rng = np.random.default_rng(5)
    split = split_of(rng.integers(0, 3, rows), sex=np.array(ODD)[np.arange(rows) % len(ODD)])
    asked = [
        rule(metric="accuracy", max_drop=0.1, groups=("sex",)),
        rule(metric="f1", class_="V", min=0.1, groups=("sex",)),
    ]
    made = labels(rng.integers(0, 3, rows)), labels(rng.integers(0, 3, rows))
    found = evaluate(*made, population_of(split), asked)
    is_complete(found, split)
    assert {group.group.values[0] for group in found.table.by_spec["sex"]} == set(ODD)
    assert len({finding.id for finding in found.findings}) == len(found.findings)


def test_findings_of_different_groups_have_different_names() -> None:
    """Values that hold the signs which join columns and values."""
    pairs = [("1,b=2", "3"), ("1", "2,b=3"), ("1", "2"), ("1,b=2", "")]
    a, b = np.array(pairs * 40).T
    split = split_of(np.zeros(160, int), a=a, b=b)
    asked = [rule(metric="accuracy", min=0.5, groups=("a*b",))]
    found = evaluate(None, labels(np.zeros(160)), population_of(split), asked)
    assert len(found.findings) == len({finding.id for finding in found.findings}) == 4


def test_an_intersection_of_five_hundred_groups_is_all_there() -> None:
    rng = np.random.default_rng(6)
    rows = 5_000
    y = rng.integers(0, 2, rows)
    before, after = (np.where(rng.random(rows) < 0.9, y, 1 - y) for _ in range(2))
    site, band = np.arange(rows) % 100, np.arange(rows) // 100 % 5
    split = split_of(y, people_of(rng.integers(0, 800, rows)), site=site.astype(str), band=band.astype(str))
    rules = [
        rule(metric="accuracy", max_drop=0.95, groups=("site*band",)),
        rule(metric="accuracy", max_gap=0.6, groups=("site*band",)),
        rule(metric="equal_opportunity_difference", class_="alarm", max=0.9, groups=("site*band",)),
    ]
    population = population_of(split, ("calm", "alarm"), ())
    found = evaluate(labels(before, 2), labels(after, 2), population, rules, smallest=2)
    is_complete(found, split)
    assert len(found.table.by_spec["site*band"]) == 500
    assert len(found.findings) == 500 + 2
    assert {finding.breach.family for finding in found.findings if finding.breach is not None} == {502}
    assert Outcome.FAIL not in {finding.outcome for finding in found.findings}


def test_a_regression_of_one_row_decides_nothing() -> None:
    target = np.concatenate([[5.0], np.linspace(0, 9, 60)])
    split = split_of(np.zeros(61, int), target=target, sex=np.repeat(["x", "f"], [1, 60]))
    rules = every_rule(Task.REGRESSION, (), SPECS)
    noise = np.random.default_rng(1).normal(0, 1, (2, 61))
    population = population_of(split, (), (), task="regression")
    found = evaluate(numbers(target + noise[0]), numbers(target + noise[1] + 0.5), population, rules, smallest=1)
    is_complete(found, split)
    assert verdicts(found, "sex=x") == {Outcome.INCONCLUSIVE}


def test_a_regression_that_is_never_wrong_is_measured() -> None:
    target = np.linspace(0, 9, 60)
    split = split_of(np.zeros(60, int), people_of(np.arange(60) % 12), target=target, sex=np.repeat(["x", "f"], 30))
    rules = every_rule(Task.REGRESSION, (), SPECS)
    population = population_of(split, (), (), task="regression")
    for before, after in ((target, target), (target, target + 1), (target + 1, target), (target + 3e38, target)):
        found = evaluate(numbers(before), numbers(after), population, rules, smallest=1)
        assert {finding.outcome for finding in found.findings}


def test_huge_errors_do_not_overflow() -> None:
    target = np.zeros(40)
    split = split_of(np.zeros(40, int), target=target, sex=np.repeat(["x", "f"], 20))
    rules = every_rule(Task.REGRESSION, (), SPECS)
    made = np.linspace(-3e38, 3e38, 40)
    found = evaluate(numbers(made), numbers(made / 2), population_of(split, (), (), task="regression"), rules)
    is_complete(found, split)


@pytest.mark.parametrize("score", [0.0, 0.5])
def test_anomaly_scores_that_are_all_alike_rank_like_a_coin(score: float) -> None:
    y = np.arange(80) % 2
    split = split_of(y, people_of(np.arange(80) % 10), sex=np.repeat(["x", "f"], 40))
    made = Predictions(np.full((80, 1), score, np.float32), 0.0, "float", Task.ANOMALY, 0.25)
    rules = every_rule(Task.ANOMALY, ("ok", "odd"), SPECS)
    population = population_of(split, ("ok", "odd"), ("odd",), task="anomaly", threshold=0.25)
    found = evaluate(made, made, population, rules, smallest=1)
    is_complete(found, split)
    ranked = found.of("sex=x", "AUC").after
    assert not isinstance(ranked, NotMeasurable)
    assert ranked.value == 0.5
