"""Before against after, one table a metric, the worst group first: what picture, tables and terminal all show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from audit_pipeline.evidence import Evidence, Finding, MetricComparison
from audit_pipeline.measurement import GroupKey, Measured, MetricKey, Outcome
from audit_pipeline.report.rules import claim_of, is_between_groups, rule_of

SEVERITY = {Outcome.FAIL: 0, Outcome.INCONCLUSIVE: 1, Outcome.PASS: 2, None: 3}
"""Order of outcomes in every list: what needs an answer comes first. None: no rule speaks of it."""


@dataclass(frozen=True)
class Line:
    """One group in a metric's table."""

    group: GroupKey
    comparison: MetricComparison
    outcome: Outcome | None
    """The worst outcome of the rules that speak of this metric and group; None where none does."""
    limit: float | None
    """The strictest value the policy allows the device here; None where no rule sets one."""
    excess: float
    """How far beyond its limit the worst rule is (negative: within); without a rule, how bad the device's value is."""

    @property
    def severity(self) -> tuple[int, float, str]:
        """Sort key: the worst first, ties by name."""
        return SEVERITY[self.outcome], -self.excess, self.group.label


@dataclass(frozen=True)
class MetricTable:
    """One metric of every group."""

    metric: MetricKey
    claims: tuple[str, ...]
    """The rules that speak of it, in words; empty where none does."""
    between: tuple[Finding, ...]
    """What compares groups with each other, and so belongs to no single line."""
    overall: Line | None
    lines: tuple[Line, ...]
    """Every group but overall, the worst first."""

    @property
    def everyone(self) -> tuple[Line, ...]:
        """Overall on top, then the groups."""
        return self.lines if self.overall is None else (self.overall, *self.lines)

    @property
    def outcome(self) -> Outcome | None:
        """The worst outcome in the table."""
        return worst((*(line.outcome for line in self.everyone), *(finding.outcome for finding in self.between)))

    @property
    def is_judged_by_line(self) -> bool:
        """Whether a rule speaks of at least one line on its own."""
        return any(line.outcome for line in self.everyone)


def worst(outcomes: Iterable[Outcome | None]) -> Outcome | None:
    """The outcome that needs an answer most."""
    return min(outcomes, key=SEVERITY.__getitem__, default=None)


def metric_tables(evidence: Evidence) -> tuple[MetricTable, ...]:
    """The tables of a run: metrics under a rule first, the worst of them on top, then accuracy, then the rest."""
    findings = _findings_by_metric(evidence)
    cells: dict[MetricKey, list[tuple[GroupKey, MetricComparison]]] = defaultdict(list)
    for row in evidence.groups:
        for comparison in row.metrics:
            cells[comparison.metric].append((row.group, comparison))
    tables = [_table(evidence, metric, rows, findings[metric.name, metric.class_]) for metric, rows in cells.items()]
    return tuple(sorted(tables, key=lambda table: (SEVERITY[table.outcome], table.metric.name != "accuracy")))


def _findings_by_metric(evidence: Evidence) -> dict[tuple[str, str | None], list[Finding]]:
    found: dict[tuple[str, str | None], list[Finding]] = defaultdict(list)
    for finding in evidence.findings:
        rule = rule_of(evidence, finding)
        if "metric" in rule:
            of = rule.get("class")
            found[str(rule["metric"]), None if of is None else str(of)].append(finding)
    return found


def _table(
    evidence: Evidence, metric: MetricKey, rows: list[tuple[GroupKey, MetricComparison]], findings: list[Finding]
) -> MetricTable:
    between = tuple(finding for finding in findings if is_between_groups(finding))
    lines = []
    for group, comparison in rows:
        own = [finding for finding in findings if finding.group == group]
        bounds = [_bound(rule_of(evidence, finding), comparison) for finding in own]
        bounds += [_gap_bound(finding, metric, rows) for finding in between if finding.group.by == group.by]
        lines.append(_line(group, comparison, own, [bound for bound in bounds if bound is not None]))
    return MetricTable(
        metric=metric,
        claims=tuple(dict.fromkeys(map(claim_of, findings))),
        between=between,
        overall=next((line for line in lines if not line.group.by), None),
        lines=tuple(sorted((line for line in lines if line.group.by), key=lambda line: line.severity)),
    )


def _line(group: GroupKey, comparison: MetricComparison, findings: list[Finding], bounds: list[float]) -> Line:
    strictest = max if comparison.metric.higher_is_better else min
    return Line(
        group=group,
        comparison=comparison,
        outcome=worst(finding.outcome for finding in findings),
        limit=strictest(bounds) if bounds else None,
        excess=max(map(_excess, findings)) if findings else _harm(comparison),
    )


def _bound(rule: dict[str, object], comparison: MetricComparison) -> float | None:
    """The value at which the device would stand exactly on the limit of a rule for one group."""
    for key in ("min", "max"):
        if isinstance(value := rule.get(key), int | float):
            return float(value)
    for key, sign in (("max_drop", -1), ("max_rise", 1)):
        if isinstance(value := rule.get(key), int | float) and isinstance(comparison.before, Measured):
            return comparison.before.estimate + sign * value
    return None


def _gap_bound(finding: Finding, metric: MetricKey, rows: list[tuple[GroupKey, MetricComparison]]) -> float | None:
    """The value that lies exactly the allowed gap away from the best group of the columns that are compared."""
    values = [
        comparison.after.estimate
        for group, comparison in rows
        if group.by == finding.group.by and isinstance(comparison.after, Measured)
    ]
    if not values:
        return None
    return max(values) - finding.limit if metric.higher_is_better else min(values) + finding.limit


def _excess(finding: Finding) -> float:
    if not isinstance(finding.value, Measured):
        return float("-inf")
    beyond = finding.value.estimate - finding.limit
    return beyond if finding.limit_kind == "at_most" else -beyond


def _harm(comparison: MetricComparison) -> float:
    if not isinstance(comparison.after, Measured):
        return float("-inf")
    return -comparison.after.estimate if comparison.metric.higher_is_better else comparison.after.estimate
