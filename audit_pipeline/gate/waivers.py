"""What the gate asks of waivers: those that the verdict rests on hold today, signed before it by enough who may.

A waiver is taken from the trail, with the signatures that were entered before the verdict: one that came later, or had
enough signatures only later, allowed nothing when the verdict was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from audit_pipeline import run_folder
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.held_waivers import waiver_part, waivers_of
from audit_pipeline.gate.trail import Logged
from audit_pipeline.people.waivers import waivers_in
from audit_pipeline.policy.schema import Policy
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.predicate import moment
from audit_pipeline.seal.statement import Statement
from audit_pipeline.seal.waiver import check_waivers

SOON = timedelta(days=14)
"""How long before a waiver ends the gate begins to say so."""


def check_verdict_waivers(
    evidence: Evidence, verdict: Statement, logged: Logged, policy: Policy, demands: Demands
) -> None:
    """The waivers of a verdict hold, and are what the evidence says of them.

    Args:
        evidence: of the run.
        verdict: its attestation, whose signature holds.
        logged: what the trail has of the run and of waivers.
        policy: that it was judged by.
        demands: who may waive, and the time.

    Raises:
        RejectedError: `waiver.*` (see `check_waivers`); `gate.waiver`, the evidence says something else of one.
    """
    quorum = demands.waiver_quorum(policy)
    listed = {part.sha256 for part in evidence.waivers}
    before = [entry for entry in logged.waivers if entry.index < logged.verdict_index]
    shown = {
        each.sha256: each
        for each in waivers_in((entry for entry in before if entry.body.get("sha256") in listed), logged.where)
    }
    held = check_waivers(
        verdict,
        [each.envelope for each in shown.values()],
        quorum,
        model_sha256=evidence.candidate.sha256,
        policy_sha256=evidence.policy.sha256,
        now=demands.now,
    )
    keys = quorum.keys if quorum else ()
    known = set(map(fingerprint, keys))
    drawn = tuple(waiver_part(each.sha256, each.waiver, shown[each.sha256].envelope, keys) for each in held)
    # Of an approver whose key counts no more nothing can be told; enough others have signed.
    said = tuple(
        part.model_copy(update={"approvers": tuple(sorted(known & set(part.approvers)))}) for part in evidence.waivers
    )
    if said != drawn:
        raise RejectedError(
            "gate.waiver", "it says something else of its waivers than was signed", where=run_folder.EVIDENCE
        )


def waiver_warnings(evidence: Evidence, logged: Logged, demands: Demands) -> Iterator[str]:
    """What somebody should know of waivers though nothing is wrong: one that ends soon, one that nothing rests on."""
    for part in evidence.waivers:
        left = moment(part.expires) - moment(demands.now)
        if left <= SOON:
            yield f"the waiver of {part.rule} for {part.group} ends {part.expires}, in {left.days} days"
    used = {use.sha256 for use in evidence.verdict.waived if use.use == "used"}
    for found in waivers_of(evidence, logged.waivers, logged.where):
        if found.sha256 not in used and moment(demands.now) < moment(found.waiver.expires):
            said = f"the waiver {found.sha256[:16]}… of {found.waiver.rule} for {found.waiver.group}"
            yield f"{said} is in the trail, and this verdict does not rest on it"
