"""The release gate: a run is judged again from its bytes, by somebody who trusts only public keys and the trail.

Nothing the run says of itself is taken for granted: digests are recomputed, each finding is decided again from its
numbers and the policy's own bytes, and the verdict from the findings under the waivers that hold today; attestations
must say exactly what the evidence says; the trail must hold the policy's entry before the findings', and nobody may
have withdrawn the run. A PASS must have been approved by as many people of each role as its policy demands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline import run_folder
from audit_pipeline.decide import decide
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.attested import Attested, check_image, check_verdict
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.files import RunFiles, read_run
from audit_pipeline.gate.findings import check_findings
from audit_pipeline.gate.origin import check_origin_decision
from audit_pipeline.gate.people import check_approvals, refuse_revoked
from audit_pipeline.gate.told import Told, tell
from audit_pipeline.gate.trail import Logged, check_trail
from audit_pipeline.gate.waivers import check_verdict_waivers
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import load_recorded_policy, says_the_same
from audit_pipeline.policy.schema import Policy
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address


@dataclass(frozen=True)
class Record:
    """A run whose record holds, whatever its verdict is."""

    run: RunFiles
    policy: Policy
    """read from the run's own bytes"""
    verdict: Attested
    logged: Logged

    @property
    def evidence(self) -> Evidence:
        """Of the run."""
        return self.run.evidence


@dataclass(frozen=True)
class Gated:
    """A run whose record holds, and that has the approvals it needs. Whether it is released is its verdict's to say."""

    evidence: Evidence
    approved: Mapping[str, tuple[str, ...]]
    """fingerprints of those who approved, for each role whose approval the policy demands"""
    told: Told


def gate(folder: Path, trail: Address, demands: Demands) -> Gated:
    """Check a run's folder against public keys, the trail and the people whose word it needs.

    Args:
        folder: the run's folder.
        trail: file or URL of the trail the run was entered in.
        demands: whose signatures count, and what else is asked for; none of it comes from the folder.

    Raises:
        RejectedError: the first thing that does not hold.
        InputError: the folder is not a run's, or there is no trail.
    """
    record = check_record(folder, trail, demands)
    evidence, logged = record.evidence, record.logged
    approved: Mapping[str, tuple[str, ...]] = {}
    if evidence.verdict.outcome is Outcome.PASS:
        approved = check_approvals(record.run, logged, record.policy, demands, record.verdict.sha256)
    return Gated(evidence, approved, tell(evidence, logged, approved, demands))


def check_record(folder: Path, trail: Address, demands: Demands) -> Record:
    """All that the gate asks, but for approvals: what must hold of a refusal as well.

    Raises:
        RejectedError: the first thing that does not hold.
        InputError: as `gate`.
    """
    run = read_run(folder)
    if demands.policy is not None and load_recorded_policy(demands.policy).sha256 != run.evidence.policy.sha256:
        raise RejectedError(
            "gate.other-policy",
            f"the run was judged by another policy ({run.evidence.policy.name}) than this one",
            where=str(demands.policy),
            hint="`audit log` shows when each was registered; ship again under this policy",
        )
    policy = _check_decision(run)
    verdict = check_verdict(run, demands.trust)
    check_image(run, demands.trust)
    with Trail.open(trail, create=False) as opened:
        logged = check_trail(run, opened, demands.log)
    refuse_revoked(run, logged)
    check_verdict_waivers(run.evidence, verdict.statement, logged, policy, demands)
    return Record(run, policy, verdict, logged)


def _check_decision(run: RunFiles) -> Policy:
    evidence = run.evidence
    policy = load_recorded_policy(run.folder / run_folder.POLICY)
    if policy.sha256 != evidence.policy.sha256 or not says_the_same(policy, evidence.policy.document):
        raise RejectedError("gate.policy", "the evidence shows another policy than the file", where=run_folder.POLICY)
    check_findings(evidence, policy.value, policy.board, len(run.files[run_folder.MODEL]))
    if decide(evidence.findings, policy.value, evidence.waivers) != evidence.verdict:
        raise RejectedError("gate.verdict", "the verdict does not follow from the findings", where=run_folder.EVIDENCE)
    check_origin_decision(evidence, policy.value)
    if evidence.seal and evidence.verdict.outcome is not Outcome.PASS:
        raise RejectedError("gate.sealed-refusal", "the evidence has a seal without a PASS", where=run_folder.EVIDENCE)
    return policy.value


def require_run(folder: Path) -> None:
    """Say plainly that a path is not a run's folder.

    Raises:
        InputError: it is none.
    """
    if not (folder / run_folder.EVIDENCE).is_file():
        raise InputError(
            "gate.not-a-run",
            "there is no evidence.json here" if folder.exists() else "there is no such folder",
            where=str(folder),
            hint="give a folder made by audit ship, as reports/RUN",
        )
