"""The group table: every metric of every group, before and after, as estimates that can be asked for intervals."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.evaluate.answers import Answers, GroupAnswers, GroupTable
from audit_pipeline.evaluate.by_person import ByPerson
from audit_pipeline.evaluate.cells import Cells
from audit_pipeline.evaluate.confusion import Quotient, confusion_metric
from audit_pipeline.evaluate.metrics import Metric
from audit_pipeline.evaluate.shares import share_answers
from audit_pipeline.evaluate.smooth import smooth_answers
from audit_pipeline.policy.terms import OVERALL


def tabulate(cells: Cells, metrics: Sequence[Metric], specs: Sequence[str]) -> GroupTable:
    """Every metric in every group of every spec.

    Args:
        cells: the counts; with scores where a metric needs them.
        metrics: what `metrics_for` gave.
        specs: group specs; overall is always shown.

    Raises:
        InputError: a column that the data do not have.
    """
    wanted = dict.fromkeys((OVERALL, *specs))
    people = None if cells.people is None else len(cells.people)
    return GroupTable({spec: _of_spec(ByPerson(cells, cells.groups_of(spec)), metrics) for spec in wanted}, people)


def _of_spec(by_person: ByPerson, metrics: Sequence[Metric]) -> tuple[GroupAnswers, ...]:
    columns = [_of_metric(by_person, metric) for metric in metrics]
    return tuple(
        GroupAnswers(group=key, rows=rows, subjects=people, metrics=answers)
        for key, rows, people, answers in zip(
            by_person.grouping.keys, by_person.rows(), by_person.people(), zip(*columns, strict=True), strict=True
        )
    )


def _of_metric(by_person: ByPerson, metric: Metric) -> list[Answers]:
    """[groups] the answers for one metric."""
    if not metric.needs_scores:
        definition = confusion_metric(metric.definition, len(by_person.cells.classes), metric.concerned)
        if isinstance(definition, Quotient) and definition.is_share:
            return share_answers(by_person, metric, definition)
    return smooth_answers(by_person, metric)
