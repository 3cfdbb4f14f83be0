"""Whether a group column of training people can be guessed better with the device's outputs than a policy allows."""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import AttributeRule
from audit_pipeline.privacy.finding import columns_of, interval, unanswered
from audit_pipeline.privacy_part import AttributePart
from audit_pipeline.statistics.wording import UNDECIDED, behind, interval_of, number


def judge_attribute(
    rule: AttributeRule, where: str, parts: Sequence[AttributePart], reasons: Sequence[str] = ()
) -> Finding:
    """Apply one rule to what the device tells of its training people.

    FAIL where the whole interval of the gain lies above the limit, PASS where none of it does.

    Args:
        rule: the policy's.
        where: it stands there, as `privacy[0]`.
        parts: float and device, members and non-members.
        reasons: why there are none.
    """
    asked = {(part.model, part.people): part for part in parts if part.column == rule.column}
    part = asked.get(("device", "members"))
    identifier = f"privacy.attribute.gain:{rule.column}"
    claim = (
        f"{rule.column} of training people is guessed at most {rule.max_gain:g} better in balanced accuracy with the "
        "device's outputs than without"
    )
    group = columns_of(rule.column)
    if part is None:
        return unanswered(identifier, where, claim, rule.max_gain, reasons, group)
    outcome, reason = _weigh(rule, part)
    for beside, name in (
        (asked.get(("device", "non-members")), "of people not trained on"),
        (asked.get(("float", "members")), "by the float model"),
    ):
        if beside is not None and isinstance(beside.gain, Measured):
            reason += f"; {name} the gain is {number(beside.gain.estimate)}"
    return Finding(
        id=identifier,
        stage="privacy",
        rule=where,
        claim=claim,
        group=group,
        value=part.gain,
        limit=rule.max_gain,
        limit_kind="at_most",
        outcome=outcome,
        reason=f"{group.label}: {reason}",
    )


def _weigh(rule: AttributeRule, part: AttributePart) -> tuple[Outcome, str]:
    gain, without, with_model = part.gain, part.without, part.with_model
    if isinstance(gain, NotMeasurable):
        return Outcome.INCONCLUSIVE, f"{rule.column} cannot be guessed: {gain.reason}"
    said = f"the guess gains {number(gain.estimate)} {interval_of(gain)} by the device's outputs"
    if isinstance(without, Measured) and isinstance(with_model, Measured):
        said += f", from {number(without.estimate)} to {number(with_model.estimate)}"
    said += f", over {behind(gain)}; at most {rule.max_gain:g} is allowed"
    bounds = interval(gain)
    if bounds.low > rule.max_gain:
        return Outcome.FAIL, said
    if bounds.high <= rule.max_gain:
        return Outcome.PASS, said
    return Outcome.INCONCLUSIVE, said + UNDECIDED
