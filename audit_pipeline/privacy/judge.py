"""The privacy rules of a policy, applied to what the attacks and the search found.

Pure: whoever holds the evidence and the policy draws the same findings again, as the gate does.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.findings import Finding
from audit_pipeline.policy.privacy import (
    AttributeRule,
    BlobScanRule,
    CanariesRule,
    DisparityRule,
    MembershipRule,
    PrivacyRule,
)
from audit_pipeline.policy.schema import Statistics
from audit_pipeline.privacy.judge_attribute import judge_attribute
from audit_pipeline.privacy.judge_blob import judge_blob
from audit_pipeline.privacy.judge_canaries import judge_canaries, judge_claim
from audit_pipeline.privacy.judge_disparity import judge_disparity
from audit_pipeline.privacy.judge_losses import judge_losses
from audit_pipeline.privacy.judge_shadows import judge_shadows
from audit_pipeline.privacy_part import BlobScan, MembershipPart, PrivacyBudget, PrivacyPart

_NOTHING = PrivacyPart()
_USUAL = Statistics()


def judge(
    rules: Sequence[PrivacyRule],
    membership: Sequence[MembershipPart],
    blob_scan: BlobScan | None,
    privacy: PrivacyPart | None = None,
    *,
    claim: PrivacyBudget | None = None,
    statistics: Statistics = _USUAL,
) -> tuple[Finding, ...]:
    """Apply every rule.

    Args:
        rules: the policy's, in its order; their place gives `Finding.rule`.
        membership: what the membership attacks gave, weak and with shadow models, at every rule's false-positive rate
            and groups. The device is judged; the float model is named beside it.
        blob_scan: what the search of what ships gave; None where there was nothing to search.
        privacy: what was found by other attacks, and why one of them could not be made.
        claim: of differential privacy, in the data set's manifest; held against the canaries, where there are any.
        statistics: the policy's.
    """
    found = privacy or _NOTHING
    placed = [(f"privacy[{place}]", rule) for place, rule in enumerate(rules)]
    by_shadows = [(at, rule) for at, rule in placed if isinstance(rule, MembershipRule) and rule.attacker == "shadows"]
    of_shadows = judge_shadows(by_shadows, membership, found, statistics)
    of_disparity = judge_disparity(
        [(at, rule) for at, rule in placed if isinstance(rule, DisparityRule)], found, statistics
    )
    findings: list[Finding] = []
    for at, rule in placed:
        match rule:
            case MembershipRule(attacker="shadows"):
                findings += of_shadows[at]
            case MembershipRule():
                findings += judge_losses(rule, at, membership)
            case DisparityRule():
                findings += of_disparity[at]
            case AttributeRule():
                findings.append(judge_attribute(rule, at, found.attributes, found.reasons))
            case CanariesRule():
                findings.append(judge_canaries(rule, at, found.canaries, found.reasons))
                findings += [judge_claim(claim, at, found.canaries, found.reasons)] if claim else []
            case BlobScanRule():
                findings.append(judge_blob(rule, at, blob_scan))
    return tuple(findings)
