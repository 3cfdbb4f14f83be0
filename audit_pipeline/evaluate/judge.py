"""The fairness rules of a policy, applied to counts: one finding for each rule and group.

PASS where the whole interval keeps the limit, FAIL where the whole interval breaks it, INCONCLUSIVE where it does
neither, or where too few rows stand behind the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit_pipeline.evaluate import wording
from audit_pipeline.evaluate.compare import after, worsening
from audit_pipeline.evaluate.counts import GroupCounts, MetricCounts, PopulationCounts
from audit_pipeline.evaluate.gap import Gap, gaps
from audit_pipeline.evidence import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.policy.schema import OVERALL, FairnessRule, Statistics
from audit_pipeline.statistics.wording import UNDECIDED

_AGAINST_FLOAT = ("max_drop", "max_rise")


def judge(rules: Sequence[FairnessRule], counts: PopulationCounts, statistics: Statistics) -> tuple[Finding, ...]:
    """Apply every rule to every group it names.

    Args:
        rules: the policy's, in its order; their place gives `Finding.rule`.
        counts: what `count` gave for these rules.
        statistics: confidence level and smallest group.
    """
    return tuple(
        finding
        for number, rule in enumerate(rules)
        for spec in rule.groups
        for finding in _judge_spec(rule, f"fairness[{number}]", spec, counts.by_spec[spec], statistics)
    )


def outcome_within(interval: Interval, limit: float, *, at_most: bool) -> Outcome:
    """Where an interval lies against a limit; touching the limit keeps it."""
    kept = interval.high <= limit if at_most else interval.low >= limit
    broken = interval.low > limit if at_most else interval.high < limit
    return Outcome.PASS if kept else Outcome.FAIL if broken else Outcome.INCONCLUSIVE


def _judge_spec(
    rule: FairnessRule, where: str, spec: str, groups: Sequence[GroupCounts], statistics: Statistics
) -> Iterator[Finding]:
    if rule.max_gap is not None:
        yield _judge_gap(rule, where, spec, groups, statistics)
        return
    for group in groups:
        yield _judge_group(rule, where, group, statistics)


def _judge_group(rule: FairnessRule, where: str, group: GroupCounts, statistics: Statistics) -> Finding:
    kind, limit = rule.limit
    counts = group.of(rule.metric, rule.class_)
    value = _value(kind, counts, statistics.confidence)
    at_most = kind != "min"
    if isinstance(value, NotMeasurable):
        outcome, reason = Outcome.INCONCLUSIVE, wording.not_measurable(group.group, counts.metric.key, value)
    else:
        outcome, reason = _weigh(kind, limit, group.group, counts, value, statistics)
    return Finding(
        id=_identifier(rule, ",".join(f"{by}={of}" for by, of in zip(group.group.by, group.group.values, strict=True))),
        stage="fairness",
        rule=where,
        claim=wording.claim(counts.metric.key, kind, limit, group.group),
        group=group.group,
        value=value,
        limit=limit,
        limit_kind="at_most" if at_most else "at_least",
        outcome=outcome,
        reason=reason,
    )


def _value(kind: str, counts: MetricCounts, level: float) -> Measurement:
    if kind not in _AGAINST_FLOAT:
        return after(counts, level)
    return worsening(counts, level) or NotMeasurable(
        reason="there is no float model to compare the device with",
        rows=counts.after.total,
        subjects=counts.after.subjects,
    )


def _weigh(
    kind: str, limit: float, group: GroupKey, counts: MetricCounts, value: Measured, statistics: Statistics
) -> tuple[Outcome, str]:
    if value.interval is None:
        raise ValueError("a proportion always has an interval")
    said = wording.measured(group, counts.metric.key, kind, limit, value)
    if value.rows < statistics.min_group_size:
        return Outcome.INCONCLUSIVE, said + wording.too_few(value.rows, statistics.min_group_size)
    outcome = outcome_within(value.interval, limit, at_most=kind != "min")
    return outcome, said + (UNDECIDED if outcome is Outcome.INCONCLUSIVE else "")


def _judge_gap(
    rule: FairnessRule, where: str, spec: str, groups: Sequence[GroupCounts], statistics: Statistics
) -> Finding:
    kind, limit = rule.limit
    smallest = statistics.min_group_size
    tallies = {group.group: group.of(rule.metric, rule.class_).after for group in groups}
    key = groups[0].of(rule.metric, rule.class_).metric.key
    columns = GroupKey(by=tuple(spec.split("*")))
    pairs = gaps([(group, tally) for group, tally in tallies.items() if tally.total >= smallest], statistics.confidence)
    small = tuple(group for group, tally in tallies.items() if tally.total < smallest)
    value: Measurement
    if pairs:
        outcome, worst = _worst_pair(pairs, limit)
        value, reason = worst.measured, wording.gap(key, worst, limit)
        if outcome is Outcome.INCONCLUSIVE:
            reason += UNDECIDED
        if small:
            reason += wording.left_out(small, smallest)
            outcome = Outcome.FAIL if outcome is Outcome.FAIL else Outcome.INCONCLUSIVE
    else:
        why = f"fewer than two groups have the {smallest} rows that the policy asks for"
        value = NotMeasurable(reason=why, rows=sum(tally.total for tally in tallies.values()))
        outcome, reason = Outcome.INCONCLUSIVE, wording.not_measurable(columns, key, value)
    return Finding(
        id=_identifier(rule, spec),
        stage="fairness",
        rule=where,
        claim=wording.claim(key, kind, limit, columns),
        group=columns,
        value=value,
        limit=limit,
        limit_kind="at_most",
        outcome=outcome,
        reason=reason,
    )


def _worst_pair(pairs: Sequence[Gap], limit: float) -> tuple[Outcome, Gap]:
    """The pair that decides: the surest breach where there is one, else the widest gap that cannot be ruled out."""
    surest = max(pairs, key=lambda pair: pair.interval.low)
    if surest.interval.low > limit:
        return Outcome.FAIL, surest
    widest = max(pairs, key=lambda pair: pair.reach)
    return (Outcome.PASS if widest.reach <= limit else Outcome.INCONCLUSIVE), widest


def _identifier(rule: FairnessRule, group: str) -> str:
    metric = rule.metric if rule.class_ is None else f"{rule.metric}.{rule.class_}"
    return f"fairness.{metric}.{rule.limit[0]}:{group or OVERALL}"
