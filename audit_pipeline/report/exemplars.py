"""Whom the compression changed, in words: the numbers of rows, and the first of them."""

from __future__ import annotations

from audit_pipeline.findings import Exemplar, Exemplars, Overrepresentation
from audit_pipeline.measurement import Measured, Scale
from audit_pipeline.report.quantity import Quantity
from audit_pipeline.report.summary import methods
from audit_pipeline.report.wording import count, group_name, percent

MOST_ROWS = 20
"""Rows that a report shows; the evidence lists more."""

_SCORES = Quantity(Scale.LABEL)
_BEYOND_CHANCE = 0.05
"""Adjusted p-value up to which a group is named on the screen."""


def tally(found: Exemplars) -> str:
    """How many rows changed class, and for whom that was good or bad."""
    share = f" ({percent(found.changed / found.rows)})" if found.rows else ""
    opening = f"Compression changed the class of {count(found.changed)} of {count(found.rows, 'row')}{share}"
    if not found.changed:
        return f"{opening}."
    other = found.changed - found.lost - found.gained
    parts = [
        f"{count(found.lost)} lost (right before, wrong now)",
        f"{count(found.gained)} gained (wrong before, right now)",
    ]
    if other:
        parts.append(f"{count(other)} wrong both times")
    return f"{opening}: {', '.join(parts)}."


def headline(found: Exemplars) -> str:
    """The same in one line, with the group that carries most of it beyond chance."""
    other = found.changed - found.lost - found.gained
    neither = f", {count(other)} neither" if other else ""
    rows = f"{count(found.changed)} of {count(found.rows, 'row')}"
    said = f"{rows}: {count(found.lost)} lost, {count(found.gained)} gained{neither}"
    first = next((group for group in found.groups if group.adjusted_p <= _BEYOND_CHANCE), None)
    if first is None or first.ratio is None:
        return said
    return f"{said}; {ratio(first)} times as often in {group_name(first.group)}"


def first_rows(found: Exemplars) -> tuple[Exemplar, ...]:
    """The rows that a report shows, the most harmed first."""
    return found.listed[:MOST_ROWS]


def shift(row: Exemplar) -> str:
    """How much of the true class's score was lost, in the score's own unit."""
    return _SCORES.change(row.shift)


def about_the_rows(found: Exemplars) -> str:
    """Which rows these are, and where the others stand."""
    shown = min(len(found.listed), MOST_ROWS)
    which = f"The {count(shown)} most harmed" if shown < found.changed else "All of them, the most harmed first"
    rest = f"; evidence.json lists {count(len(found.listed))}" if shown < len(found.listed) else ""
    return f"{which}, by their place in the evaluation split from 0{rest}. What they hold is not kept."


def ratio(group: Overrepresentation) -> str:
    """How many times as often rows of the group changed as all others did."""
    return "–" if group.ratio is None else f"{group.ratio:.2f}"


def about_the_tests(found: Exemplars) -> str:
    """How the intervals of the shares were made, and what the p-values say."""
    measured = (m for group in found.groups for m in (group.inside, group.outside) if isinstance(m, Measured))
    intervals = f"Intervals: {'; '.join(each)}. " if (each := methods(m.interval for m in measured)) else ""
    groups = count(len(found.groups), "group")
    return f"{intervals}p is one-sided, of no over-representation; adjusted by Holm (1979) over {groups}."
