"""The before/after table, from counts."""

from __future__ import annotations

from audit_pipeline.evaluate.counts import GroupCounts, MetricCounts, PopulationCounts
from audit_pipeline.evaluate.paired import paired_interval
from audit_pipeline.evidence import GroupRow, MetricComparison
from audit_pipeline.measurement import Measured, Measurement, NotMeasurable
from audit_pipeline.statistics.intervals import wilson_interval
from audit_pipeline.statistics.tally import Tally


def compare(counts: PopulationCounts, level: float) -> tuple[GroupRow, ...]:
    """Every group's line: each metric before, after, and how much worse the device is, overall first.

    Args:
        counts: what `count` gave.
        level: two-sided confidence level of every interval, 0 to 1.
    """
    return tuple(_row(group, level) for group in counts.groups)


def _row(group: GroupCounts, level: float) -> GroupRow:
    return GroupRow(
        group=group.group,
        rows=group.rows,
        subjects=group.subjects,
        metrics=tuple(
            MetricComparison(
                metric=counts.metric.key,
                before=before(counts, level),
                after=after(counts, level),
                worsening=worsening(counts, level),
            )
            for counts in group.metrics
        ),
    )


def before(counts: MetricCounts, level: float) -> Measurement | None:
    """The float model's value; None where there was none."""
    if counts.before is None or counts.before_value is None:
        return None
    return _proportion(counts, counts.before, counts.before_value, level)


def after(counts: MetricCounts, level: float) -> Measurement:
    """The device's value."""
    return _proportion(counts, counts.after, counts.after_value, level)


def worsening(counts: MetricCounts, level: float) -> Measurement | None:
    """How much worse the device is on the same rows, positive for harm; None where there was no float model."""
    paired = counts.paired
    if paired is None:
        return None
    if not paired.total:
        return not_measurable(counts)
    return Measured(
        estimate=paired.difference,
        interval=paired_interval(paired, level),
        rows=paired.total,
        subjects=paired.subjects,
    )


def not_measurable(counts: MetricCounts) -> NotMeasurable:
    """The answer where a metric has no row to stand on."""
    return NotMeasurable(reason=f"{counts.metric.empty} in this group", rows=0, subjects=counts.after.subjects)


def _proportion(counts: MetricCounts, tally: Tally, value: float, level: float) -> Measurement:
    if not tally.total:
        return not_measurable(counts)
    return Measured(estimate=value, interval=wilson_interval(tally, level), rows=tally.total, subjects=tally.subjects)
