"""The privacy rules of a policy, applied to what the attacks and the search found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import BlobScanRule, MembershipRule, PrivacyRule
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.privacy_part import BlobScan, MembershipPart
from audit_pipeline.statistics.wording import UNDECIDED, behind, interval_of, number


def judge(
    rules: Sequence[PrivacyRule], membership: Sequence[MembershipPart], blob_scan: BlobScan | None
) -> tuple[Finding, ...]:
    """Apply every rule.

    Args:
        rules: the policy's, in its order; their place gives `Finding.rule`.
        membership: what `membership` gave for float and device, at every rule's false-positive rate and groups. The
            device is judged; the float model is named beside it.
        blob_scan: what `scan` gave; None where there was nothing to scan.
    """
    findings: list[Finding] = []
    for place, rule in enumerate(rules):
        where = f"privacy[{place}]"
        if isinstance(rule, MembershipRule):
            findings += _judge_membership(rule, where, membership)
        elif isinstance(rule, BlobScanRule):
            findings.append(_judge_blob(rule, where, blob_scan))
    return tuple(findings)


def _judge_membership(rule: MembershipRule, where: str, parts: Sequence[MembershipPart]) -> Iterator[Finding]:
    asked = [
        part for part in parts if part.fpr_target == rule.fpr and ("*".join(part.group.by) or OVERALL) in rule.groups
    ]
    on_float = {part.group: part for part in asked if part.model == "float"}
    for group, part in {part.group: part for part in asked if part.model == "device"}.items():
        yield _finding(rule, where, group, part, on_float.get(group))


def _finding(
    rule: MembershipRule, where: str, group: GroupKey, part: MembershipPart, on_float: MembershipPart | None
) -> Finding:
    name = ",".join(f"{by}={value}" for by, value in zip(group.by, group.values, strict=True)) or OVERALL
    outcome, reason = _weigh(rule, part)
    if on_float and isinstance(on_float.tpr, Measured):
        reason += f"; the float model gives {number(on_float.tpr.estimate)}"
    return Finding(
        id=f"privacy.membership.fpr={rule.fpr:g}:{name}",
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
    if isinstance(tpr, NotMeasurable) or isinstance(fpr, NotMeasurable):
        missing = tpr if isinstance(tpr, NotMeasurable) else fpr
        return Outcome.INCONCLUSIVE, f"membership cannot be attacked: {_reason(missing)}"
    said = (
        f"a weak attack on the device's outputs recognises {number(tpr.estimate)} {interval_of(tpr)} of {behind(tpr)} "
        f"that were trained on, and takes {number(fpr.estimate)} {interval_of(fpr)} of {behind(fpr)} that were not for "
        f"such; at most {rule.max_tpr:g} may be recognised"
    )
    if part.tpr_with_coin is not None and part.tpr_with_coin > rule.max_tpr >= _interval(tpr).high:
        tied = f"but {number(part.tpr_with_coin)} of them by a coin among rows with equal outputs, so this is no pass"
        return Outcome.INCONCLUSIVE, f"{said}; {tied}"
    return _outcome(_interval(tpr), _interval(fpr), rule.max_tpr, said)


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


def _judge_blob(rule: BlobScanRule, where: str, scan: BlobScan | None) -> Finding:
    value: Measurement
    if scan is None:
        value = NotMeasurable(reason="there were no bytes to search", rows=0)
        outcome, reason = Outcome.INCONCLUSIVE, value.reason
    else:
        value = Measured(estimate=len(scan.hits), rows=scan.training_rows)
        outcome, reason = _weigh_blob(rule, scan)
    return Finding(
        id="privacy.blob_scan.max_hits:overall",
        stage="privacy",
        rule=where,
        claim=f"the model's file holds at most {rule.max_hits} pieces of training rows, paths, e-mail addresses, "
        "secrets or trailing bytes",
        group=GroupKey(),
        value=value,
        limit=rule.max_hits,
        limit_kind="at_most",
        outcome=outcome,
        reason=reason,
    )


def _weigh_blob(rule: BlobScanRule, scan: BlobScan) -> tuple[Outcome, str]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(hit.kind for hit in scan.hits).items()))
    said = (
        f"{len(scan.hits)} finds in {scan.scanned_bytes} bytes{f' ({kinds})' if kinds else ''}, "
        f"with {scan.training_rows} training rows looked for; at most {rule.max_hits} allowed"
    )
    if len(scan.hits) > rule.max_hits:
        return Outcome.FAIL, said
    if not scan.training_rows:
        return Outcome.INCONCLUSIVE, f"{said}; no training row is long and varied enough to be looked for"
    return Outcome.PASS, said


def _reason(value: Measurement) -> str:
    return value.reason if isinstance(value, NotMeasurable) else ""


def _interval(value: Measured) -> Interval:
    if value.interval is None:
        raise ValueError("a rate of the membership attack always has an interval")
    return value.interval
