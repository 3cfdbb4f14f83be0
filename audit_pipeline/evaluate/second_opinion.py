"""The point values of the group table once more, by code of other authors.

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
from audit_pipeline.evaluate.cells import Cells, Counts
from audit_pipeline.evaluate.confusion import confusion_counts
from audit_pipeline.evaluate.factorise import Codes
from audit_pipeline.evaluate.metrics import Metric
from audit_pipeline.measurement import GroupKey, NotMeasurable

_CLOSE = 1e-9
"""What two orders of summing shares can differ by, and no error of a definition does."""

_MOST = 100
"""Groups of a table that are looked at: fairlearn takes some 10 ms for each."""

_Definition = tuple[str, tuple[int, ...]]
ScoreFunction = Callable[..., Any]
"""A metric function of scikit-learn or fairlearn: (y_true, y_pred, sample_weight=[cells]) → number."""


def confirm(table: GroupTable, cells: Cells, metrics: Sequence[Metric]) -> None:
    """Compute the table's shares again, before and after; of a table of many groups, for the first of each spec.

    The frame is given each distinct (group, true, predicted) once, weighted by its rows: the same values as from the
    rows themselves without the cost of each row. Metrics of scores, events per hour and changes are not among them.

    Args:
        table: what `tabulate` gave for these cells and metrics.
        cells: what it was made from.
        metrics: in the order of the table.

    Raises:
        ToolError: a value differs, or is missing there.
    """
    if not cells.classes or not len(cells):
        return
    places: dict[_Definition, list[int]] = {}
    for place, metric in enumerate(metrics):
        places.setdefault((metric.definition, metric.concerned), []).append(place)
    known = [(score, places[key]) for key in places if (score := _score_of(*key)) is not None]
    most = len(table.groups) if len(table.groups) <= _MOST else max(_MOST // len(table.by_spec), 1)
    for spec, groups in table.by_spec.items():
        for side, predicted in (("before", cells.before), ("after", cells.after)):
            if predicted is None:
                continue
            counts = confusion_counts(cells, cells.groups_of(spec), predicted)[:most]
            for group, values in zip(groups, _values(counts, [score for score, _ in known]), strict=False):
                for (_, asked), value in zip(known, values.tolist(), strict=True):
                    for place in asked:
                        _compare(group.group, group.metrics[place], side, value)


def _values(counts: Counts, scores: Sequence[ScoreFunction]) -> NDArray[np.float64]:
    """[groups, scores] as fairlearn has them."""
    import sklearn
    from fairlearn.metrics import MetricFrame

    group, true, predicted = np.nonzero(counts)

    def together(y_true: Codes, y_pred: Codes, sample_weight: Counts) -> NDArray[np.float64]:
        return np.asarray([score(y_true, y_pred, sample_weight=sample_weight) for score in scores], dtype=np.float64)

    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        frame = MetricFrame(
            metrics=together,
            y_true=true,
            y_pred=predicted,
            sensitive_features=group.tolist(),  # an array of one cell would lose its dimension
            sample_params={"sample_weight": counts[group, true, predicted]},
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


def _score_of(definition: str, concerned: tuple[int, ...]) -> ScoreFunction | None:
    """What others compute a metric with; None where they have no such metric of classes."""
    from fairlearn import metrics as fairlearn
    from sklearn import metrics as sklearn

    of_all: dict[str, ScoreFunction] = {
        "accuracy": sklearn.accuracy_score,
        "macro_recall": partial(sklearn.recall_score, average="macro", zero_division=0),
        "macro_precision": partial(sklearn.precision_score, average="macro", zero_division=0),
        "macro_f1": partial(sklearn.f1_score, average="macro", zero_division=0),
    }
    of_a_set: dict[str, ScoreFunction] = {
        "recall": fairlearn.true_positive_rate,
        "precision": partial(sklearn.precision_score, zero_division=math.nan),
        "specificity": fairlearn.true_negative_rate,
        "f1": partial(sklearn.f1_score, zero_division=math.nan),
        "selection_rate": fairlearn.selection_rate,
        "false_alarm_rate": fairlearn.false_positive_rate,
        "missed_alarm_rate": fairlearn.false_negative_rate,
    }
    if definition in of_all:
        return of_all[definition]
    score = of_a_set.get(definition)
    if score is None:
        return None

    def of_membership(y_true: Codes, y_pred: Codes, sample_weight: Counts) -> Any:
        inside, raised = np.isin(y_true, concerned), np.isin(y_pred, concerned)
        return score(inside.astype(int), raised.astype(int), sample_weight=sample_weight, pos_label=1)

    return of_membership
