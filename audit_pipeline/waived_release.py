"""A run that did not pass, decided again under waivers and released under a name of its own.

Nothing is measured again: the same findings are judged by the same policy, and what is sealed is the very .tflite that
they are about. The run that was measured stays what it was, and the trail shows all three: the refusal, the waivers
with their signatures, and the release.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from audit_pipeline import __version__, run_folder
from audit_pipeline.conclude import conclude, require_risen
from audit_pipeline.decide import decide
from audit_pipeline.entries import candidate_entry, data_entry, findings_entry, model_entry
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.evidence import Evidence, Origin, TrailPart, Verdict
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.held_waivers import HeldWaivers, held_waivers
from audit_pipeline.gate.judge import Record, check_record
from audit_pipeline.journal import Journal
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.load import load_policy
from audit_pipeline.policy.schema import Policy
from audit_pipeline.seal_keys import Passphrase, SealKeys, open_keys, require_unrevoked
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trail.recorded import Recorded
from audit_pipeline.waiver_part import WaiverPart

_KEPT = (run_folder.POLICY, run_folder.MODEL, run_folder.PREDICTIONS)
_SHOWN = 3
"""How many of what stands in the way an error names."""


@dataclass(frozen=True)
class WaivedRequest:
    """A release as it was asked for."""

    folder: Path
    """of the run that is decided again"""
    run: str
    """name of the release, and of its folder"""
    policy: Path
    """the policy that the run was judged by, at the place from which the paths to its keys are right"""
    reports: Path
    """folder that the release's folder is put in"""
    trail: Address


@dataclass(frozen=True)
class Released:
    """A release under waivers, and where it lies."""

    evidence: Evidence
    folder: Path
    left_over: tuple[str, ...]
    """what is said of the waivers in the trail that it does not rest on"""


@dataclass(frozen=True)
class _Decided:
    """A PASS, the waivers it rests on, and what is said of the others."""

    verdict: Verdict
    waivers: tuple[WaiverPart, ...]
    left_over: tuple[str, ...]


def release_waived(
    request: WaivedRequest, demands: Demands, *, now: Callable[[], str], passphrase: Passphrase
) -> Released:
    """Decide a run again under the waivers that its trail holds, and seal it as a new run.

    Args:
        request: what to do.
        demands: whose signatures count, among them who may waive.
        now: the time, UTC in ISO 8601.
        passphrase: asked for each key that signs, once it is known that the waivers are enough.

    Raises:
        RejectedError: the run's record does not hold (see `check_record`); or `release.not-enough`, something still
            stands in the way.
        InputError: `release.passed`, the run needs no waiver; `release.no-seal`, its policy seals nothing;
            `release.other-version`, its evidence was written by another version of audit.
        AuditError: as `ship`; nothing is left of the release then, but that the trail says it was aborted.
    """
    folder = run_folder.claim(request.reports, request.run)
    record = check_record(request.folder, request.trail, replace(demands, policy=request.policy))
    _require_refusal(record, str(request.folder))
    policy = load_policy(request.policy)
    quorum, logged = demands.waiver_quorum(policy.value), record.logged
    held = held_waivers(record.evidence, record.verdict.statement, logged.waivers, quorum, demands.now, logged.where)
    decided = _decide_again(record, held, policy.value)
    keys = open_keys(policy, passphrase)
    if keys is None:
        raise InputError("release.no-seal", "the policy has no seal section", where=str(request.policy))
    with Trail.open(request.trail) as trail:
        log = trail.verified()
        _require_risen(keys, log.entries)
        require_unrevoked(keys, policy, log.entries(kind="keys"))
        with Journal(trail, request.run, now) as journal:
            position = _enter_again(record.evidence, decided.verdict, journal)
            evidence = _evidence(record.evidence, request.run, decided, position, created=now())
            files = {name: record.run.files[name] for name in _KEPT if name in record.run.files}
            files |= {run_folder.waiver(part.sha256): held.envelopes[part.sha256] for part in decided.waivers}
            released = conclude(evidence, files, keys, journal, folder)
    return Released(released, folder, decided.left_over)


def _require_refusal(record: Record, where: str) -> None:
    evidence = record.evidence
    if evidence.verdict.outcome is Outcome.PASS:
        hint = "its image is in its folder" if evidence.seal else "`audit ship` seals what passes"
        raise InputError("release.passed", "this run is a PASS and needs no waiver", where=where, hint=hint)
    if evidence.to_json() != record.run.document:
        # What is released must be put together again to the byte by the gate; see `gate.origin`.
        raise InputError(
            "release.other-version",
            f"the evidence was written by another version ({evidence.run.tool})",
            where=where,
            hint="ship the model again with this version; waivers are for the model and the policy and stay",
        )


def _require_risen(keys: SealKeys, entries: Recorded) -> None:
    try:
        require_risen(keys, entries(kind="seal"))
    except InputError as error:
        # The counter stands in the policy, and under another policy neither findings nor waivers are these.
        hint = "it is in the policy that the waivers are for: ship again with a higher one, and waive again"
        raise InputError(error.code, error.what, where=error.where, hint=hint) from None


def _decide_again(record: Record, held: HeldWaivers, policy: Policy) -> _Decided:
    """Decide under the waivers, and keep those that the verdict needs: another would only end it sooner."""
    findings = record.evidence.findings
    under_all = decide(findings, policy, held.parts)
    used = {use.sha256 for use in under_all.waived if use.use == "used"}
    needed = tuple(part for part in held.parts if part.sha256 in used)
    unused = (f"waiver {use.sha256[:16]}…: {use.reason}" for use in under_all.waived if use.use != "used")
    left_over = (*unused, *held.lacking)
    verdict = decide(findings, policy, needed)
    if verdict.outcome is Outcome.PASS:
        return _Decided(verdict, needed, left_over)
    more = len(verdict.reasons) - _SHOWN
    in_the_way = [*verdict.reasons[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    raise RejectedError(
        "release.not-enough",
        f"under the waivers that hold it is {verdict.outcome} still: {'; '.join((*in_the_way, *left_over))}",
        where=str(record.run.folder),
        hint=f"`audit waive {record.run.folder}` lists the waivers, and who must still sign them",
    )


def _enter_again(evidence: Evidence, verdict: Verdict, journal: Journal) -> TrailPart:
    """All that the measured run entered, in its order; the policy as it was registered then."""
    source, baseline = evidence.source.to_json(), evidence.baseline
    registered = journal.begin_again(evidence.policy)
    journal.enter("data", data_entry(evidence.data.to_json()))
    journal.enter("model", model_entry(source, baseline.to_json() if baseline else None))
    journal.enter("candidate", candidate_entry(evidence.candidate.to_json()))
    findings = findings_entry([each.to_json() for each in evidence.findings], verdict.to_json())
    head = journal.enter("findings", findings).head
    return TrailPart(policy_index=registered.entry.index, size=head.size, root=head.root)


def _evidence(measured: Evidence, name: str, decided: _Decided, position: TrailPart, *, created: str) -> Evidence:
    if measured.trail is None:
        raise ValueError("the gate takes no run without its place in a trail")
    run = measured.run
    again = {"id": name, "command": "release", "created": created, "tool": f"audit {__version__}"}
    return measured.model_copy(
        update={
            "run": run.model_copy(update=again),
            "waivers": decided.waivers,
            "verdict": decided.verdict,
            "trail": position,
            "origin": Origin(run=run, verdict=measured.verdict, trail=measured.trail),
        }
    )
