"""The before/after table as evidence holds it."""

from __future__ import annotations

from audit_pipeline.evaluate.answers import Answer, GroupAnswers, GroupTable
from audit_pipeline.evaluate.changes import Changes
from audit_pipeline.findings import GroupRow, MetricComparison
from audit_pipeline.measurement import Measurement, NotMeasurable
from audit_pipeline.statistics.estimate import measure


def compare(table: GroupTable, changes: Changes, level: float) -> tuple[GroupRow, ...]:
    """Every group's line: each metric before, after, and how much worse the device is, overall first.

    Args:
        table: what `tabulate` gave.
        changes: what `find_changes` gave for it.
        level: two-sided confidence level of every interval, 0 to 1.
    """
    return tuple(_row(group, changes, level) for group in table.groups)


def _row(group: GroupAnswers, changes: Changes, level: float) -> GroupRow:
    return GroupRow(
        group=group.group,
        rows=group.rows,
        subjects=group.subjects,
        metrics=tuple(
            MetricComparison(
                metric=answers.metric,
                before=None if answers.before is None else _measured(answers.before, level),
                after=_measured(answers.after, level),
                worsening=None if answers.worsening is None else _measured(answers.worsening, level),
                change=changes.get((group.group, answers.metric)),
            )
            for answers in group.metrics
        ),
    )


def _measured(answer: Answer, level: float) -> Measurement:
    return answer if isinstance(answer, NotMeasurable) else measure(answer, level)
