"""The way of the data: from a trained model and a policy to a verdict, and to a sealed image where it allows one.

`ship` reads as the list of stages. Each takes frozen values and gives one; the trail learns of each as it happens, the
policy first, so that the thresholds are registered before anything is evaluated. A run that cannot be logged is not
sealed, and nothing but a PASS is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from audit_pipeline import __version__, run_folder
from audit_pipeline.assess import Assessment, assess
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import compress, from_tflite
from audit_pipeline.conclude import conclude, require_risen
from audit_pipeline.entries import (
    Body,
    candidate_entry,
    data_entry,
    findings_entry,
    model_entry,
)
from audit_pipeline.evidence import Evidence, Run, TrailPart
from audit_pipeline.inputs import Inputs, read_inputs
from audit_pipeline.journal import Journal
from audit_pipeline.policy.load import LoadedPolicy
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.predictions_file import KeptPredictions, predictions_to_npz
from audit_pipeline.preflight import preflight
from audit_pipeline.privacy_stage import check_attacks
from audit_pipeline.progress import Progress, silent
from audit_pipeline.seal_keys import Passphrase, open_keys, require_unrevoked
from audit_pipeline.search.around import ALONE, Around
from audit_pipeline.search.find import search
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address

_LIBRARIES = (
    "tensorflow",
    "tf_keras",
    "tensorflow-model-optimization",
    "ai-edge-litert",
    "tflite-micro",
    "fairlearn",
    "imgtool",
    "cryptography",
)


@dataclass(frozen=True)
class Request:
    """One run as it was asked for."""

    command: str
    """The command as it is named in evidence: `ship`, `evaluate` or `demo`."""
    run: str
    """Name of the run and of its folder."""
    model: Path
    policy: Path
    baseline: Path | None
    reports: Path
    """Folder that the run's folder is put in."""
    trail: Address
    """Where the audit trail is."""
    seals: bool
    """Whether a PASS is sealed; `audit evaluate` stops before."""


@dataclass(frozen=True)
class Shipped:
    """A run that came to a verdict, and where it lies."""

    evidence: Evidence
    folder: Path


def ship(
    request: Request,
    *,
    now: Callable[[], str],
    passphrase: Passphrase,
    progress: Progress = silent,
    around: Around = ALONE,
) -> Shipped:
    """Take a model to a verdict, and to an image if that is PASS.

    Args:
        request: what to do.
        now: the time, UTC in ISO 8601.
        passphrase: asked for each key that signs, before any work starts; never called where nothing is signed.
        progress: told how far each step is.
        around: what surrounds a search and the training of an attacker's models, where the policy has them.

    Raises:
        AuditError: something stands in the way and nothing is left of the run, but that the trail says it was aborted
            where it had been registered already.
    """
    inputs = read_inputs(request.model, request.policy, request.baseline, progress, now=now())
    check_attacks(inputs, allow_code=around.allow_code)
    folder = run_folder.claim(request.reports, request.run)
    keys = open_keys(inputs.policy, passphrase) if request.seals else None
    with Trail.open(request.trail) as trail:
        if keys is not None:
            log = trail.verified()  # which counters were released stands nowhere else
            require_risen(keys, log.entries(kind="seal"))
            require_unrevoked(keys, inputs.policy, log.entries(kind="keys"))
        with Journal(trail, request.run, now) as journal:
            registered, policy = journal.begin(_policy_part(inputs.policy), inputs.source.part.sha256)
            journal.enter("data", data_entry(inputs.population.part.to_json()))
            journal.enter("model", _model_entry(inputs))
            candidate = make_candidate(inputs, progress, around)
            journal.enter("candidate", candidate_entry(candidate.part.to_json()))
            assessment = assess(inputs, candidate, progress, around)
            head = journal.enter("findings", _findings_entry(assessment)).head
            position = TrailPart(policy_index=registered.entry.index, size=head.size, root=head.root)
            evidence = _evidence(request, policy, inputs, candidate, assessment, position, created=now())
            files = _judged(inputs, candidate, assessment, folder)
            return Shipped(conclude(evidence, files, keys, journal, folder), folder)


def make_candidate(
    inputs: Inputs, progress: Progress, around: Around = ALONE, section: Compress | None = None
) -> Candidate:
    """Stage 4: compress the source by a recipe or by a search for one, or take a finished .tflite as it is.

    Args:
        inputs: source, policy and population, of which compression sees no row of the evaluation split.
        progress: told how far each step is.
        around: what surrounds a search.
        section: instead of the policy's own.
    """
    section = section or inputs.policy.value.compress
    if inputs.source.is_finished or section is None:
        return from_tflite(inputs.source)
    policy, data = inputs.policy, inputs.population.development
    preflight(inputs.source, section, data, progress, folder=policy.path.parent)
    if section.search is None:
        return compress(inputs.source, section, data, progress, folder=policy.path.parent)
    return search(
        inputs.source,
        section.search,
        section.seed,
        data,
        policy.value.fairness,
        policy.value.statistics,
        policy.board,
        around,
        progress,
    )


def _judged(inputs: Inputs, candidate: Candidate, assessment: Assessment, folder: Path) -> dict[str, bytes]:
    """What was judged, by what, and what it said: the files that are there before a verdict is signed."""
    files = {run_folder.POLICY: inputs.policy.raw, run_folder.MODEL: candidate.tflite}
    if assessment.predictions is not None:
        kept = KeptPredictions(assessment.predictions, run_folder.way_to(inputs.policy.manifest, folder))
        files[run_folder.PREDICTIONS] = predictions_to_npz(kept)
    return files


def _model_entry(inputs: Inputs) -> Body:
    return model_entry(inputs.source.part.to_json(), inputs.baseline.part.to_json() if inputs.baseline else None)


def _findings_entry(assessment: Assessment) -> Body:
    return findings_entry([each.to_json() for each in assessment.findings], assessment.verdict.to_json())


def _policy_part(policy: LoadedPolicy) -> PolicyPart:
    return PolicyPart(
        name=policy.value.name,
        file=policy.path.name,
        sha256=policy.sha256,
        document=policy.value.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


def _evidence(
    request: Request,
    policy: PolicyPart,
    inputs: Inputs,
    candidate: Candidate,
    assessment: Assessment,
    position: TrailPart,
    *,
    created: str,
) -> Evidence:
    return Evidence(
        run=Run(
            id=request.run,
            command=request.command,
            created=created,
            tool=f"audit {__version__}",
            libraries={name: version(name) for name in _LIBRARIES},
            seed=candidate.part.seed,
        ),
        policy=policy,
        data=inputs.population.part,
        source=inputs.source.part,
        baseline=inputs.baseline.part if inputs.baseline else None,
        candidate=candidate.part,
        trail=position,
        **assessment.parts(),
    )
