"""Stages 5 to 8 together: what the candidate costs, whom it fails, what it gives away, and the verdict on all that."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.evidence import BlobScan, Finding, Footprint, GroupRow, KernelCheck, MembershipPart, Verdict

KERNEL_SAMPLE_ROWS = 64


@dataclass(frozen=True)
class Assessment:
    """Everything that was measured on one candidate, as it enters `Evidence`."""

    footprint: Footprint
    kernels: KernelCheck | None
    groups: tuple[GroupRow, ...]
    membership: tuple[MembershipPart, ...]
    blob_scan: BlobScan
    findings: tuple[Finding, ...]
    verdict: Verdict
