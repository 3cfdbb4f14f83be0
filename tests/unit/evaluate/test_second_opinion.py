"""The table is held against fairlearn at run time: it agrees, and a table that is wrong is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from stage import CLASSES, Evaluated, evaluate, every_rule, labels, population_of, split_of, three_classes, values

from audit_pipeline.errors import ToolError
from audit_pipeline.evaluate.answers import Answer, Answers, GroupTable
from audit_pipeline.evaluate.second_opinion import confirm
from audit_pipeline.measurement import NotMeasurable
from audit_pipeline.predictions import Task
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally

SHARES = (
    "accuracy",
    "recall",
    "precision",
    "specificity",
    "f1",
    "selection_rate",
    "false_alarm_rate",
    "missed_alarm_rate",
    "macro_recall",
    "macro_precision",
    "macro_f1",
)


@cache
def found() -> Evaluated:
    before, after, split = three_classes(300)
    rules = every_rule(Task.CLASSIFICATION, ("V",), ("overall", "sex"), once=True)
    return evaluate(before, after, population_of(split, alarms=()), rules)


def opinion(of: Evaluated, table: GroupTable | None = None) -> None:
    confirm(table or of.table, of.cells, of.metrics)


def changed(table: GroupTable, name: str, spec: str, **answers: Answer | None) -> GroupTable:
    """A table in which one metric of the last group of a spec has other answers."""
    *others, last = table.by_spec[spec]

    def other(one: Answers) -> Answers:
        return replace(one, **answers) if one.metric.name == name else one

    wrong = replace(last, metrics=tuple(map(other, last.metrics)))
    return replace(table, by_spec={**table.by_spec, spec: (*others, wrong)})


def share(hits: int, rows: int) -> Share:
    return Share(Tally(np.array([hits]), np.array([rows]), False))


def test_a_right_table_is_confirmed() -> None:
    opinion(found())


@pytest.mark.parametrize(("name", "side"), [("recall", "before"), *((name, "after") for name in SHARES)])
def test_one_wrong_value_anywhere_is_refused(name: str, side: str) -> None:
    wrong = changed(found().table, name, "sex", **{side: share(7, 8)})
    with pytest.raises(ToolError) as caught:
        opinion(found(), wrong)
    assert caught.value.code == "evaluate.disagrees-with-fairlearn"
    assert caught.value.where == "sex=m"
    assert f"{side} compression is 0.875 here" in caught.value.what


def test_a_millionth_is_wrong_and_rounding_is_not() -> None:
    right = found().of("sex=m", "accuracy").after
    assert isinstance(right, Share)
    hits, rows = int(right.tally.hits.sum()), right.rows
    opinion(found(), changed(found().table, "accuracy", "sex", after=share(hits * 10**9, rows * 10**9)))
    opinion(found(), changed(found().table, "accuracy", "sex", after=share(hits * 10**11 + 1, rows * 10**11)))
    with pytest.raises(ToolError):
        opinion(found(), changed(found().table, "accuracy", "sex", after=share(hits * 10**6 + 10**3, rows * 10**6)))


def test_groups_that_were_exchanged_are_refused() -> None:
    table = found().table
    female, male = table.by_spec["sex"]
    exchanged = {**table.by_spec, "sex": (replace(female, metrics=male.metrics), replace(male, metrics=female.metrics))}
    with pytest.raises(ToolError):
        opinion(found(), replace(table, by_spec=exchanged))


def test_what_cannot_be_measured_has_no_second_opinion() -> None:
    rules = every_rule(Task.CLASSIFICATION, CLASSES, ("overall", "sex"), once=True)
    one_each = evaluate(
        labels([0, 0, 1]), labels([0, 1, 0]), population_of(split_of([0, 0, 0], sex=["f", "m", "x"])), rules
    )
    assert isinstance(one_each.of("sex=f", "recall of S").after, NotMeasurable)
    opinion(one_each)


def test_a_value_that_others_cannot_measure_is_refused() -> None:
    one = evaluate(labels([0, 0]), labels([0, 0]), population_of(split_of([0, 0], sex=["f", "f"])), every_rule(
        Task.CLASSIFICATION, CLASSES, ("overall", "sex"), once=True))  # fmt: skip
    with pytest.raises(ToolError):
        opinion(one, changed(one.table, "precision", "overall", after=share(1, 2)))


def test_a_regression_has_none() -> None:
    target = np.arange(40.0)
    split = split_of(np.zeros(40, int), target=target)
    opinion(evaluate(values(target), values(target + 1), population_of(split, (), (), task="regression")))
