"""One metric's table in two sentences: what happened overall, and to whom it happened worst."""

from __future__ import annotations

from collections.abc import Iterable

from audit_pipeline.measurement import Interval, Measured, Outcome
from audit_pipeline.report.comparison import Line, MetricTable
from audit_pipeline.report.wording import count, group_name, one_line, share


def metric_name(table: MetricTable) -> str:
    """The metric as a heading: `Recall of V`."""
    return _capital(one_line(table.metric.label))


def change(line: Line) -> str:
    """A line's values: `0.724 → 0.104`, or the device's alone where no float model was given."""
    before, after = line.comparison.before, line.comparison.after
    if before is None or not isinstance(after, Measured):
        return share(after)
    return f"{share(before) if isinstance(before, Measured) else '–'} → {share(after)}"


def summarise(table: MetricTable) -> str:
    """What a reader should take from the table."""
    sentences = [f"Overall {change(table.overall)}."] if table.overall else []
    if table.lines:
        worst = table.lines[0]
        sentences.append(f"{_tally(table)} worst is {group_name(worst.group)}: {change(worst)}.")
    return " ".join(sentences)


def describe(table: MetricTable) -> str:
    """The same for those who do not see the picture, with what compares groups with each other."""
    between = [f"{_capital(group_name(finding.group))}: {finding.outcome.value}." for finding in table.between]
    return " ".join([summarise(table), *between])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _tally(table: MetricTable) -> str:
    number = {outcome: sum(line.outcome is outcome for line in table.lines) for outcome in Outcome}
    if not sum(number.values()):
        return f"Of {count(len(table.lines), 'group')}, the"
    parts = [f"{number[outcome]} {word}" for outcome, word in _WORDS if number[outcome]]
    if unjudged := len(table.lines) - sum(number.values()):
        parts.append(f"{unjudged} without a rule of their own")
    return f"Of {count(len(table.lines), 'group')}, {', '.join(parts)}; the"


_WORDS = ((Outcome.FAIL, "failed"), (Outcome.INCONCLUSIVE, "inconclusive"), (Outcome.PASS, "passed"))


def interval_methods(table: MetricTable) -> str:
    """How the intervals of a table were made: `95% wilson; worsening 95% paired bootstrap`."""
    values = _methods(
        m.interval
        for line in table.everyone
        for m in (line.comparison.before, line.comparison.after)
        if isinstance(m, Measured)
    )
    differences = _methods(
        line.comparison.worsening.interval for line in table.everyone if isinstance(line.comparison.worsening, Measured)
    )
    return "; ".join([*values, *(f"worsening {each}" for each in differences)])


def _methods(intervals: Iterable[Interval | None]) -> list[str]:
    found = {f"{each.level * 100:.6g}% {one_line(each.method)}" for each in intervals if each}
    return sorted(found)
