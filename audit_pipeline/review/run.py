"""A run that people are to put their name to: its folder is what was attested, and the trail has it.

Far less than the gate asks, which checks everything again after them: here nobody is to sign what was altered, what
another trail has, or what was withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit_pipeline import run_folder
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.attested import check_verdict
from audit_pipeline.gate.files import RunFiles, read_run
from audit_pipeline.gate.judge import require_run
from audit_pipeline.people.revocation import revocation_of
from audit_pipeline.policy.load import load_policy
from audit_pipeline.policy.schema import Policy
from audit_pipeline.seal import dsse
from audit_pipeline.seal.verify import Trust
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.place import Address


@dataclass(frozen=True)
class ReviewedRun:
    """A run whose verdict is signed and stands in the trail, and that nobody has withdrawn."""

    evidence: Evidence
    policy: Policy
    """read from the run's own policy file"""
    verdict_sha256: str
    """of the verdict attestation's payload"""
    entries: tuple[Entry, ...]
    """the run's in the trail, and all that sign a waiver"""
    where: str
    """the trail, for messages"""

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.evidence.run.id

    @property
    def model_sha256(self) -> str:
        """Digest of the .tflite."""
        return self.evidence.candidate.sha256


def read_reviewed_run(folder: Path, trust: Trust, trail: Address) -> ReviewedRun:
    """Read a run that is to be approved, or that a rule is to be waived for.

    Args:
        folder: the run's folder.
        trust: the keys that must have signed its verdict.
        trail: where it was entered, and where the decision is to be entered; it must be possible to write there.

    Raises:
        InputError: `gate.not-a-run`, or evidence or policy cannot be read; or there is no trail, or no key for it.
        RejectedError: `gate.*` or `attestation.*`, the folder is not what was attested; `trail.*`, the trail does not
            hold; `trail.no-such-run`, it does not have this run; or `revocation.withdrawn`.
        ToolError: the trail cannot be opened to write.
    """
    require_run(folder)
    files = read_run(folder)
    policy = load_policy(folder / run_folder.POLICY).value
    check_verdict(files, trust)
    evidence = files.evidence
    position = evidence.trail
    with Trail.open(trail, create=False) as opened:
        where = opened.where
        entries = tuple(opened.entries(evidence.run.id))
        _require_entered(entries, files, where)  # before the head, which another trail cannot have passed through
        opened.verify(seen=[TreeHead(position.size, position.root)] if position else [])
        origin = tuple(opened.entries(evidence.origin.run.id)) if evidence.origin else ()
        _refuse_withdrawn((*entries, *origin), where)
        waivers = tuple(entry for entry in opened.entries(kind="waiver") if entry.run != evidence.run.id)
    Trail.open(trail).close()  # whoever signs is told before that the trail has no key here, or is read-only
    payload = dsse.unverified_payload(files.files[run_folder.VERDICT], where=run_folder.VERDICT)
    return ReviewedRun(evidence, policy, sha256_hex(payload), (*entries, *waivers), where)


def _require_entered(entries: tuple[Entry, ...], files: RunFiles, where: str) -> None:
    digest = sha256_hex(files.files[run_folder.VERDICT])
    for entry in entries:
        match entry.body:
            case {"files": {run_folder.VERDICT: str(logged)}} if entry.kind == "verdict" and logged == digest:
                return
    raise RejectedError(
        "trail.no-such-run",
        f"the trail has no verdict of run {files.evidence.run.id} with this attestation",
        where=where,
        hint="give the trail that the run was entered in, with --trail",
    )


def _refuse_withdrawn(entries: tuple[Entry, ...], where: str) -> None:
    for name in dict.fromkeys(entry.run for entry in entries):
        revoked = revocation_of(entries, name)
        if revoked is not None:
            raise RejectedError(
                "revocation.withdrawn",
                f"run {name} was withdrawn on {revoked.at}: {revoked.reason or 'no reason that can be read'}",
                where=f"{where}, entry {revoked.index}",
                hint="a withdrawal is not taken back: ship again once its reason is gone",
            )
