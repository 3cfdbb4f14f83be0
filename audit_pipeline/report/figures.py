"""Which lines each picture of the page shows, and what it says to those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_pipeline.evidence import Finding
from audit_pipeline.report.bars import NARROW, WIDE, Bar, axis_of
from audit_pipeline.report.chart import dot_plot
from audit_pipeline.report.comparison import Line, MetricTable
from audit_pipeline.report.summary import change, describe, metric_name
from audit_pipeline.report.wording import behind, count, group_name, share

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


def at_a_glance(tables: Sequence[MetricTable]) -> Figure | None:
    """Every metric twice: overall, and its worst group. None where there is nothing to draw.

    Accuracy comes first: it is what a gate without groups would have looked at.
    """
    shown = sorted(tables[:MOST_METRICS], key=lambda table: table.metric.name != "accuracy")
    bars = [bar for table in shown for bar in _overall_and_worst(table)]
    if not bars:
        return None
    title = "Overall and worst group, before and after"
    description = " ".join(f"{metric_name(table)}: {describe(table)}" for table in shown)
    hidden = len(tables) - len(shown)
    return Figure(
        wide=dot_plot(bars, name="glance", title=title, description=description, whole=True, frame=WIDE),
        narrow=dot_plot(bars, name="glance-s", title=title, description=description, whole=True, frame=NARROW),
        note=f"{count(hidden, 'further metric')} below." if hidden > 0 else "",
    )


def _overall_and_worst(table: MetricTable) -> list[Bar]:
    name = metric_name(table)
    bars = []
    if table.overall:
        bars.append(_bar(table.overall, name, f"overall · {behind(table.overall.comparison.after)}", strong=True))
    if table.lines:
        bars.append(_bar(table.lines[0], name, f"worst: {group_name(table.lines[0].group)}"))
    return bars + [_gap(finding, name) for finding in table.between]


def by_group(table: MetricTable, number: int) -> Figure:
    """One metric: overall on top, then the worst groups, as many as a picture can hold."""
    shown = ([table.overall] if table.overall else []) + list(table.lines[:MOST_GROUPS])
    bars = [
        _bar(line, group_name(line.group), behind(line.comparison.after), strong=line is table.overall)
        for line in shown
    ]
    bars += [_gap(finding, "largest gap") for finding in table.between]
    title = f"{metric_name(table)} by group, before and after"
    return Figure(
        wide=dot_plot(bars, name=f"m{number}", title=title, description=describe(table), whole=False),
        narrow="",
        note=" ".join(_notes(table, bars)),
    )


def _notes(table: MetricTable, bars: Sequence[Bar]) -> list[str]:
    notes = []
    if len(table.lines) > MOST_GROUPS:
        every = count(len(table.lines), "group")
        notes.append(f"The picture shows the {MOST_GROUPS} worst of {every}; the table holds all.")
    low, high = axis_of(bars, whole=False)
    if (low, high) != (0, 1):
        notes.append(f"The axis runs from {low:g} to {high:g}.")
    return notes


def _gap(finding: Finding, label: str) -> Bar:
    return Bar(
        label=label,
        note=group_name(finding.group),
        numbers=f"gap {share(finding.value)}",
        before=None,
        after=finding.value,
        limit=finding.limit,
        higher_is_better=False,
        outcome=finding.outcome,
    )


def _bar(line: Line, label: str, note: str, *, strong: bool = False) -> Bar:
    return Bar(
        label=label,
        note=note,
        numbers=change(line),
        before=line.comparison.before,
        after=line.comparison.after,
        limit=line.limit,
        higher_is_better=line.comparison.metric.higher_is_better,
        outcome=line.outcome,
        strong=strong,
    )
