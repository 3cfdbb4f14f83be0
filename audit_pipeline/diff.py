"""Two runs compared on the same rows: what got better or worse from one release to the next, by group.

Both runs must have been judged on the same data set, to the byte. It is read again, each row's two predictions are put
beside each other, and every metric of every group is tested for a change, adjusted for the whole table. Metrics and
groups are those that a report shows and that either run's policy asks for, so that a rule which the second policy
dropped does not drop out of sight.

The folders are believed, except where they contradict themselves; judging them is what `audit gate` is for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline import run_folder
from audit_pipeline.data.load import load_population
from audit_pipeline.data.population import Population
from audit_pipeline.differences import Diff, DiffedRun, sort_out
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.answers import Answer
from audit_pipeline.evaluate.before_after import before_after, group_specs
from audit_pipeline.evaluate.changes import find_changes
from audit_pipeline.evaluate.compare import compare
from audit_pipeline.evaluate.exemplars import find_exemplars
from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Measured, MetricKey, NotMeasurable
from audit_pipeline.policy.changes import asked_by, policy_edits
from audit_pipeline.policy.load import LoadedPolicy, check_against, load_recorded_policy
from audit_pipeline.policy.schema import FairnessRule
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.predictions import Reading, Task
from audit_pipeline.predictions_file import KeptPredictions, load_predictions
from audit_pipeline.progress import Progress, silent
from audit_pipeline.report.evidence_file import load_evidence
from audit_pipeline.report.recipe import step_lines

_SAME_VALUE = 1e-6
"""Metrics of one run, computed again, may differ in their last digits between versions of libraries."""


@dataclass(frozen=True)
class _Run:
    """What a run's folder holds, as far as a diff needs it."""

    folder: Path
    evidence: Evidence
    policy: LoadedPolicy
    kept: KeptPredictions


def diff(
    before: Path, after: Path, data: Path | None = None, progress: Progress = silent, *, now: str | None = None
) -> Diff:
    """Compare two runs; the same run twice shows no change.

    Args:
        before: folder of the first run.
        after: folder of the second; its policy's confidence holds.
        data: manifest of the data set that both were judged on; None to look where the runs found it.
        progress: is told how far each step is.
        now: as for `load_population`.

    Raises:
        InputError: a folder is not a run's, or without or with damaged predictions; the runs were judged on different
            data, or the data set is gone or has changed since.
    """
    first, second = _open(before), _open(after)
    population = _read_again(first, second, data, progress, now)
    for run in (first, second):
        _check_fits(run, population)
    progress("comparing the runs", 0.0)
    rules = (*second.policy.value.fairness, *first.policy.value.fairness)
    specs = _specs(population, rules)
    predictions = first.kept.predictions, second.kept.predictions
    cells, table = before_after(population, rules, specs, *predictions)
    [overall] = table.by_spec[OVERALL]
    _check_origin(first, {answers.metric: answers.before for answers in overall.metrics})
    _check_origin(second, {answers.metric: answers.after for answers in overall.metrics})
    level, seed = second.policy.value.statistics.confidence, second.evidence.run.seed
    groups = compare(table, find_changes(table, seed), level)
    found = sort_out(groups, level)
    exemplars = find_exemplars(*predictions, population.evaluation, cells, specs, level, seed)
    progress("comparing the runs", 1.0)
    return Diff(
        data=population.part,
        before=_part(first),
        after=_part(second),
        policy_edits=policy_edits(asked_by(first.evidence.policy.document), asked_by(second.evidence.policy.document)),
        level=level,
        worse=found.worse,
        better=found.better,
        undecided=len(found.undecided),
        not_comparable=found.not_comparable,
        groups=groups,
        exemplars=exemplars,
    )


def _open(folder: Path) -> _Run:
    if not (folder / run_folder.EVIDENCE).is_file():
        raise InputError(
            "diff.not-a-run",
            "there is no evidence.json here",
            where=str(folder),
            hint="give the folder of a run that `audit ship` or `audit evaluate` made",
        )
    evidence = load_evidence(folder / run_folder.EVIDENCE)
    kept = load_predictions(folder / run_folder.PREDICTIONS)
    policy = load_recorded_policy(folder / run_folder.POLICY)
    if policy.sha256 != evidence.policy.sha256:
        raise _inconsistent(folder / run_folder.POLICY, "this is not the policy that the evidence names")
    return _Run(folder, evidence, policy, kept)


def _read_again(first: _Run, second: _Run, data: Path | None, progress: Progress, now: str | None) -> Population:
    """The data set of both runs, which must be the one that was given or found."""
    judged_on = first.evidence.data.sha256
    if second.evidence.data.sha256 != judged_on:
        raise InputError(
            "diff.other-data",
            f"the runs were judged on different data: {first.evidence.data.name} {judged_on[:16]}… and "
            f"{second.evidence.data.name} {second.evidence.data.sha256[:16]}…",
            where=str(second.folder),
            hint="judge the older model again on the newer data: `audit evaluate MODEL.tflite`",
        )
    manifest = data or _find(second, first)
    population = load_population(manifest, progress, now=now)
    if population.part.sha256 != judged_on:
        raise InputError(
            "diff.data-changed",
            f"the data set is not the one that the runs were judged on: its digest is {population.part.sha256[:16]}…, "
            f"theirs {judged_on[:16]}…",
            where=str(manifest),
            hint="give the manifest of the unchanged data set with --data; one byte of the manifest or a split matters",
        )
    return population


def _find(*runs: _Run) -> Path:
    """The manifest where one of the runs found it."""
    for run in runs:
        if run.kept.manifest is not None and (found := run.folder.resolve() / run.kept.manifest).is_file():
            return found
    raise InputError(
        "diff.no-data",
        "the data set cannot be found from where the runs lie",
        where=str(runs[0].folder),
        hint="give its manifest with --data: the runs keep scores, never the rows",
    )


def _check_fits(run: _Run, population: Population) -> None:
    """Refuse a policy that does not speak of these data, and scores that are not of these rows."""
    check_against(run.policy, population)
    said = run.kept.predictions
    if Reading(said.task, said.threshold, said.score) != population.reading:
        raise _inconsistent(run.folder / run_folder.PREDICTIONS, "they are read otherwise than the data set says")
    rows, width = len(population.evaluation), said.scores.shape[1]
    if said.scores.shape[0] != rows:
        what = f"they are of {said.scores.shape[0]} rows, the evaluation split has {rows}"
        raise _inconsistent(run.folder / run_folder.PREDICTIONS, what)
    if width != (expected := len(population.classes) if said.task is Task.CLASSIFICATION else 1):
        what = f"they hold {width} scores a row instead of {expected}"
        raise _inconsistent(run.folder / run_folder.PREDICTIONS, what)


def _check_origin(run: _Run, answers: dict[MetricKey, Answer | None]) -> None:
    """Refuse predictions that do not give the numbers of the run's own evidence, such as those of another run."""
    for comparison in run.evidence.groups[0].metrics if run.evidence.groups else ():
        answer, told = answers.get(comparison.metric), comparison.after
        if answer is None or isinstance(answer, NotMeasurable) or not isinstance(told, Measured):
            continue
        if not math.isclose(answer.value, told.estimate, rel_tol=_SAME_VALUE, abs_tol=_SAME_VALUE):
            what = f"they give another {comparison.metric.label} than the run's evidence"
            raise _inconsistent(run.folder / run_folder.PREDICTIONS, what)


def _inconsistent(path: Path, what: str) -> InputError:
    return InputError(
        "diff.inconsistent-run", what, where=str(path), hint="take the run's folder from where it was archived"
    )


def _specs(population: Population, rules: Sequence[FairnessRule]) -> tuple[str, ...]:
    """Every group spec once, whatever the order of its columns: two policies may name them in different orders."""
    by_columns: dict[frozenset[str], str] = {}
    for spec in group_specs(population, rules):
        by_columns.setdefault(frozenset(spec.split("*")), spec)
    return tuple(by_columns.values())


def _part(run: _Run) -> DiffedRun:
    evidence = run.evidence
    search = evidence.candidate.search
    return DiffedRun(
        id=evidence.run.id,
        created=evidence.run.created,
        tool=evidence.run.tool,
        outcome=evidence.verdict.outcome,
        policy=evidence.policy.name,
        policy_sha256=evidence.policy.sha256,
        source_sha256=evidence.source.sha256,
        model_sha256=evidence.candidate.sha256,
        size_bytes=evidence.candidate.size_bytes,
        recipe=tuple(step.words for step in step_lines(evidence)),
        trials=None if search is None else len(search.trials),
        arithmetic=run.kept.predictions.made_by,
        responsible=evidence.policy.document["human_centred"]["responsible"],
    )
