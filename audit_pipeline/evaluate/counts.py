"""From predictions to counts, once: everything that is said about a group is computed from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.frame import point_values
from audit_pipeline.evaluate.metrics import Labels, Mask, Metric, metrics_for
from audit_pipeline.measurement import GroupKey
from audit_pipeline.policy.schema import OVERALL, FairnessRule
from audit_pipeline.predictions import Predictions
from audit_pipeline.statistics.tally import PairedTally, Tally, person_codes, tally


@dataclass(frozen=True)
class MetricCounts:
    """One metric of one group: point values as fairlearn gives them, and the counts by person behind them."""

    metric: Metric
    before_value: float | None
    """None where there was no float model; NaN without rows, like `after_value`."""
    after_value: float
    before: Tally | None
    after: Tally
    paired: PairedTally | None
    """`worse` counts rows that the device alone got wrong."""


@dataclass(frozen=True)
class GroupCounts:
    """One group and its metrics."""

    group: GroupKey
    rows: int
    subjects: int | None
    metrics: tuple[MetricCounts, ...]

    def of(self, name: str, class_: str | None) -> MetricCounts:
        """The counts of a metric that was asked for."""
        return next(m for m in self.metrics if (m.metric.key.name, m.metric.key.class_) == (name, class_))


@dataclass(frozen=True)
class PopulationCounts:
    """All groups of all group specs, overall first."""

    by_spec: dict[str, tuple[GroupCounts, ...]]

    @property
    def groups(self) -> tuple[GroupCounts, ...]:
        """Every group once, in the order of the specs."""
        return tuple(group for groups in self.by_spec.values() for group in groups)


def count(
    before: Predictions | None,
    after: Predictions,
    split: Split,
    classes: Sequence[str],
    alarm_classes: Sequence[str],
    specs: Sequence[str] = (),
    rules: Sequence[FairnessRule] = (),
) -> PopulationCounts:
    """Count a split by metric, group and person.

    Args:
        before: the float model's predictions for `split`; None where there is no float model.
        after: the device's.
        split: rows, true classes, groups and people.
        classes: names of the classes that `split.y` indexes.
        alarm_classes: those that raise an alarm.
        specs: group specs to show besides overall.
        rules: fairness rules; their metrics and group specs are counted too.

    Raises:
        InputError: predictions that do not fit the split or are not finite; a rule's class or group that the data
            do not have.
    """
    for predictions in filter(None, (before, after)):
        _refuse_misfit(predictions, len(split), len(classes))
    metrics = metrics_for(classes, alarm_classes, rules)
    wanted = dict.fromkeys([OVERALL, *specs, *(spec for rule in rules for spec in rule.groups)])
    people, named = person_codes(split.subjects, len(split))
    rows = _Rows(split.y, before.labels if before else None, after.labels, people, named)
    return PopulationCounts({spec: _count_spec(rows, split.members(spec), metrics) for spec in wanted})


@dataclass(frozen=True)
class _Rows:
    """What counting needs of each row."""

    true: Labels
    before: Labels | None
    after: Labels
    people: Labels
    named: bool


def _count_spec(
    rows: _Rows, members: Sequence[tuple[GroupKey, Mask]], metrics: Sequence[Metric]
) -> tuple[GroupCounts, ...]:
    group = np.zeros(len(rows.true), dtype=np.int64)
    for number, (_, mask) in enumerate(members):
        group[mask] = number
    after = point_values(metrics, rows.true, rows.after, group)
    before = None if rows.before is None else point_values(metrics, rows.true, rows.before, group)
    return tuple(
        GroupCounts(
            group=key,
            rows=int(mask.sum()),
            subjects=len(np.unique(rows.people[mask])) if rows.named else None,
            metrics=tuple(
                _count_metric(
                    rows,
                    metric,
                    mask & metric.denominator(rows.true),
                    None if before is None else float(before[number, column]),
                    float(after[number, column]),
                )
                for column, metric in enumerate(metrics)
            ),
        )
        for number, (key, mask) in enumerate(members)
    )


def _count_metric(
    rows: _Rows, metric: Metric, counted: Mask, before_value: float | None, after_value: float
) -> MetricCounts:
    where = np.flatnonzero(counted)
    true, people = rows.true[where], rows.people[where]
    hit_after = metric.hit(true, rows.after[where])
    after = tally(hit_after, people, rows.named)
    if rows.before is None:
        return MetricCounts(metric, None, after_value, None, after, None)
    hit_before = metric.hit(true, rows.before[where])
    first, second = (hit_before, hit_after) if metric.key.higher_is_better else (hit_after, hit_before)
    paired = PairedTally(
        worse=tally(first & ~second, people, rows.named).hits,
        better=tally(second & ~first, people, rows.named).hits,
        rows=after.rows,
        named=rows.named,
    )
    return MetricCounts(metric, before_value, after_value, tally(hit_before, people, rows.named), after, paired)


def _refuse_misfit(predictions: Predictions, rows: int, classes: int) -> None:
    if predictions.scores.shape != (rows, classes):
        raise InputError(
            "evaluate.scores-shape",
            f"the {predictions.made_by} model gave scores of shape {list(predictions.scores.shape)} for {rows} rows of "
            f"{classes} classes",
            hint="the model's output must have one score for each class of the dataset manifest",
        )
    bad = ~np.isfinite(predictions.scores).all(axis=1)
    if bad.any():
        raise InputError(
            "evaluate.scores-not-finite",
            f"the {predictions.made_by} model gave NaN or infinite scores for {int(bad.sum())} rows",
            where=f"evaluation row {int(np.argmax(bad))}",
        )
