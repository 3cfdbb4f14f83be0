"""Which lines each picture of the page shows, and what it says to those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Scale
from audit_pipeline.report.bars import NARROW, WHOLE, WIDE, Axis, Bar, data_axis, share_axis
from audit_pipeline.report.chart import dot_plot
from audit_pipeline.report.comparison import Line, MetricTable
from audit_pipeline.report.quantity import Quantity
from audit_pipeline.report.summary import before_after, describe, metric_name
from audit_pipeline.report.wording import behind, count, group_name, limit

MOST_GROUPS = 24
"""Groups one picture shows besides overall; the table beside it holds all."""
MOST_METRICS = 6
"""Metrics the picture at the top shows."""


@dataclass(frozen=True)
class Figure:
    """A picture, and what it leaves out."""

    wide: str
    narrow: str
    """The same for narrow screens; empty where the wide one is scrolled instead."""
    note: str
    """What a reader must know to read it right; empty where there is nothing."""


def at_a_glance(tables: Sequence[MetricTable]) -> tuple[Figure, ...]:
    """Every metric twice: overall, and its worst group; one picture a unit, and none where there is nothing to draw.

    Accuracy comes first: it is what a gate without groups would have looked at.
    """
    shown = sorted(tables[:MOST_METRICS], key=lambda table: table.metric.name != "accuracy")
    units: dict[Quantity, list[MetricTable]] = {}
    for table in shown:
        units.setdefault(table.quantity, []).append(table)
    figures = [_glance(quantity, of_unit, number) for number, (quantity, of_unit) in enumerate(units.items())]
    hidden = len(tables) - len(shown)
    if hidden > 0:
        figures[-1] = replace(figures[-1], note=f"{figures[-1].note} {count(hidden, 'further metric')} below.")
    return tuple(figures)


def _glance(quantity: Quantity, tables: Sequence[MetricTable], number: int) -> Figure:
    bars = [bar for table in tables for bar in _overall_and_worst(table)]
    title = "Overall and worst group, before and after"
    description = " ".join(f"{metric_name(table)}: {describe(table)}" for table in tables)
    axis = WHOLE if quantity.scale is Scale.SHARE else data_axis(bars)
    return Figure(
        wide=dot_plot(bars, axis, name=f"glance{number}", title=title, description=description, frame=WIDE),
        narrow=dot_plot(bars, axis, name=f"glance{number}-s", title=title, description=description, frame=NARROW),
        note=f"{_WHAT[quantity.scale]}{quantity.caption}, on the evaluation split.",
    )


_WHAT = {Scale.SHARE: "Numbers from 0 to 1", Scale.PER_HOUR: "Events in an hour of use", Scale.LABEL: "Errors"}


def _overall_and_worst(table: MetricTable) -> list[Bar]:
    name = metric_name(table)
    bars = []
    if table.overall:
        note = f"overall · {behind(table.overall.comparison.after)}"
        bars.append(_bar(table.overall, table.quantity, name, note, strong=True))
    if table.lines:
        bars.append(_bar(table.lines[0], table.quantity, name, f"worst: {group_name(table.lines[0].group)}"))
    return bars + [_between(finding, table, name, group_name(finding.group)) for finding in table.between]


def by_group(table: MetricTable, number: int) -> Figure:
    """One metric: overall on top, then the worst groups, as many as a picture can hold, and what compares groups."""
    shown = ([table.overall] if table.overall else []) + list(table.lines[:MOST_GROUPS])
    bars = [
        _bar(line, table.quantity, group_name(line.group), behind(line.comparison.after), strong=line is table.overall)
        for line in shown
    ]
    for finding in table.between:
        name, note = group_name(finding.group), behind(finding.value)
        bars.append(_between(finding, table, *((name, note) if table.is_of_groups else ("largest gap", name))))
    axis = share_axis(bars) if table.quantity.scale is Scale.SHARE else data_axis(bars)
    title = f"{metric_name(table)} by group{'' if table.is_of_groups else ', before and after'}"
    return Figure(
        wide=dot_plot(bars, axis, name=f"m{number}", title=title, description=describe(table)),
        narrow="",
        note=" ".join(_notes(table, axis)),
    )


def _notes(table: MetricTable, axis: Axis) -> list[str]:
    notes = []
    if len(table.lines) > MOST_GROUPS:
        every = count(len(table.lines), "group")
        notes.append(f"The picture shows the {MOST_GROUPS} worst of {every}; the table holds all.")
    if axis.domain != WHOLE.domain:
        low, high = axis.domain
        notes.append(f"The axis runs from {limit(low)} to {limit(high)}{table.quantity.caption}.")
    return notes


def _between(finding: Finding, table: MetricTable, label: str, note: str) -> Bar:
    value = table.quantity.brief(finding.value)
    return Bar(
        label=label,
        note=note,
        numbers=value if table.is_of_groups else f"gap {value}",
        before=None,
        after=finding.value,
        limit=finding.limit,
        higher_is_better=finding.limit_kind == "at_least",
        outcome=finding.outcome,
    )


def _bar(line: Line, quantity: Quantity, label: str, note: str, *, strong: bool = False) -> Bar:
    return Bar(
        label=label,
        note=note,
        numbers=before_after(line, quantity),
        before=line.comparison.before,
        after=line.comparison.after,
        limit=line.limit,
        higher_is_better=line.comparison.metric.higher_is_better,
        outcome=line.outcome,
        strong=strong,
    )
