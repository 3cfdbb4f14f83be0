"""Stages 5 to 8 together: what the candidate costs, whom it fails, what it gives away, and the verdict on all that."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from audit_pipeline.answers import Answers, answers
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.decide import decide
from audit_pipeline.device import footprint as device
from audit_pipeline.evaluate.before_after import before_after, group_specs
from audit_pipeline.evaluate.chance import gaps_by_chance
from audit_pipeline.evaluate.changes import find_changes
from audit_pipeline.evaluate.compare import compare
from audit_pipeline.evaluate.exemplars import find_exemplars
from audit_pipeline.evaluate.judge import judge
from audit_pipeline.evaluate.metrics import metrics_for
from audit_pipeline.evaluate.questions import ask
from audit_pipeline.evidence import Footprint, KernelCheck, Verdict
from audit_pipeline.findings import Exemplars, Finding, GroupRow
from audit_pipeline.inputs import Inputs
from audit_pipeline.memory import Memory
from audit_pipeline.mitigation import mitigations
from audit_pipeline.model.finished import ends
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.blob_scan import scan
from audit_pipeline.privacy.judge import judge as judge_privacy
from audit_pipeline.privacy_part import BlobScan, MembershipPart, MitigationPart, PrivacyPart
from audit_pipeline.privacy_stage import Attacks, attack
from audit_pipeline.progress import Progress
from audit_pipeline.search.around import ALONE, Around
from audit_pipeline.tflite import read_graph


@dataclass(frozen=True)
class Assessment:
    """Everything that was measured on one candidate, under the names that `Evidence` has for it."""

    footprint: Footprint
    kernels: KernelCheck | None
    groups: tuple[GroupRow, ...]
    exemplars: Exemplars | None
    membership: tuple[MembershipPart, ...]
    blob_scan: BlobScan
    privacy: PrivacyPart | None
    mitigations: tuple[MitigationPart, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict
    predictions: Predictions | None
    """What the device said of the evaluation split, which is kept beside the evidence; None where it cannot run."""

    def parts(self) -> dict[str, Any]:
        """The parts of `Evidence` by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "predictions"}


def assess(inputs: Inputs, candidate: Candidate, progress: Progress, around: Around = ALONE) -> Assessment:
    """Measure a candidate and judge it by the policy.

    A candidate that tflite-micro cannot run is judged on its footprint alone; every other rule stays without an answer.

    Args:
        inputs: policy, population and models.
        candidate: to judge.
        progress: told how far each step is.
        around: what surrounds the training of an attacker's models, where the policy has one.
    """
    policy, population = inputs.policy.value, inputs.population
    board = inputs.policy.board
    footprint = device.measure(candidate, board.name, board.source, board.flash_kib << 10, board.ram_kib << 10)
    entrances, _ = ends(read_graph(candidate.tflite), inputs.source.part.file)
    blob = scan(candidate.tflite, population.train, entrances)
    findings = [*device.findings(footprint)]
    groups: tuple[GroupRow, ...] = ()
    exemplars: Exemplars | None = None
    attacks = Attacks((), None)
    mitigated: tuple[MitigationPart, ...] = ()
    said: Answers | None = None
    if footprint.arena_bytes is not None:
        said = answers(inputs, candidate, population.evaluation, "judging split", progress)
        specs = group_specs(population, policy.fairness)
        cells, table = before_after(population, policy.fairness, specs, said.before, said.after)
        level, seed = policy.statistics.confidence, candidate.part.seed
        groups = compare(table, find_changes(table, seed), level)
        exemplars = find_exemplars(said.before, said.after, population.evaluation, cells, specs, level, seed)
        questions = ask(policy.fairness, table, policy.statistics)
        chance = gaps_by_chance(questions, cells, metrics_for(population, policy.fairness), seed)
        findings += judge(policy.fairness, table, policy.statistics, chance)
        mitigated = mitigations(inputs, candidate, said.after, progress, Memory(around.cache))
        attacks = attack(inputs, candidate, said, progress, around)
        findings += judge_privacy(
            policy.privacy_rules,
            attacks.membership,
            blob,
            attacks.privacy,
            claim=population.part.differential_privacy,
            statistics=policy.statistics,
        )
    return Assessment(
        footprint=footprint,
        kernels=None if said is None else said.kernels,
        groups=groups,
        exemplars=exemplars,
        membership=attacks.membership,
        blob_scan=blob,
        privacy=attacks.privacy,
        mitigations=mitigated,
        findings=tuple(findings),
        verdict=decide(findings, policy),
        predictions=None if said is None else said.after,
    )
