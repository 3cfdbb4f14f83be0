"""The privacy audit alone: attacks, search and findings, without keys, trail or a run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.answers import answers
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.device.footprint import measure
from audit_pipeline.errors import InputError
from audit_pipeline.findings import Finding
from audit_pipeline.inputs import Inputs
from audit_pipeline.measurement import Outcome
from audit_pipeline.model.finished import ends
from audit_pipeline.privacy.blob_scan import scan, scan_file, together
from audit_pipeline.privacy.judge import judge
from audit_pipeline.privacy_part import BlobScan, MembershipPart, PrivacyPart
from audit_pipeline.privacy_stage import attack
from audit_pipeline.progress import Progress
from audit_pipeline.search.around import ALONE, Around
from audit_pipeline.tflite import read_graph


@dataclass(frozen=True)
class PrivacyAudit:
    """What was found out, under the names that evidence has for it."""

    membership: tuple[MembershipPart, ...]
    privacy: PrivacyPart | None
    blob_scan: BlobScan
    source_scan: BlobScan | None
    """Of the file that the candidate was made from, which does not ship and so fails nothing; None for a .tflite."""
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of the findings."""
        found = {finding.outcome for finding in self.findings}
        return next((each for each in (Outcome.FAIL, Outcome.INCONCLUSIVE) if each in found), Outcome.PASS)


def audit_privacy(
    inputs: Inputs, candidate: Candidate, progress: Progress, around: Around = ALONE, also: Sequence[Path] = ()
) -> PrivacyAudit:
    """Audit one candidate by the privacy rules of its policy.

    Args:
        inputs: policy, population and models.
        candidate: that would ship.
        progress: told how far each step is.
        around: what surrounds the training of an attacker's models.
        also: other files that ship, as a firmware image: searched and judged with the candidate's bytes.

    Raises:
        InputError: `privacy.no-rules`: the policy has none; `privacy.not-runnable`: tflite-micro cannot run the
            candidate; `privacy.file`: one of the files cannot be read; or as `attack`.
    """
    policy, board, population = inputs.policy.value, inputs.policy.board, inputs.population
    if not policy.privacy_rules:
        raise InputError(
            "privacy.no-rules",
            "the policy has no privacy rules to audit by",
            where=str(inputs.policy.path),
            hint="add, for example: privacy: [{attack: blob_scan}, {attack: membership, max_tpr: 0.05}]",
        )
    footprint = measure(candidate, board.name, board.source, board.flash_kib << 10, board.ram_kib << 10)
    if footprint.arena_bytes is None:
        missing = ", ".join(each.name for each in footprint.operators if not each.supported)
        raise InputError(
            "privacy.not-runnable",
            f"tflite-micro cannot run the model{f': it has no kernel for {missing}' if missing else ''}",
            where=str(inputs.source.path),
            hint="what the device cannot run gives nothing away on it; see `audit evaluate`",
        )
    entrances, _ = ends(read_graph(candidate.tflite), inputs.source.part.file)
    others = [scan_file(path, population.train, entrances) for path in also]
    blob = together([scan(candidate.tflite, population.train, entrances), *others])
    source = inputs.source
    is_searched = not source.is_finished and not source.path.is_dir()
    said = answers(inputs, candidate, population.evaluation, "judging split", progress)
    attacks = attack(inputs, candidate, said, progress, around)
    return PrivacyAudit(
        membership=attacks.membership,
        privacy=attacks.privacy,
        blob_scan=blob,
        source_scan=scan_file(source.path, population.train) if is_searched else None,
        findings=judge(
            policy.privacy_rules,
            attacks.membership,
            blob,
            attacks.privacy,
            claim=population.part.differential_privacy,
            statistics=policy.statistics,
        ),
    )
