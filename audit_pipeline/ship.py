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
from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import compress, from_tflite
from audit_pipeline.evidence import Evidence, PolicyPart, Run, TrailPart
from audit_pipeline.inputs import Inputs, read_inputs
from audit_pipeline.journal import Journal
from audit_pipeline.measurement import Outcome
from audit_pipeline.progress import Progress, silent
from audit_pipeline.release import SealKeys, open_keys, seal, sign_release, sign_verdict
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.trail.log import Trail

_LIBRARIES = ("tensorflow", "tf_keras", "tensorflow-model-optimization", "ai-edge-litert", "tflite-micro", "fairlearn")


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
    trail: str
    """Database URL or file of the audit trail."""
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
    passphrase: Callable[[Path], bytes],
    progress: Progress = silent,
) -> Shipped:
    """Take a model to a verdict, and to an image if that is PASS.

    Args:
        request: what to do.
        now: the time, UTC in ISO 8601.
        passphrase: asked for the signer's key file, before any work starts; never called where nothing is signed.
        progress: told how far each step is.

    Raises:
        AuditError: something stands in the way; the trail says that the run was aborted, and nothing else is left.
    """
    inputs = read_inputs(request.model, request.policy, request.baseline, progress)
    folder = run_folder.claim(request.reports, request.run)
    keys = open_keys(inputs.policy, passphrase) if request.seals else None
    with Trail.open(request.trail) as trail, Journal(trail, request.run, now) as journal:
        registered = journal.enter("policy", _policy_body(inputs))
        journal.enter("data", {"name": inputs.population.part.name, "sha256": inputs.population.part.sha256})
        journal.enter("model", {"file": inputs.source.part.file, "sha256": inputs.source.part.sha256})
        candidate = make_candidate(inputs, progress)
        journal.enter("candidate", candidate.part.model_dump(mode="json"))
        assessment = assess(inputs, candidate, progress)
        head = journal.enter("findings", _findings_body(assessment)).head
        position = TrailPart(policy_index=registered.entry.index, size=head.size, root=head.root)
        evidence = _evidence(request, inputs, candidate, assessment, position, created=now())
        return Shipped(_conclude(evidence, candidate, inputs, keys, journal, folder), folder)


def make_candidate(inputs: Inputs, progress: Progress) -> Candidate:
    """Stage 4: compress the source by the policy's recipe, or take a finished .tflite as it is."""
    if inputs.source.is_finished or inputs.policy.value.compress is None:
        return from_tflite(inputs.source)
    return compress(inputs.source, inputs.policy.value.compress, inputs.population, progress)


def _conclude(
    evidence: Evidence, candidate: Candidate, inputs: Inputs, keys: SealKeys | None, journal: Journal, folder: Path
) -> Evidence:
    """Stages 9 to 11: seal what may be sealed, log it, and put the run's folder in its place."""
    files = {run_folder.POLICY: inputs.policy.raw, run_folder.MODEL: candidate.tflite}
    verdict = sign_verdict(evidence, keys) if keys else None
    if verdict:
        files[run_folder.VERDICT] = verdict.envelope
    journal.enter(
        "verdict",
        {
            "outcome": evidence.verdict.outcome.value,
            "evidence_sha256_without_seal": evidence.unsealed_sha256(),
            "verdict_sha256": verdict.sha256 if verdict else None,
        },
    )
    if keys and verdict and evidence.verdict.outcome is Outcome.PASS:
        sealed = seal(evidence, candidate, verdict, keys)
        evidence = sealed.evidence
        files[run_folder.IMAGE] = sealed.image
    files |= {
        run_folder.EVIDENCE: evidence.canonical(),
        run_folder.HTML: render_html(evidence).encode(),
        run_folder.MARKDOWN: render_markdown(evidence).encode(),
    }
    if keys and evidence.seal:
        release = sign_release(evidence, files, keys)
        files[run_folder.RELEASE] = release
        journal.enter("seal", {**evidence.seal.model_dump(mode="json"), "release_sha256": sha256_hex(release)})
    run_folder.publish(folder, files)
    return evidence


def _policy_body(inputs: Inputs) -> dict[str, object]:
    """What is registered before anything is evaluated: the policy's digest and the people's answers."""
    policy = inputs.policy
    answers = policy.value.human_centred.model_dump(mode="json", by_alias=True)
    return {"name": policy.value.name, "sha256": policy.sha256, "human_centred": answers}


def _findings_body(assessment: Assessment) -> dict[str, object]:
    findings = [finding.model_dump(mode="json") for finding in assessment.findings]
    counts = {outcome.value: count for outcome, count in assessment.verdict.counts.items()}
    return {"sha256": sha256_hex(canonical_json(findings)), "counts": counts}


def _evidence(
    request: Request,
    inputs: Inputs,
    candidate: Candidate,
    assessment: Assessment,
    position: TrailPart,
    *,
    created: str,
) -> Evidence:
    policy = inputs.policy
    return Evidence(
        run=Run(
            id=request.run,
            command=request.command,
            created=created,
            tool=f"audit {__version__}",
            libraries={name: version(name) for name in _LIBRARIES},
            seed=candidate.part.seed,
        ),
        policy=PolicyPart(
            name=policy.value.name,
            file=policy.path.name,
            sha256=policy.sha256,
            document=policy.value.model_dump(mode="json", by_alias=True, exclude_none=True),
        ),
        data=inputs.population.part,
        source=inputs.source.part,
        baseline=inputs.baseline.part if inputs.baseline else None,
        candidate=candidate.part,
        trail=position,
        **assessment.parts(),
    )
