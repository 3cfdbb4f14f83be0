"""What the policy of the sample run found: drops by group, what compares groups, the board, and privacy."""

from __future__ import annotations

from typing import Any

from audit_pipeline.findings import (
    Breach,
    ByChance,
    Exemplar,
    Exemplars,
    Finding,
    GroupRow,
    Overrepresentation,
    Prospect,
)
from audit_pipeline.measurement import GroupKey, Interval, Measured, Measurement, MetricKey, NotMeasurable, Outcome

FAMILY = 15
"""Limits on fairness that the sample policy tests together."""
TESTED = {
    Outcome.FAIL: Breach(p=3e-6, adjusted_p=0.000045, family=FAMILY, level=0.025),
    Outcome.INCONCLUSIVE: Breach(p=0.012, adjusted_p=0.132, family=FAMILY, level=0.025),
    Outcome.PASS: Breach(p=0.5, adjusted_p=1.0, family=FAMILY, level=0.025),
}
PROSPECT = Prospect(power=0.8, detectable=0.213, settles=Outcome.FAIL, more=12, of="people")

BY_CHANCE = ByChance(expected=0.012, high=0.041, share=0.95, method="2000 bootstrap replicates of people, centred")


def measured(estimate: float, rows: int = 1204, subjects: int | None = 8, half: float = 0.02) -> Measured:
    """A share with an interval around it."""
    interval = Interval(low=max(0.0, estimate - half), high=min(1.0, estimate + half), level=0.95, method="wilson")
    return Measured(estimate=estimate, interval=interval, rows=rows, subjects=subjects)


def worsening(estimate: float, rows: int = 1204, subjects: int | None = 8) -> Measured:
    """A paired difference with an interval around it."""
    interval = Interval(low=estimate - 0.012, high=estimate + 0.012, level=0.95, method="subject bootstrap")
    return Measured(estimate=estimate, interval=interval, rows=rows, subjects=subjects)


def drop_finding(row: GroupRow, metric: MetricKey, place: int, verdict: Outcome) -> Finding:
    """A rule that a metric may fall by 0.02 at most, in one group."""
    value = next(each for each in row.metrics if each.metric == metric).worsening
    outcome = Outcome.PASS
    if isinstance(value, Measured) and value.estimate > 0.02:
        outcome = Outcome.FAIL
    elif not isinstance(value, Measured) or (verdict is Outcome.INCONCLUSIVE and row.rows < 2000):
        outcome = Outcome.INCONCLUSIVE
    undecided = outcome is Outcome.INCONCLUSIVE and isinstance(value, Measured)
    said = "; the interval lies on both sides of that limit, so the data do not decide" if undecided else ""
    return Finding(
        id=f"max_drop/{metric.name}/{metric.class_}/{row.group.label}",
        stage="fairness",
        rule=f"fairness[{place}]",
        claim=f"{row.group.label}: {metric.label} falls by at most 0.02 against the float model",
        group=row.group,
        value=value or NotMeasurable(reason="no float model was given", rows=0),
        limit=0.02,
        limit_kind="at_most",
        outcome=outcome,
        reason=f"{row.group.label}: {metric.label} {_seen(value)}{said}",
        breach=TESTED[outcome] if isinstance(value, Measured) else None,
        prospect=PROSPECT if undecided else None,
    )


def _seen(value: Measurement | None) -> str:
    if not isinstance(value, Measured) or value.interval is None:
        return "cannot be judged"
    low, high = value.interval.low, value.interval.high
    interval = f"(95 % interval {low:.3f} to {high:.3f})"
    return f"fell by {value.estimate:g} {interval} on {value.rows} rows; at most 0.02 is allowed"


def _passed(id_: str, rule: str, claim: str, value: Measured, limit: float, **changes: Any) -> Finding:
    given: dict[str, Any] = {
        "id": id_,
        "stage": {"f": "fairness", "p": "privacy", "t": "device"}[rule[0]],
        "rule": rule,
        "claim": claim,
        "group": GroupKey(),
        "value": value,
        "limit": limit,
        "limit_kind": "at_most",
        "outcome": Outcome.PASS,
        "reason": "within the limit",
        "breach": TESTED[Outcome.PASS] if rule[0] == "f" else None,
    }
    return Finding.model_validate(given | changes)


def other_findings() -> tuple[Finding, ...]:
    """All that is not a drop; they pass."""
    by_sex = {"group": GroupKey(by=("sex",))}
    between = "between groups of sex"
    gap = f"{between}: false alarm rate differs by at most 0.05 on the device"
    odds = f"{between}: equalized odds difference is at most 0.1 on the device"
    parity = f"{between}: demographic parity ratio is at least 0.8 on the device"
    seen = {"reason": "differs by 0.031 between sex=F (higher) and sex=M", "by_chance": BY_CHANCE}
    return (
        _passed("max_gap/false_alarm_rate/sex", "fairness[1]", gap, worsening(0.031), 0.05, **by_sex, **seen),
        _passed(
            "min/accuracy",
            "fairness[2]",
            "overall: accuracy is at least 0.7 on the device",
            measured(0.752),
            0.7,
            limit_kind="at_least",
        ),
        _passed("max/equalized_odds_difference/sex", "fairness[3]", odds, measured(0.062), 0.1, **by_sex),
        _passed(
            "min/demographic_parity_ratio/sex",
            "fairness[4]",
            parity,
            measured(0.91),
            0.8,
            limit_kind="at_least",
            **by_sex,
        ),
        _passed("device/flash", "target", "fits the flash", Measured(estimate=27720, rows=0), 2097152),
        _passed("device/arena", "target", "fits the RAM", Measured(estimate=23144, rows=0), 655360),
        _passed("membership/overall", "privacy[0]", "weak attack, losses only", measured(0.012), 0.05),
        _passed("blob_scan", "privacy[1]", "nothing private in the blob", Measured(estimate=0, rows=0), 0),
    )


def make_exemplars(groups: tuple[GroupKey, ...]) -> Exemplars:
    """612 changed rows, of which the 30 most harmed are listed, most of them in the first group."""
    return Exemplars(
        rows=12_884,
        changed=612,
        lost=590,
        gained=12,
        listed=tuple(
            Exemplar(
                row=40_113 + 7 * number,
                before="V",
                after="N" if number % 5 else "F",
                effect=("lost", "lost", "lost", "other")[number % 4],
                shift=0.98 - 0.02 * number,
            )
            for number in range(30)
        ),
        groups=tuple(
            Overrepresentation(
                group=group,
                inside=measured(0.09 / (1 + index), 4_000),
                outside=measured(0.0 if index == 2 else 0.03, 8_884),
                ratio=None if index == 2 else 3.0 / (1 + index),
                p=min(1.0, 1e-9 * 500.0 ** min(index, 9)),
                adjusted_p=min(1.0, 1e-8 * 500.0 ** min(index, 9)),
            )
            for index, group in enumerate(groups)
        ),
    )
