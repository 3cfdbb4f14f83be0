"""Every point value of the group table once more, by code of other authors.

What a release is refused for may have to be defended, so the numbers behind it are computed twice: by this package from
its cells, and by fairlearn's `MetricFrame` with the metric functions of fairlearn and scikit-learn. Intervals and tests
have no second author; their proof are the tests and simulations of `docs/statistics.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import ToolError
from audit_pipeline.evaluate.answers import Answer, Answers, GroupTable
from audit_pipeline.evaluate.cells import Cells
from audit_pipeline.evaluate.confusion import confusion_counts
from audit_pipeline.evaluate.factorise import Codes
from audit_pipeline.evaluate.metrics import Metric
from audit_pipeline.measurement import GroupKey, NotMeasurable

_CLOSE = 1e-9
"""What two orders of summing shares can differ by, and no error of a definition does."""

Score = Callable[..., Any]
"""A metric function of scikit-learn or fairlearn: (y_true, y_pred, sample_weight=[cells]) → number."""


def confirm(table: GroupTable, cells: Cells, metrics: Sequence[Metric]) -> None:
    """Compute the table's shares again, before and after, in every group of every spec.

    The frame is given each distinct (group, true, predicted) once, weighted by its rows: the same values as from the
    rows themselves without the cost of each row. Metrics of scores, events per hour and changes are not among them.

    Args:
        table: what `tabulate` gave for these cells and metrics.
        cells: what it was made from.
        metrics: in the order of the table.

    Raises:
        ToolError: a value differs, or is missing there.
    """
    scores = {place: score for place, metric in enumerate(metrics) if (score := _score_of(metric)) is not None}
    if not scores or not len(cells):
        return
    for spec, groups in table.by_spec.items():
        for name, predicted in (("before", cells.before), ("after", cells.after)):
            if predicted is None:
                continue
            values = _values(cells, spec, predicted, list(scores.values()))
            for group, expected in zip(groups, values, strict=True):
                for place, theirs in zip(scores, expected, strict=True):
                    _compare(group.group, group.metrics[place], name, float(theirs))


def _values(cells: Cells, spec: str, predicted: Codes, scores: Sequence[Score]) -> NDArray[np.float64]:
    """[groups, scores] as fairlearn has them."""
    import sklearn
    from fairlearn.metrics import MetricFrame

    counts = confusion_counts(cells, cells.groups_of(spec), predicted)
    group, true, taken = np.nonzero(counts)

    def together(y_true: Codes, y_pred: Codes, sample_weight: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray([score(y_true, y_pred, sample_weight=sample_weight) for score in scores], dtype=np.float64)

    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        frame = MetricFrame(
            metrics=together,
            y_true=true,
            y_pred=taken,
            sensitive_features=group.tolist(),  # an array of one cell would lose its dimension
            sample_params={"sample_weight": counts[group, true, taken]},
        )
        return np.stack(frame.by_group.sort_index().to_list())


def _compare(group: GroupKey, answers: Answers, side: str, theirs: float) -> None:
    ours: Answer | None = getattr(answers, side)
    if ours is None or isinstance(ours, NotMeasurable) or abs(ours.value - theirs) <= _CLOSE:
        return
    raise ToolError(
        "evaluate.disagrees-with-fairlearn",
        f"{answers.metric.label} {side} compression is {ours.value!r} here and {theirs!r} by fairlearn",
        where=group.label,
        hint="one of the two is wrong and nothing can be shipped on it: please report this with both versions",
    )


def _score_of(metric: Metric) -> Score | None:
    """What others compute the metric with; None where they have no such metric of classes."""
    from fairlearn import metrics as fairlearn
    from sklearn import metrics as sklearn

    of_all: dict[str, Score] = {
        "accuracy": sklearn.accuracy_score,
        "macro_recall": partial(sklearn.recall_score, average="macro", zero_division=0),
        "macro_precision": partial(sklearn.precision_score, average="macro", zero_division=0),
        "macro_f1": partial(sklearn.f1_score, average="macro", zero_division=0),
    }
    of_a_set: dict[str, Score] = {
        "recall": fairlearn.true_positive_rate,
        "precision": partial(sklearn.precision_score, zero_division=math.nan),
        "specificity": fairlearn.true_negative_rate,
        "f1": partial(sklearn.f1_score, zero_division=math.nan),
        "selection_rate": fairlearn.selection_rate,
        "false_alarm_rate": fairlearn.false_positive_rate,
        "missed_alarm_rate": fairlearn.false_negative_rate,
    }
    if metric.definition in of_all:
        return of_all[metric.definition]
    score, concerned = of_a_set.get(metric.definition), metric.concerned
    if score is None:
        return None

    def of_membership(y_true: Codes, y_pred: Codes, sample_weight: NDArray[np.int64]) -> Any:
        inside, raised = np.isin(y_true, concerned), np.isin(y_pred, concerned)
        return score(inside.astype(int), raised.astype(int), sample_weight=sample_weight, pos_label=1)

    return of_membership
