"""Whether what ships holds more finds than a policy allows."""

from __future__ import annotations

from collections import Counter

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import BlobScanRule
from audit_pipeline.privacy_part import BlobScan


def judge_blob(rule: BlobScanRule, where: str, scan: BlobScan | None) -> Finding:
    """Apply one rule.

    Args:
        rule: the policy's.
        where: it stands there, as `privacy[0]`.
        scan: what was searched and found; None where there was nothing to search.
    """
    value: Measurement
    if scan is None:
        value = NotMeasurable(reason="there were no bytes to search", rows=0)
        outcome, reason = Outcome.INCONCLUSIVE, value.reason
    else:
        value = Measured(estimate=len(scan.hits), rows=scan.training_rows)
        outcome, reason = _weigh(rule, scan)
    return Finding(
        id="privacy.blob_scan.max_hits:overall",
        stage="privacy",
        rule=where,
        claim=f"the model's file holds at most {rule.max_hits} pieces of training rows, constants made of them, paths, "
        "hosts, e-mail addresses, secrets or trailing bytes",
        group=GroupKey(),
        value=value,
        limit=rule.max_hits,
        limit_kind="at_most",
        outcome=outcome,
        reason=reason,
    )


def _weigh(rule: BlobScanRule, scan: BlobScan) -> tuple[Outcome, str]:
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
