"""Shares of rows: paired where both models are judged on the same rows, and not where each chose its own."""

from __future__ import annotations

import numpy as np
import pytest
from stage import evaluate, labels, population_of, rule, split_of, three_classes

from audit_pipeline.evaluate.answers import Answers
from audit_pipeline.measurement import NotMeasurable
from audit_pipeline.statistics.paired_share import PairedShare
from audit_pipeline.statistics.scaled import Scaled
from audit_pipeline.statistics.share import Share

PRECISION = rule(metric="precision", class_="V", max_drop=0.1)


def test_worsening_is_positive_where_the_device_is_worse_whatever_the_metric() -> None:
    before, after = labels([0, 0, 0, 0, 1, 1, 1, 1]), labels([0, 0, 0, 1, 1, 1, 0, 0])
    found = evaluate(before, after, population_of(split_of([0, 0, 0, 0, 1, 1, 1, 1])))
    expected = {"accuracy": 3 / 8, "recall of S": 0.5, "false alarm rate": 0.25, "missed alarm rate": 0.5}
    for metric, value in expected.items():
        worsening = found.of("overall", metric).worsening
        assert isinstance(worsening, PairedShare)
        assert worsening.value == pytest.approx(value)


def test_pairs_are_counted_person_by_person() -> None:
    y = [0, 0, 0, 1, 1, 1]
    people = np.array(["a", "a", "b", "a", "b", "b"])
    before, after = labels([0, 1, 0, 1, 0, 0]), labels([1, 0, 0, 1, 1, 0])
    found = evaluate(before, after, population_of(split_of(y, people)))
    answers = found.of("overall", "accuracy")
    assert isinstance(answers.after, Share)
    assert (answers.after.tally.hits.tolist(), answers.after.tally.rows.tolist()) == ([2, 2], [3, 3])
    assert isinstance(answers.worsening, PairedShare)
    tally = answers.worsening.tally
    assert (tally.worse.tolist(), tally.better.tolist(), tally.rows.tolist()) == ([1, 0], [1, 1], [3, 3])
    assert answers.moved is not None
    assert (answers.moved.person.tolist(), answers.moved.change.tolist()) == ([0, 1], [0.0, -1.0])
    assert answers.moved.changed == (1, 2)


def test_people_without_a_row_in_the_denominator_do_not_count() -> None:
    people = np.array(["a", "a", "b", "c"])
    found = evaluate(labels([0, 1, 0, 0]), labels([0, 1, 0, 0]), population_of(split_of([0, 1, 0, 0], people)))
    answers = found.of("overall", "recall of S")
    assert isinstance(answers.after, Share)
    assert answers.after.subjects == 1
    assert isinstance(answers.worsening, PairedShare)
    assert answers.worsening.subjects == 1


def precision(before: list[int], after: list[int]) -> Answers:
    rules = [PRECISION]
    found = evaluate(labels(before), labels(after), population_of(split_of([2, 2, 2, 0, 0, 1] * 20)), rules)
    return found.of("overall", "precision of V")


def test_precision_is_of_the_rows_that_each_model_chose() -> None:
    answers = precision([2, 2, 2, 0, 0, 1] * 20, [2, 2, 0, 2, 0, 1] * 20)
    assert isinstance(answers.before, Share)
    assert isinstance(answers.after, Share)
    assert (answers.before.value, answers.after.value) == (1.0, pytest.approx(2 / 3))
    assert (answers.before.rows, answers.after.rows) == (60, 60)
    assert not isinstance(answers.worsening, PairedShare | NotMeasurable | None)
    assert answers.worsening.value == pytest.approx(1 / 3)
    low, high = answers.worsening.bounds(0.95)
    assert 0.15 < low < 1 / 3 < high < 0.5


def test_precision_that_did_not_change_still_has_an_interval() -> None:
    answers = precision([2, 2, 2, 2, 0, 1] * 20, [2, 2, 2, 2, 0, 1] * 20)
    assert not isinstance(answers.worsening, NotMeasurable | None)
    low, high = answers.worsening.bounds(0.95)
    assert low < 0 < high


def test_precision_that_did_not_change_in_one_group_still_has_an_interval_there() -> None:
    y = np.array([2, 2, 2, 0, 0, 1] * 40)
    after = np.array([2, 2, 2, 2, 0, 1] * 40)
    before = after.copy()
    before[120:126] = 2  # elsewhere the models differ
    sex = np.repeat(["f", "m"], 120)
    found = evaluate(labels(before), labels(after), population_of(split_of(y, sex=sex)), [PRECISION], ["sex"])
    answers = found.of("sex=f", "precision of V")
    assert not isinstance(answers.worsening, NotMeasurable | None)
    low, high = answers.worsening.bounds(0.95)
    assert low < -0.005 < 0.005 < high


def test_a_metric_without_rows_is_not_measurable_and_says_why() -> None:
    found = evaluate(labels([0, 1]), labels([0, 1]), population_of(split_of([0, 1])), [PRECISION])
    for metric, reason in (
        ("recall of V", "there is no row of class V in this group"),
        ("precision of V", "no row was taken for class V in this group"),
    ):
        answers = found.of("overall", metric)
        assert answers.after == answers.before == answers.worsening == NotMeasurable(reason=reason, rows=0)
        assert answers.moved is None or not answers.moved.change.any()


def test_precision_of_a_class_that_only_one_model_predicts_has_no_change() -> None:
    found = evaluate(labels([0, 2] * 30), labels([0, 0] * 30), population_of(split_of([0, 2] * 30)), [PRECISION])
    answers = found.of("overall", "precision of V")
    assert isinstance(answers.before, Share)
    assert isinstance(answers.after, NotMeasurable)
    assert isinstance(answers.worsening, NotMeasurable)


def test_false_alarms_per_hour_are_a_share_in_another_unit() -> None:
    before, after, split = three_classes()
    found = evaluate(before, after, population_of(split, row_seconds=10))
    answers = found.of("overall", "false alarms per hour")
    assert isinstance(answers.after, Scaled)
    assert isinstance(answers.worsening, Scaled)
    rate = np.mean((split.y == 0) & (after.labels > 0))
    assert answers.after.value == pytest.approx(360 * rate)
    assert answers.after.rows == len(split)
    low, high = answers.after.bounds(0.95)
    assert low < answers.after.value < high


def test_moves_of_all_groups_add_up_to_those_of_everybody() -> None:
    before, after, split = three_classes(people=9)
    found = evaluate(before, after, population_of(split), (), ("sex*age",))
    whole = found.of("overall", "recall of S").moved
    assert whole is not None
    parts = [group.of("recall", "S").moved for group in found.table.by_spec["sex*age"]]
    summed = np.zeros(9)
    for part in parts:
        assert part is not None
        np.add.at(summed, part.person, part.change)
    assert summed[whole.person].tolist() == whole.change.tolist()
