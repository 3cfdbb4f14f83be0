"""What the gate asks of people: that nobody withdrew the run, and that all approved it whose approval is demanded."""

from __future__ import annotations

from audit_pipeline.errors import RejectedError
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.files import RunFiles
from audit_pipeline.gate.trail import Logged
from audit_pipeline.people.approval import approvals_of, missing_approvals
from audit_pipeline.people.revocation import revocation_of
from audit_pipeline.policy.schema import Policy


def refuse_revoked(run: RunFiles, logged: Logged) -> None:
    """Whoever withdrew a run stops it, and what was decided again from it, whatever the key: this fails closed.

    Raises:
        RejectedError: `gate.revoked`.
    """
    origin = run.evidence.origin
    for name in (run.evidence.run.id, *((origin.run.id,) if origin else ())):
        revoked = revocation_of(logged.of_people, name)
        if revoked is not None:
            raise RejectedError(
                "gate.revoked",
                f"run {name} was withdrawn on {revoked.at}: {revoked.reason or 'no reason that can be read'}",
                where=f"{logged.where}, entry {revoked.index}",
                hint="a withdrawal is not taken back: ship again once its reason is gone",
            )


def check_approvals(
    run: RunFiles, logged: Logged, policy: Policy, demands: Demands, verdict_sha256: str
) -> dict[str, tuple[str, ...]]:
    """As many people of each role have approved the run as the policy demands, by keys of their own.

    Args:
        run: that passed.
        logged: what the trail has of it.
        policy: that it was judged by.
        demands: who may approve.
        verdict_sha256: digest of the verdict attestation's payload, which approvals are over.

    Returns:
        Fingerprints of those who approved, by role.

    Raises:
        RejectedError: `gate.unapproved`, with what is missing; or as `approvals_of`.
    """
    demanded = policy.approvals or {}
    if not demanded:
        return {}
    name = run.evidence.run.id
    entries = [entry for entry in logged.of_people if entry.run == name]
    given = approvals_of(entries, verdict_sha256, demands.approvers, demands.authors(policy), logged.where)
    missing = missing_approvals(demanded, given)
    if missing:
        lacking = ", ".join(f"{count} of {role}" for role, count in missing.items())
        raise RejectedError(
            "gate.unapproved",
            f"the policy demands approvals that are not there: {lacking}",
            where=logged.where,
            hint=_next(run, demands, min(missing)),
        )
    return {role: given[role] for role in demanded}


def _next(run: RunFiles, demands: Demands, role: str) -> str:
    if role not in demands.approvers:
        return f"nobody is trusted as {role}: give a trust file that names its approvers, with --trust and --root"
    return (
        f"somebody of {role} reads the report and runs: audit approve {run.folder} --role {role} "
        '--reason "…" --key KEY --trust FILE --root KEY'
    )
