"""The release gate: a run is judged again from its bytes, by somebody who trusts only public keys and the trail.

Nothing the run says of itself is taken for granted: digests are recomputed, each finding is decided again from its
numbers and the policy's own bytes, and the verdict from the findings; the attestations must say exactly what the
evidence says, and the trail must hold the policy's entry before the findings' and have passed through the head that
the evidence names. Last, no newer release may have taken the run's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit_pipeline import run_folder
from audit_pipeline.decide import decide
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.attested import check_image, check_verdict
from audit_pipeline.gate.files import RunFiles, read_run
from audit_pipeline.gate.findings import check_findings
from audit_pipeline.gate.trail import check_trail
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import load_policy
from audit_pipeline.seal.verify import Trust
from audit_pipeline.trail.place import Address


@dataclass(frozen=True)
class Gated:
    """A run whose record holds. Whether it may be released is its verdict's to say."""

    evidence: Evidence
    checks: tuple[str, ...]
    """What was checked, in order, in words."""


def gate(folder: Path, trust: Trust, trail: Address, policy: Path | None = None) -> Gated:
    """Check a run's folder against public keys and the trail.

    Args:
        folder: the run's folder.
        trust: the keys that must have signed the attestations and the image; they never come from the folder.
        trail: where the trail is that the run was entered in.
        policy: the policy that the release was to be judged by; None to take the run's own.

    Raises:
        RejectedError: the first thing that does not hold; at last `gate.superseded`, where all of that holds and a
            newer release of the same device class is in the trail.
        InputError: the folder is not a run's, or there is no trail.
    """
    run = read_run(folder)
    evidence = run.evidence
    if policy is not None and load_policy(policy).sha256 != evidence.policy.sha256:
        raise RejectedError(
            "gate.other-policy",
            f"the run was judged by another policy ({evidence.policy.name}) than this one",
            where=str(policy),
            hint="`audit log` shows when each was registered; ship again under this policy",
        )
    _check_decision(run)
    check_verdict(run, trust)
    check_image(run, trust)
    check_trail(run, trail)
    return Gated(evidence, (*_CHECKS, *(_OF_A_RELEASE if evidence.seal else _OF_A_REFUSAL)))


_CHECKS = (
    "evidence, policy and model are the bytes that their digests name",
    "the findings follow from their numbers and the policy's limits, the verdict from the findings",
    "the verdict attestation is signed and says what the evidence says",
    "the trail holds this run's entries and no others, the policy's before the findings'",
)
_OF_A_RELEASE = (
    "the image is signed, bound to this verdict, policy, model and log, and released byte for byte",
    "no newer release for this class of device is in the trail",
)
_OF_A_REFUSAL = ("there is no image, as it must be",)


def _check_decision(run: RunFiles) -> None:
    evidence = run.evidence
    policy = load_policy(run.folder / run_folder.POLICY)
    document = policy.value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if (policy.sha256, document) != (evidence.policy.sha256, evidence.policy.document):
        raise RejectedError("gate.policy", "the evidence shows another policy than the file", where=run_folder.POLICY)
    check_findings(evidence, policy.value, policy.board, len(run.files[run_folder.MODEL]))
    if decide(evidence.findings, policy.value, evidence.waivers) != evidence.verdict:
        raise RejectedError("gate.verdict", "the verdict does not follow from the findings", where=run_folder.EVIDENCE)
    if evidence.seal and evidence.verdict.outcome is not Outcome.PASS:
        raise RejectedError("gate.sealed-refusal", "the evidence has a seal without a PASS", where=run_folder.EVIDENCE)


def require_run(folder: Path) -> None:
    """Say plainly that a path is not a run's folder.

    Raises:
        InputError: it is none.
    """
    if not (folder / run_folder.EVIDENCE).is_file():
        raise InputError(
            "gate.not-a-run",
            "there is no evidence.json here",
            where=str(folder),
            hint="give a folder made by audit ship",
        )
