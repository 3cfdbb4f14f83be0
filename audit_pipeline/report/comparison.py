"""Before against after, one table a metric, the worst group first: what picture, tables and terminal all show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding, MetricComparison
from audit_pipeline.measurement import GroupKey, Measured, MetricKey, Outcome
from audit_pipeline.report.quantity import SHARES, Quantity, quantity_of
from audit_pipeline.report.rules import claim_of, excess, is_between_groups, rule_of

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
    """One metric of every group, or one number that compares groups and has no value in any of them."""

    metric: MetricKey
    quantity: Quantity
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
    def is_of_groups(self) -> bool:
        """Whether it is a number of all groups together, as a demographic parity ratio is."""
        return not self.everyone

    @property
    def is_tested_for_change(self) -> bool:
        """Whether a test says of at least one line whether compression changed anything."""
        return any(line.comparison.change for line in self.everyone)

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
    tables = [
        _table(evidence, metric, rows, findings.pop((metric.name, metric.class_), [])) for metric, rows in cells.items()
    ]
    tables += [_table_of_groups(key, between) for key, found in findings.items() if (between := _between(found))]
    return tuple(sorted(tables, key=lambda table: (SEVERITY[table.outcome], table.metric.name != "accuracy")))


def _findings_by_metric(evidence: Evidence) -> dict[tuple[str, str | None], list[Finding]]:
    found: dict[tuple[str, str | None], list[Finding]] = defaultdict(list)
    for finding in evidence.findings:
        rule = rule_of(evidence, finding)
        if "metric" in rule:
            of = rule.get("class")
            found[str(rule["metric"]), None if of is None else str(of)].append(finding)
    return found


def _between(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if is_between_groups(finding))


def _claims(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(claim_of, findings)))


def _table_of_groups(key: tuple[str, str | None], between: tuple[Finding, ...]) -> MetricTable:
    """What fairlearn's differences and ratios have for a table: nothing but what compares groups."""
    name, of = key
    metric = MetricKey(name=name, class_=of, higher_is_better=between[0].limit_kind == "at_least")
    return MetricTable(metric, SHARES, _claims(between), between, overall=None, lines=())


def _table(
    evidence: Evidence, metric: MetricKey, rows: list[tuple[GroupKey, MetricComparison]], findings: list[Finding]
) -> MetricTable:
    between = _between(findings)
    own: dict[GroupKey, list[Finding]] = defaultdict(list)
    for finding in findings:
        own[finding.group].append(finding)
    gaps: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for finding in between:
        gaps[finding.group.by] += _gap_bound(finding, metric, rows)
    lines = [
        _line(group, comparison, own[group], [*_bounds(evidence, own[group], comparison), *gaps[group.by]])
        for group, comparison in rows
    ]
    return MetricTable(
        metric=metric,
        quantity=quantity_of(evidence.data, metric),
        claims=_claims(findings),
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
        excess=max(map(excess, findings)) if findings else _harm(comparison),
    )


def _bounds(evidence: Evidence, findings: list[Finding], comparison: MetricComparison) -> list[float]:
    """The values at which the device would stand exactly on the limit of each rule for one group."""
    bounds = (_bound(rule_of(evidence, finding), comparison) for finding in findings)
    return [bound for bound in bounds if bound is not None]


def _bound(rule: dict[str, object], comparison: MetricComparison) -> float | None:
    for key in ("min", "max"):
        if isinstance(value := rule.get(key), int | float):
            return float(value)
    for key, sign in (("max_drop", -1), ("max_rise", 1)):
        if isinstance(value := rule.get(key), int | float) and isinstance(comparison.before, Measured):
            return comparison.before.estimate + sign * value
    return None


def _gap_bound(finding: Finding, metric: MetricKey, rows: list[tuple[GroupKey, MetricComparison]]) -> list[float]:
    """The value that lies exactly the allowed gap away from the best group of the columns that are compared."""
    values = [
        comparison.after.estimate
        for group, comparison in rows
        if group.by == finding.group.by and isinstance(comparison.after, Measured)
    ]
    if not values:
        return []
    return [max(values) - finding.limit if metric.higher_is_better else min(values) + finding.limit]


def _harm(comparison: MetricComparison) -> float:
    if not isinstance(comparison.after, Measured):
        return float("-inf")
    return -comparison.after.estimate if comparison.metric.higher_is_better else comparison.after.estimate
