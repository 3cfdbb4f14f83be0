"""Stages 5 to 8 together: what the candidate costs, whom it fails, what it gives away, and the verdict on all that."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.data.population import Split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.decide import decide
from audit_pipeline.device import footprint as device
from audit_pipeline.device.kernels import predict_device
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
from audit_pipeline.model.finished import ends
from audit_pipeline.model.predict import predict_float
from audit_pipeline.policy.privacy import MembershipRule
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.blob_scan import scan
from audit_pipeline.privacy.judge import judge as judge_privacy
from audit_pipeline.privacy.membership import membership
from audit_pipeline.privacy_part import BlobScan, MembershipPart
from audit_pipeline.progress import Progress
from audit_pipeline.tflite import read_graph

KERNEL_SAMPLE_ROWS = 512
"""Rows on which the faster way to the device's answers is held against the device's own, drawn evenly over groups."""


@dataclass(frozen=True)
class Assessment:
    """Everything that was measured on one candidate, under the names that `Evidence` has for it."""

    footprint: Footprint
    kernels: KernelCheck | None
    groups: tuple[GroupRow, ...]
    exemplars: Exemplars | None
    membership: tuple[MembershipPart, ...]
    blob_scan: BlobScan
    findings: tuple[Finding, ...]
    verdict: Verdict
    predictions: Predictions | None
    """What the device said of the evaluation split, which is kept beside the evidence; None where it cannot run."""

    def parts(self) -> dict[str, Any]:
        """The parts of `Evidence` by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "predictions"}


@dataclass(frozen=True)
class _Answers:
    """What float model and device said; the device's is None where it cannot run the candidate."""

    before: Predictions | None
    after: Predictions | None
    kernels: KernelCheck | None


def assess(inputs: Inputs, candidate: Candidate, progress: Progress) -> Assessment:
    """Measure a candidate and judge it by the policy.

    A candidate that tflite-micro cannot run is judged on its footprint alone; every other rule stays without an answer.
    """
    policy, population = inputs.policy.value, inputs.population
    board = inputs.policy.board
    footprint = device.measure(candidate, board.name, board.source, board.flash_kib << 10, board.ram_kib << 10)
    entrances, _ = ends(read_graph(candidate.tflite), inputs.source.part.file)
    blob = scan(candidate.tflite, population.train, entrances)
    findings = [*device.findings(footprint)]
    groups: tuple[GroupRow, ...] = ()
    exemplars: Exemplars | None = None
    attacks: tuple[MembershipPart, ...] = ()
    answers = _Answers(None, None, None)
    if footprint.arena_bytes is not None:
        answers = _answers(inputs, candidate, population.evaluation, "judging split", progress)
    if answers.after is not None:
        specs = group_specs(population, policy.fairness)
        cells, table = before_after(population, policy.fairness, specs, answers.before, answers.after)
        level, seed = policy.statistics.confidence, candidate.part.seed
        groups = compare(table, find_changes(table, seed), level)
        exemplars = find_exemplars(answers.before, answers.after, population.evaluation, cells, specs, level, seed)
        questions = ask(policy.fairness, table, policy.statistics)
        chance = gaps_by_chance(questions, cells, metrics_for(population, policy.fairness), seed)
        findings += judge(policy.fairness, table, policy.statistics, chance)
        attacks = _attack(inputs, candidate, answers, progress)
        findings += judge_privacy(policy.privacy_rules, attacks, blob)
    return Assessment(
        footprint=footprint,
        kernels=answers.kernels,
        groups=groups,
        exemplars=exemplars,
        membership=attacks,
        blob_scan=blob,
        findings=tuple(findings),
        verdict=decide(findings, policy),
        predictions=answers.after,
    )


def _answers(inputs: Inputs, candidate: Candidate, split: Split, name: str, progress: Progress) -> _Answers:
    def told(step: str, done: float) -> None:
        progress(f"{step}, {name}", done)

    source, reading = inputs.float_model, inputs.population.reading
    before = predict_float(source, split.x, reading, told) if source else None
    sample = stratified_sample(split, KERNEL_SAMPLE_ROWS, candidate.part.seed)
    after, kernels = predict_device(candidate, split.x, sample, reading, told)
    return _Answers(before, after, kernels)


def _attack(inputs: Inputs, candidate: Candidate, answers: _Answers, progress: Progress) -> tuple[MembershipPart, ...]:
    rules = [rule for rule in inputs.policy.value.privacy_rules if isinstance(rule, MembershipRule)]
    if not rules:
        return ()
    population, policy = inputs.population, inputs.policy.value
    trained = _answers(inputs, candidate, population.train, "training split", progress)
    sides: tuple[tuple[Literal["float", "device"], Predictions | None, Predictions | None], ...] = (
        ("float", trained.before, answers.before),
        ("device", trained.after, answers.after),
    )
    return tuple(
        part
        for fpr, specs in _asked(rules).items()
        for model, members, others in sides
        if members is not None and others is not None
        for part in membership(
            model,
            members,
            others,
            population.train,
            population.evaluation,
            specs,
            fpr,
            candidate.part.seed,
            policy.statistics.confidence,
        )
    )


def _asked(rules: list[MembershipRule]) -> dict[float, tuple[str, ...]]:
    """Group specs by false-positive rate, so that no attack runs twice."""
    asked: dict[float, tuple[str, ...]] = {}
    for rule in rules:
        asked[rule.fpr] = tuple(dict.fromkeys((*asked.get(rule.fpr, ()), *rule.groups)))
    return asked
