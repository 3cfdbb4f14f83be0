"""`audit approve`: a reviewer agrees to a release, by a key of their own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.passphrase import PassphraseFd
from audit_pipeline.cli.reviewer import KeyOption, ReasonOption, RunArgument, command, open_signer, read_people
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.cli.trust_option import PeopleTrustOption, RootOption

if TYPE_CHECKING:
    from audit_pipeline.review.approving import Approved, Approving


def approve(
    run: RunArgument,
    role: Annotated[str, typer.Option("--role", help="That you approve in, as the policy demands it.")],
    reason: ReasonOption,
    key: KeyOption,
    email: Annotated[
        str | None,
        typer.Option("--email", help="Yours: only a salted digest is kept, and you are given the salt."),
    ] = None,
    trust: PeopleTrustOption = None,
    root: RootOption = None,
    trail: TrailOption = DEFAULT_TRAIL,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Approve a run that passed: your signature over its verdict goes into the trail. Read its report first.

    Whoever wrote the policy or signs the release does not count, and one key counts once.
    """
    from rich.markup import escape

    from audit_pipeline.people.reviewer_email import SALT_BYTES, salted_email
    from audit_pipeline.review.approving import prepare_approval
    from audit_pipeline.seal.keys.forms import fingerprint

    at = now()
    salt = secrets.token_bytes(SALT_BYTES) if email is not None else None
    demands, document = read_people(trust, root, trail, at)
    approving = prepare_approval(
        run,
        role=role,
        reason=reason,
        email_sha256=salted_email(email, salt) if email is not None and salt is not None else None,
        demands=demands,
        document=document,
        trail=trail,
    )
    signer = open_signer(key, passphrase_fd, approving.require, _announced(approving))
    approved = approving.enter(signer, trail)
    again: list[tuple[str, ...]] = [
        ("approve", str(run), "--role", owing, "--reason", '"…"', "--key", "KEY") for owing in approved.missing
    ]
    steps = [command(*words, trust=trust, roots=root, trail=trail) for words in again or [("gate", str(run))]]
    lines = [
        f"approved as {role}, entry {approved.index} of the trail",
        *_standing(approving, approved),
        *(f"next: {step}" for step in steps),
    ]
    if salt is not None:
        lines.append(f"keep this salt, it is stored nowhere: {salt.hex()} (SHA-256 of these bytes and your e-mail)")
    result = {
        "entry": approved.index,
        "run": approving.approval.run,
        "role": role,
        "signer": fingerprint(signer.public),
        "verdict_sha256": approving.record.verdict.sha256,
        "email_sha256": approving.approval.email_sha256,
        "email_salt": salt.hex() if salt is not None else None,
        "given": {given: list(names) for given, names in approved.given.items()},
        "missing": dict(approved.missing),
        "next": steps,
    }
    show(result, escape("\n".join(lines)), as_json=as_json)


def _announced(approving: Approving) -> list[str]:
    said = approving.approval
    lines = [f"you approve run {said.run} as {said.role}, verdict {approving.record.verdict.sha256}"]
    return lines + [
        f"  under a waiver of {waived.rule} for {waived.group} up to {waived.limit:g}, until {waived.expires}"
        for waived in approving.record.evidence.waivers
    ]


def _standing(approving: Approving, approved: Approved) -> list[str]:
    demanded = approving.record.policy.approvals or {}
    return [
        f"  {role}: {len(names)} of {count}{' (' + ', '.join(names) + ')' if names else ''}"
        for role, count in demanded.items()
        for names in (approved.given.get(role, ()),)
    ]
