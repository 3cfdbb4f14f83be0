"""Stage 8: from findings to the verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from audit_pipeline.evidence import Verdict
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Measured, Outcome
from audit_pipeline.policy.schema import Policy


def decide(findings: Sequence[Finding], policy: Policy) -> Verdict:
    """One answer to all findings: FAIL if any fails, else INCONCLUSIVE if any is, else PASS.

    What was never judged cannot pass: no findings at all, or a rule of the policy without one, is INCONCLUSIVE.

    Args:
        findings: of every stage.
        policy: the policy they were made for.

    Returns:
        The verdict; its reasons are those of the findings that stand in the way, failures first and within them the
        furthest beyond its limit. `counts` names every outcome.
    """
    counts = Counter(finding.outcome for finding in findings)
    unjudged = _unjudged(findings, policy)
    if counts[Outcome.FAIL]:
        outcome = Outcome.FAIL
    elif counts[Outcome.INCONCLUSIVE] or unjudged or not findings:
        outcome = Outcome.INCONCLUSIVE
    else:
        outcome = Outcome.PASS
    standing_in_the_way = sorted((f for f in findings if f.outcome is not Outcome.PASS), key=_badness)
    return Verdict(
        outcome=outcome,
        reasons=(*(finding.reason for finding in standing_in_the_way), *unjudged),
        counts={each: counts[each] for each in Outcome},
    )


def _unjudged(findings: Sequence[Finding], policy: Policy) -> tuple[str, ...]:
    rules = [f"fairness[{number}]" for number in range(len(policy.fairness))]
    rules += [f"privacy[{number}]" for number in range(len(policy.privacy))]
    judged = {finding.rule for finding in findings}
    return tuple(f"{rule}: nothing was found out about this rule" for rule in rules if rule not in judged)


def _badness(finding: Finding) -> tuple[bool, float, str]:
    """Sort key: failures first, then by how far the estimate is beyond the limit; what has no number last."""
    beyond = -math.inf
    if isinstance(finding.value, Measured):
        beyond = finding.value.estimate - finding.limit
        beyond = beyond if finding.limit_kind == "at_most" else -beyond
    return finding.outcome is not Outcome.FAIL, -beyond, finding.id
