"""What every privacy finding has in common: its name, its groups, and how it says that nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.terms import OVERALL


def group_id(group: GroupKey) -> str:
    """A group as the last part of a finding's id."""
    if group.by and not group.values:
        return "*".join(group.by)
    return ",".join(f"{by}={value}" for by, value in zip(group.by, group.values, strict=True)) or OVERALL


def spec_of(group: GroupKey) -> str:
    """The group spec that makes a group."""
    return "*".join(group.by) or OVERALL


def columns_of(spec: str) -> GroupKey:
    """All groups of a spec together; everybody for `overall`."""
    return GroupKey() if spec == OVERALL else GroupKey(by=tuple(spec.split("*")))


def unanswered(
    identifier: str, where: str, claim: str, limit: float, reasons: Sequence[str], group: GroupKey
) -> Finding:
    """The finding of a rule for which no attack could be made.

    Args:
        identifier: of the finding.
        where: the rule stands in the policy.
        claim: the rule in words.
        limit: of the rule, which is an upper one.
        reasons: why there is nothing; as `PrivacyPart.reasons`.
        group: that nothing is known of.
    """
    why = "; ".join(reasons) or "this attack was not made"
    return Finding(
        id=identifier,
        stage="privacy",
        rule=where,
        claim=claim,
        group=group,
        value=NotMeasurable(reason=why, rows=0),
        limit=limit,
        limit_kind="at_most",
        outcome=Outcome.INCONCLUSIVE,
        reason=f"{group.label}: {why}",
    )


def interval(value: Measured) -> Interval:
    """The interval that a rate of an attack always has.

    Raises:
        ValueError: it has none.
    """
    if value.interval is None:
        raise ValueError("a rate of an attack always has an interval")
    return value.interval
