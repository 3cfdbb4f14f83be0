"""The before/after table as evidence holds it."""

from __future__ import annotations

import pytest
from stage import evaluate, labels, population_of, split_of, three_classes

from audit_pipeline.evaluate.compare import compare
from audit_pipeline.findings import GroupRow
from audit_pipeline.measurement import Measured, NotMeasurable


def test_every_group_has_a_line_and_overall_comes_first() -> None:
    before, after, split = three_classes()
    found = evaluate(before, after, population_of(split), (), ("sex", "sex*age"))
    assert [row.group for row in found.rows] == [group.group for group in found.table.groups]
    assert (found.rows[0].group.label, found.rows[0].rows, found.rows[0].subjects) == ("overall", 600, 24)
    assert len(found.rows) == 1 + 2 + 6


def test_a_line_holds_what_the_table_answers_at_the_level() -> None:
    before, after, split = three_classes()
    found = evaluate(before, after, population_of(split), (), ("sex",))
    for level in (0.8, 0.99):
        for row, group in zip(compare(found.table, found.changes, level), found.table.groups, strict=True):
            for metric, answers in zip(row.metrics, group.metrics, strict=True):
                assert metric.metric == answers.metric
                for held, answer in (
                    (metric.before, answers.before),
                    (metric.after, answers.after),
                    (metric.worsening, answers.worsening),
                ):
                    assert isinstance(held, Measured)
                    assert not isinstance(answer, NotMeasurable | None)
                    assert held.interval is not None
                    assert (held.estimate, held.rows, held.subjects) == (answer.value, answer.rows, answer.subjects)
                    assert (held.interval.low, held.interval.high) == pytest.approx(answer.bounds(level))
                    assert (held.interval.level, held.interval.method) == (level, answer.method)
                assert metric.change == found.changes[row.group, metric.metric]


def test_what_is_missing_is_null_and_what_cannot_be_measured_has_its_reason() -> None:
    (row,) = evaluate(None, labels([0, 1]), population_of(split_of([0, 1]))).rows
    assert all(metric.before is metric.worsening is metric.change is None for metric in row.metrics)
    missing = next(metric.after for metric in row.metrics if metric.metric.label == "recall of V")
    assert missing == NotMeasurable(reason="there is no row of class V in this group", rows=0)


def test_a_line_survives_json() -> None:
    before, after, split = three_classes(100)
    for row in evaluate(before, after, population_of(split), (), ("sex",)).rows:
        assert GroupRow.model_validate_json(row.model_dump_json(by_alias=True)) == row
