"""One metric's table in two sentences: what happened overall, and to whom it happened worst."""

from __future__ import annotations

from collections.abc import Iterable

from audit_pipeline.measurement import Interval, Measured, Outcome
from audit_pipeline.privacy_part import MembershipPart
from audit_pipeline.report.comparison import Line, MetricTable
from audit_pipeline.report.quantity import Quantity
from audit_pipeline.report.wording import brief, count, group_name, level

_METRIC_CELLS = 80
_METHOD_CELLS = 300


def metric_name(table: MetricTable) -> str:
    """The metric as a heading: `Recall of V`."""
    return _capital(brief(table.metric.label, _METRIC_CELLS))


def before_after(line: Line, quantity: Quantity) -> str:
    """A line's values: `0.724 → 0.104`, or the device's alone where no float model was given."""
    before, after = line.comparison.before, line.comparison.after
    if before is None or not isinstance(after, Measured):
        return quantity.brief(after)
    return f"{quantity.brief(before) if isinstance(before, Measured) else '–'} → {quantity.brief(after)}"


def summarise(table: MetricTable) -> str:
    """What a reader should take from the table."""
    if table.is_of_groups:
        return "One number for all groups of a column together, on the device."
    said = (table.quantity.with_unit(before_after(line, table.quantity)) for line in table.everyone[:2])
    sentences = [f"Overall {next(said)}."] if table.overall else []
    if table.lines:
        sentences.append(f"{_tally(table)} worst is {group_name(table.lines[0].group)}: {next(said)}.")
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
    """How the intervals of a table were made: `95% three-quarter P; worsening 95% Tango 1998`."""
    values = methods(
        m.interval
        for line in table.everyone
        for m in (line.comparison.before, line.comparison.after)
        if isinstance(m, Measured)
    )
    differences = methods(
        line.comparison.worsening.interval for line in table.everyone if isinstance(line.comparison.worsening, Measured)
    )
    return "; ".join([*values, *(f"worsening {each}" for each in differences)])


def methods_between(table: MetricTable) -> str:
    """How the intervals of what compares groups were made."""
    return "; ".join(methods(f.value.interval for f in table.between if isinstance(f.value, Measured)))


def methods_of_attacks(attacks: Iterable[MembershipPart]) -> str:
    """How the intervals of the membership attack were made."""
    rates = (rate for attack in attacks for rate in (attack.tpr, attack.fpr))
    return "; ".join(methods(rate.interval for rate in rates if isinstance(rate, Measured)))


def methods(intervals: Iterable[Interval | None]) -> list[str]:
    """The levels and methods of some intervals, each once."""
    found = {(each.level, each.method) for each in intervals if each}
    return sorted({f"{level(share)} {brief(method, _METHOD_CELLS)}" for share, method in found})


def change_methods(table: MetricTable) -> str:
    """How a table was tested for any change: `9999 sign flips by subject; step-down max-T`."""
    changes = (line.comparison.change for line in table.everyone)
    return "; ".join(sorted({brief(change.method, _METHOD_CELLS) for change in changes if change}))
