"""A run that was decided again under waivers, held against the run that was measured.

Nothing was measured again, so the policy must have been registered before the *first* run's findings. Its evidence can
be put together from the second's to the byte, and the trail has its digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit_pipeline import run_folder
from audit_pipeline.decide import decide
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.entries import check_entries
from audit_pipeline.measurement import Outcome
from audit_pipeline.policy.schema import Policy
from audit_pipeline.trail.entry import Entry


def original(document: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of the run that was measured, from that of the one which was decided again.

    Args:
        document: the latter's; its `origin` is not null.
    """
    origin = document["origin"]
    return {**document, **origin, "waivers": [], "origin": None, "seal": None}


def check_origin_decision(evidence: Evidence, policy: Policy) -> None:
    """Waivers stand only where a run that did not pass was decided again, and its own verdict follows too.

    Raises:
        RejectedError: `gate.origin`.
    """
    origin = evidence.origin
    if origin is None:
        if evidence.waivers:
            raise _refused("it was decided under waivers, and names no run that was")
        return
    if origin.verdict.outcome is Outcome.PASS or origin.verdict != decide(evidence.findings, policy):
        raise _refused(f"the verdict of run {origin.run.id} does not follow from the findings, or needed no waiver")
    if not evidence.waivers:
        raise _refused("it was decided again without a waiver")


def check_origin_entries(
    evidence: Evidence, document: Mapping[str, Any], entries: Sequence[Entry], before: int, where: str
) -> None:
    """The first run stands in the trail as this evidence tells of it, ended, before this one began.

    Args:
        evidence: of the run that was decided again.
        document: the same as its file has it.
        entries: of the first run, but for those of people.
        before: index of the second run's first entry.
        where: the trail, for messages.

    Raises:
        RejectedError: `gate.origin` or `gate.trail`.
    """
    origin = evidence.origin
    if origin is None:
        return
    if origin.run.id == evidence.run.id:
        raise _refused("it names itself as the run that was measured")
    places = check_entries(original(document), None, entries, origin.trail, where)
    if places["verdict"] >= before:
        raise _refused(f"run {origin.run.id} ended after it was decided again")


def _refused(what: str) -> RejectedError:
    return RejectedError(
        "gate.origin", what, where=run_folder.EVIDENCE, hint="audit never writes this: treat the run as forged"
    )
