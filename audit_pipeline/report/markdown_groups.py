"""Before and after by group, and who was changed, as Markdown."""

from __future__ import annotations

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Exemplars, Finding
from audit_pipeline.report import exemplars
from audit_pipeline.report.comparison import Line, MetricTable, metric_tables
from audit_pipeline.report.markdown_text import (
    change_text,
    group_text,
    p_texts,
    people,
    table,
    text,
    value_text,
    with_range,
)
from audit_pipeline.report.rules import limit_in_words, value_in_words
from audit_pipeline.report.summary import change_methods, interval_methods, methods_between, metric_name, summarise
from audit_pipeline.report.verdicts import chance
from audit_pipeline.report.wording import NAME_CELLS, behind, brief, count, p_values

_INTRODUCTION = (
    "Before is the float model, after is the device's own integer arithmetic, on the same rows. Worsening is paired; "
    "positive means that the device is worse. The worst group stands first."
)
_ANY_CHANGE = (
    "“Any change?” tests whether compression did anything at all to a group, for better or worse: p alone, and "
    "adjusted for every metric and group of this report. Where few people are behind a group, few ways of "
    "flipping signs exist, and p cannot be small. It decides nothing; the policy's limits do, under Findings."
)


def groups_section(evidence: Evidence) -> str:
    """Every metric's table, the worst first."""
    tables = metric_tables(evidence)
    introduction = [_INTRODUCTION]
    if any(each.is_tested_for_change for each in tables):
        introduction.append(_ANY_CHANGE)
    shown = [_metric(evidence, each) for each in tables]
    return "\n\n".join(["## Before and after by group", " ".join(introduction), *shown])


def _metric(evidence: Evidence, compared: MetricTable) -> str:
    lines = [f"### {text(metric_name(compared) + compared.quantity.caption)}", text(summarise(compared))]
    lines += [f"Rule: {text(claim)}" for claim in compared.claims] or ["No rule of the policy speaks of it."]
    lines += [_between(evidence, finding) for finding in compared.between]
    if methods := methods_between(compared):
        lines.append(f"Intervals between groups: {text(methods)}.")
    if methods := interval_methods(compared):
        lines.append(f"Intervals: {text(methods)}.")
    if compared.is_tested_for_change:
        lines.append(f"Any change: {text(change_methods(compared))}.")
    if not compared.is_of_groups:
        lines.append(_table(compared))
    return "\n\n".join(lines)


def _between(evidence: Evidence, finding: Finding) -> str:
    value = with_range(*value_in_words(evidence, finding))
    on = f" on {behind(finding.value)}" if finding.value.rows else ""
    said = f"{value}{on}; {limit_in_words(evidence, finding)}"
    said += f"; {p_values(finding.breach.p, finding.breach.adjusted_p)}" if finding.breach else ""
    sentences = f"{said}. {chance(evidence, finding)}".rstrip()
    return f"**{finding.outcome.value}** {group_text(finding.group)}: {text(sentences)}"


def _table(compared: MetricTable) -> str:
    tests = ["Any change? p", "adjusted"] if compared.is_tested_for_change else []
    head = ["Group", "Rows", "People", "Before (float)", "After (device)", "Worsening", *tests, "Outcome"]
    rows = [_line(compared, line) for line in compared.everyone]
    return table(head, rows, range(1, 6 + len(tests)))


def _line(compared: MetricTable, line: Line) -> tuple[str, ...]:
    comparison, quantity = line.comparison, compared.quantity
    return (
        group_text(line.group),
        count(comparison.after.rows),
        people(comparison.after.subjects),
        value_text(comparison.before, quantity),
        value_text(comparison.after, quantity),
        change_text(comparison.worsening, quantity),
        *(p_texts(comparison.change) if compared.is_tested_for_change else ()),
        line.outcome.value if line.outcome else "no rule",
    )


def exemplars_section(found: Exemplars) -> str:
    """How many rows changed class, in which groups, and the first of them."""
    lines = ["## Who was changed", exemplars.tally(found)]
    if found.groups:
        lines += [f"Shares of rows that changed class. {exemplars.about_the_tests(found)}", _groups(found)]
    if found.listed:
        head = ["Row", "Class before", "Class after", "Effect", "True class's score lost"]
        rows = [
            (str(row.row), _class(row.before), _class(row.after), row.effect, exemplars.shift(row))
            for row in exemplars.first_rows(found)
        ]
        lines += [text(exemplars.about_the_rows(found)), table(head, rows, (0, 4))]
    return "\n\n".join(lines)


def _groups(found: Exemplars) -> str:
    head = ["Group", "Rows", "People", "Changed, in the group", "Changed, all others", "Ratio", "p", "adjusted"]
    rows = [
        (
            group_text(each.group),
            count(each.inside.rows),
            people(each.inside.subjects),
            value_text(each.inside),
            value_text(each.outside),
            exemplars.ratio(each),
            *p_texts(each),
        )
        for each in found.groups
    ]
    return table(head, rows, range(1, 8))


def _class(name: str) -> str:
    return text(brief(name, NAME_CELLS))
