"""Stage 8: from findings to the verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from audit_pipeline.evidence import Verdict
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Measured, Outcome
from audit_pipeline.policy.schema import Policy
from audit_pipeline.waived import is_waived, use_of
from audit_pipeline.waiver_part import WaiverPart


def decide(findings: Sequence[Finding], policy: Policy, waivers: Sequence[WaiverPart] = ()) -> Verdict:
    """One answer to all findings: FAIL if any fails, else INCONCLUSIVE if any is, else PASS.

    What was never judged cannot pass: no findings at all, or a rule of the policy without one, is INCONCLUSIVE. A
    finding that is waived is judged again against the waiver's limit, and stands in the way no more where it holds
    there (see `waived`); no finding is altered.

    Args:
        findings: of every stage.
        policy: the policy they were made for.
        waivers: that hold for this model and policy.

    Returns:
        The verdict; its reasons are those of the findings that stand in the way, failures first and within them the
        furthest beyond its limit. `counts` names every outcome.
    """
    uses = use_of(waivers, findings, policy.statistics)
    standing = [each for each in findings if each.outcome is not Outcome.PASS and not is_waived(each, waivers, uses)]
    unjudged = _unjudged(findings, policy)
    if any(finding.outcome is Outcome.FAIL for finding in standing):
        outcome = Outcome.FAIL
    elif standing or unjudged or not findings:
        outcome = Outcome.INCONCLUSIVE
    else:
        outcome = Outcome.PASS
    counts = Counter(finding.outcome for finding in findings)
    return Verdict(
        outcome=outcome,
        reasons=(*(finding.reason for finding in sorted(standing, key=_badness)), *unjudged),
        counts={each: counts[each] for each in Outcome},
        waived=uses,
    )


def _unjudged(findings: Sequence[Finding], policy: Policy) -> tuple[str, ...]:
    rules = [f"fairness[{number}]" for number in range(len(policy.fairness))]
    rules += [f"privacy[{number}]" for number in range(len(policy.privacy_rules))]
    judged = {finding.rule for finding in findings}
    return tuple(f"{rule}: nothing was found out about this rule" for rule in rules if rule not in judged)


def _badness(finding: Finding) -> tuple[bool, float, str]:
    """Sort key: failures first, then by how far the estimate is beyond the limit; what has no number last."""
    beyond = -math.inf
    if isinstance(finding.value, Measured):
        beyond = finding.value.estimate - finding.limit
        beyond = beyond if finding.limit_kind == "at_most" else -beyond
    return finding.outcome is not Outcome.FAIL, -beyond, finding.id
