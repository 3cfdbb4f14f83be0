"""Whether the weak attacker, who sees outputs and knows nothing else, recognises more than a policy allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import MembershipRule
from audit_pipeline.privacy.finding import group_id, interval, spec_of
from audit_pipeline.privacy_part import MembershipPart
from audit_pipeline.statistics.wording import UNDECIDED, behind, interval_of, number

_BADNESS = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL)


def judge_losses(rule: MembershipRule, where: str, parts: Sequence[MembershipPart]) -> Iterator[Finding]:
    """Apply one rule to every group it names: of the weak attacks on the device, the worst counts.

    Args:
        rule: the policy's, of attacker `losses`.
        where: it stands there, as `privacy[0]`.
        parts: of every membership attack.
    """
    asked = [
        part
        for part in parts
        if part.strength == "weak" and part.fpr_target == rule.fpr and spec_of(part.group) in rule.groups
    ]
    on_device: dict[GroupKey, list[MembershipPart]] = {}
    for part in asked:
        if part.model == "device":
            on_device.setdefault(part.group, []).append(part)
    on_float = {(part.group, part.attack): part for part in asked if part.model == "float"}
    for group, attacks in on_device.items():
        worst = max(attacks, key=lambda part: _badness(rule, part))
        yield _finding(rule, where, worst, on_float.get((group, worst.attack)))


def _badness(rule: MembershipRule, part: MembershipPart) -> tuple[int, float]:
    return _BADNESS.index(_weigh(rule, part)[0]), part.tpr.estimate if isinstance(part.tpr, Measured) else -1.0


def _finding(rule: MembershipRule, where: str, part: MembershipPart, on_float: MembershipPart | None) -> Finding:
    group = part.group
    outcome, reason = _weigh(rule, part)
    if on_float and isinstance(on_float.tpr, Measured):
        reason += f"; the float model gives {number(on_float.tpr.estimate)}"
    return Finding(
        id=f"privacy.membership.fpr={rule.fpr:g}:{group_id(group)}",
        stage="privacy",
        rule=where,
        claim=f"{group.label}: a weak membership attack at a false-positive rate of {rule.fpr:g} recognises at most "
        f"{rule.max_tpr:g} of the training rows by the device's outputs",
        group=group,
        value=part.tpr,
        limit=rule.max_tpr,
        limit_kind="at_most",
        outcome=outcome,
        reason=f"{group.label}: {reason}",
    )


def _weigh(rule: MembershipRule, part: MembershipPart) -> tuple[Outcome, str]:
    tpr, fpr = part.tpr, part.fpr
    if isinstance(tpr, NotMeasurable):
        return Outcome.INCONCLUSIVE, f"membership cannot be attacked: {tpr.reason}"
    if isinstance(fpr, NotMeasurable):
        return Outcome.INCONCLUSIVE, f"membership cannot be attacked: {fpr.reason}"
    said = (
        f"a weak attack on the device's outputs recognises {number(tpr.estimate)} {interval_of(tpr)} of {behind(tpr)} "
        f"that were trained on, and takes {number(fpr.estimate)} {interval_of(fpr)} of {behind(fpr)} that were not for "
        f"such; at most {rule.max_tpr:g} may be recognised"
    )
    if part.tpr_with_coin is not None and part.tpr_with_coin > rule.max_tpr >= interval(tpr).high:
        tied = f"but {number(part.tpr_with_coin)} of them by a coin among rows with equal outputs, so this is no pass"
        return Outcome.INCONCLUSIVE, f"{said}; {tied}"
    return _outcome(interval(tpr), interval(fpr), rule.max_tpr, said)


def _outcome(tpr: Interval, fpr: Interval, limit: float, said: str) -> tuple[Outcome, str]:
    """FAIL only where members are also recognised more often than strangers are mistaken for them.

    A threshold that came out too low on its half lets through more of everybody; that alone is no leak.
    """
    if tpr.high <= limit:
        return Outcome.PASS, said
    if tpr.low <= limit:
        return Outcome.INCONCLUSIVE, said + UNDECIDED
    if tpr.low <= fpr.high:
        return Outcome.INCONCLUSIVE, f"{said}; strangers may be taken for members as often, so this shows no leak"
    return Outcome.FAIL, said
