"""Metrics that are no share of rows, and changes between rows that each model chose for itself: through influence.

To first order value − truth is the mean over all rows of the group of each row's influence, so the uncertainty of any
metric is that of a mean (Hampel 1974; for clustered rows Liang & Zeger 1986).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.answers import Answer, Answers, Moved
from audit_pipeline.evaluate.by_person import ByPerson
from audit_pipeline.evaluate.confusion import confusion_metric
from audit_pipeline.evaluate.factorise import Codes
from audit_pipeline.evaluate.metrics import Metric
from audit_pipeline.evaluate.scores import score_metric
from audit_pipeline.measurement import NotMeasurable, Scale
from audit_pipeline.statistics.design_effect import OUTCOME_CORRELATION
from audit_pipeline.statistics.linear import Range, linear
from audit_pipeline.statistics.scaled import Scaled

_ROUNDING = 1e-6
"""Differences this small against what is measured are rounding: scores have 32 bits."""


_AGAINST_EACH_OTHER = frozenset({"auc", "precision", "expected_calibration_error"})
"""Metrics in which people are measured against each other. Their changes are as alike within a person as outcomes are:
believed to be as alike as other changes, intervals missed "no change" in up to 14 % of simulated samples; so in 13."""


@dataclass(frozen=True, eq=False)
class _Value:
    """A metric of the cells of one group."""

    value: float
    """NaN where it cannot be measured."""
    influence: NDArray[np.float64]
    scarce: int
    """Rows of the scarcest side that it rests on."""
    bias: tuple[float, float] = (0.0, 0.0)
    """By how much chance alone raises and lowers it on average, at most, were all rows independent."""


def smooth_answers(by_person: ByPerson, metric: Metric) -> list[Answers]:
    """[groups] a metric before and after, and how much worse it became."""
    answers = []
    for where in map(by_person.members, range(len(by_person.grouping))):
        after = _value(by_person, metric, where, is_device=True)
        if by_person.cells.before is None:
            answers.append(Answers(metric.key, None, _answer(by_person, metric, where, after), None))
            continue
        before = _value(by_person, metric, where, is_device=False)
        change = _change(by_person, metric, where, before, after)
        old, new = (_answer(by_person, metric, where, each) for each in (before, after))
        answers.append(Answers(metric.key, old, new, *change))
    return answers


def smooth_changes(by_person: ByPerson, metric: Metric) -> list[tuple[Answer, Moved | None]]:
    """[groups] how much worse a metric became; there must be a float model."""
    return [
        _change(
            by_person,
            metric,
            where,
            _value(by_person, metric, where, is_device=False),
            _value(by_person, metric, where, is_device=True),
        )
        for where in map(by_person.members, range(len(by_person.grouping)))
    ]


def _value(by_person: ByPerson, metric: Metric, where: Codes, *, is_device: bool) -> _Value:
    cells = by_person.cells
    if metric.needs_scores:
        scores = cells.after_scores if is_device else cells.before_scores
        if scores is None:
            raise ValueError(f"{metric.key.name} needs cells that were counted with scores")
        found = score_metric(metric.definition, cells, scores, where, metric.concerned)
        return _Value(found.value, found.influence, found.scarce, (found.inflation, 0.0))
    predicted = cells.after if is_device else cells.before
    if predicted is None:
        raise ValueError("there is no float model")
    classes = len(cells.classes)
    definition = confusion_metric(metric.definition, classes, metric.concerned)
    true, predicted, rows = cells.true[where], predicted[where], cells.rows[where]
    table = np.bincount(true * classes + predicted, rows, classes**2).reshape(classes, classes)
    influence = definition.influence(table)[true, predicted]
    return _Value(float(definition.value(table)), influence, _scarce(metric, table))


def _scarce(metric: Metric, table: NDArray[Any]) -> int:
    """The inverse of the most that one row could move the metric.

    Rows of the class it speaks of; of a mean over classes, rows of the rarest one that occurs times how many do.
    """
    true = table.sum(axis=1)
    if metric.definition == "precision":
        return int(table[:, list(metric.concerned)].sum())
    if metric.concerned:
        return int(true[list(metric.concerned)].sum())
    occurring = true[true > 0]
    return int(occurring.min()) * len(occurring) if len(occurring) else 0


def _answer(by_person: ByPerson, metric: Metric, where: Codes, found: _Value) -> Answer:
    if math.isnan(found.value):
        return _nothing(by_person, metric, where)
    spread: Range = "positive" if metric.key.scale is Scale.LABEL else "share"
    return _linear(by_person, metric, where, found, spread)


def _change(
    by_person: ByPerson, metric: Metric, where: Codes, before: _Value, after: _Value
) -> tuple[Answer, Moved | None]:
    if math.isnan(before.value) or math.isnan(after.value):
        return _nothing(by_person, metric, where), None
    first, second = (before, after) if metric.key.higher_is_better else (after, before)
    change = _Value(
        first.value - second.value,
        first.influence - second.influence,
        min(first.scarce, second.scarce),
        (first.bias[0] + second.bias[1], first.bias[1] + second.bias[0]),
    )
    if metric.key.scale is Scale.LABEL and (reason := _no_spread(by_person, where, change)):
        rows, people = int(by_person.cells.rows[where].sum()), _people(by_person, where)
        return NotMeasurable(reason=reason, rows=rows, subjects=people), None
    spread: Range = "real" if metric.key.scale is Scale.LABEL else "difference"
    person, sums = _by_person(by_person, where, change)
    adds_up = metric.definition not in _AGAINST_EACH_OTHER
    return _linear(by_person, metric, where, change, spread), Moved(person, sums, None, adds_up)


def _no_spread(by_person: ByPerson, where: Codes, change: _Value) -> str | None:
    """Why nothing is known of how much changes vary: a share has a range, and so an interval; a number has none."""
    if (_people(by_person, where) or by_person.cells.rows[where].sum()) == 1:
        return f"the change of a single {'person' if by_person.named else 'row'} does not tell how much changes vary"
    if np.abs(change.influence).max() < _ROUNDING * abs(change.value):
        return "changes that are all alike do not tell how much changes vary"
    return None


def _people(by_person: ByPerson, where: Codes) -> int | None:
    return len(np.unique(by_person.cells.person[where])) if by_person.named else None


def _by_person(by_person: ByPerson, where: Codes, change: _Value) -> tuple[Codes, NDArray[np.float64]]:
    """The people of a group, and the part that each has in the change; the parts add up to it times the rows."""
    rows = by_person.cells.rows[where]
    person, code = np.unique(by_person.cells.person[where], return_inverse=True)
    return person, np.bincount(code, rows * (change.influence + change.value), len(person)).astype(np.float64)


def _linear(by_person: ByPerson, metric: Metric, where: Codes, found: _Value, spread: Range) -> Answer:
    cells = by_person.cells
    estimate = linear(
        found.value,
        influence=found.influence,
        weights=cells.rows[where],
        people=cells.person[where],
        named=by_person.named,
        range=spread,
        scarce=max(found.scarce, 1),
        bias=found.bias,
        correlation=OUTCOME_CORRELATION if metric.definition in _AGAINST_EACH_OTHER else None,
    )
    return estimate if metric.factor == 1 else Scaled(estimate, metric.factor)


def _nothing(by_person: ByPerson, metric: Metric, where: Codes) -> NotMeasurable:
    return metric.not_measurable(_people(by_person, where))
