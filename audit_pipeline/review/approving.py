"""`audit approve`: a reviewer agrees to a release in their role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from audit_pipeline.errors import InputError
from audit_pipeline.measurement import Outcome
from audit_pipeline.people.approval import (
    APPROVAL_TYPE,
    Approval,
    approval_payload,
    approvals_of,
    missing_approvals,
)
from audit_pipeline.people.approvers import live_approvers
from audit_pipeline.people.authors import authors
from audit_pipeline.people.signed_entry import sign_entry
from audit_pipeline.review.reviewers import named, refuse_author
from audit_pipeline.review.run import ReviewedRun, read_reviewed_run
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.predicate import first_fault
from audit_pipeline.seal.trust.schema import TrustDocument
from audit_pipeline.seal.verify import Trust
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address


@dataclass(frozen=True)
class Approved:
    """An approval that was entered."""

    index: int
    """of the entry"""
    given: Mapping[str, tuple[str, ...]]
    """who approved so far: names of the trust file, by role"""
    missing: Mapping[str, int]
    """how many approvals each role still owes"""


@dataclass(frozen=True)
class Approving:
    """An approval that may be given, but for the key that signs it."""

    run: ReviewedRun
    approval: Approval
    document: TrustDocument
    trust: Trust

    def require(self, key: SignerPublic) -> None:
        """Refuse a key whose approval would count for nothing.

        Raises:
            InputError: `approval.author`, `approval.not-an-approver` or `approval.twice`.
        """
        refuse_author(key, self.run.policy, self.trust, "approval")
        role, own = self.approval.role, fingerprint(key)
        roles = {role: [*map(fingerprint, keys)] for role, keys in self._approvers().items()}
        if own not in roles[role]:
            other = next((role for role, keys in roles.items() if own in keys), None)
            raise InputError(
                "approval.not-an-approver",
                f"the key {own[:16]}… does not approve as {role}" + (f", but as {other}" if other else ""),
                where="--key",
                hint=f"give --role {other}" if other else "the root keys' holders say who approves, in the trust file",
            )
        if own in self._given(self.run.entries).get(role, ()):
            raise self._twice()

    def enter(self, signer: Signer, trail: Address) -> Approved:
        """Sign and enter it.

        Raises:
            InputError: as `require`.
            RejectedError: the trail is not what it was.
            ToolError: the signer failed, or the trail cannot be written.
        """
        self.require(signer.public)
        own, run = fingerprint(signer.public), self.run
        payload = approval_payload(self.approval, verdict_sha256=run.verdict_sha256, model_sha256=run.model_sha256)
        body = sign_entry(payload, signer, APPROVAL_TYPE)

        def not_twice(before: Iterator[Entry]) -> None:
            known = self._given(tuple(entry for entry in before if entry.run == run.name))
            if own in known.get(self.approval.role, ()):
                raise self._twice()

        with Trail.open(trail) as opened:
            receipt = opened.append("approval", run=run.name, at=self.approval.at, body=body, after=not_twice)
            given = self._given(tuple(opened.entries(run.name)))
        missing = missing_approvals(run.policy.approvals or {}, given)
        names = {role: tuple(named(self.document, key) for key in keys) for role, keys in given.items()}
        return Approved(receipt.entry.index, names, missing)

    def _approvers(self) -> Mapping[str, tuple[SignerPublic, ...]]:
        return live_approvers(self.document, self.approval.at)

    def _given(self, entries: tuple[Entry, ...]) -> Mapping[str, tuple[str, ...]]:
        excluded = authors(self.run.policy.human_centred.author.key, self.trust)
        return approvals_of(entries, self.run.verdict_sha256, self._approvers(), excluded, self.run.where)

    def _twice(self) -> InputError:
        return InputError(
            "approval.twice",
            f"this key has approved run {self.run.name} already, and counts once",
            where="--key",
            hint="somebody else must, with a key of their own; `audit log show` says who has",
        )


def prepare_approval(
    folder: Path,
    *,
    role: str,
    reason: str,
    email_sha256: str | None,
    trust: Trust,
    document: TrustDocument,
    trail: Address,
    at: str,
) -> Approving:
    """Check all of an approval that can be checked before it is signed.

    Args:
        folder: the run's folder.
        role: that the reviewer approves in.
        reason: theirs; one line.
        email_sha256: salted digest of their address; None where they gave none.
        trust: the keys that made the run.
        document: the trust file, which is believed.
        trail: where the run was entered.
        at: the time now, ISO 8601, UTC, to the second.

    Raises:
        InputError: `approval.role`, the policy demands none of this role, or nobody is trusted in it;
            `approval.refused`, the run is no PASS; `approval.format`, the reason is none; or as `read_reviewed_run`.
        RejectedError: as `read_reviewed_run`.
        ToolError: as `read_reviewed_run`.
    """
    run = read_reviewed_run(folder, trust, trail)
    outcome = run.evidence.verdict.outcome
    if outcome is not Outcome.PASS:
        raise InputError(
            "approval.refused",
            f"the verdict of run {run.name} is {outcome}: there is nothing that could be released",
            where=str(folder),
            hint="`audit waive RUN` for a rule that may be broken for a time; then `audit release`",
        )
    _require_role(role, run, document)
    try:
        approval = Approval(run=run.name, role=role, reason=reason, at=at, email_sha256=email_sha256)
    except ValidationError as error:
        raise InputError("approval.format", first_fault(error)) from None
    return Approving(run, approval, document, trust)


def _require_role(role: str, run: ReviewedRun, document: TrustDocument) -> None:
    demanded = run.policy.approvals or {}
    if role not in demanded:
        roles = ", ".join(demanded)
        raise InputError(
            "approval.role",
            f"the policy of run {run.name} demands no approval of {role!r}{did_you_mean(role, demanded)}",
            where="--role",
            hint=f"it demands {roles}" if roles else "it demands none at all: `audit gate` needs none",
        )
    if role not in document.approvers:
        raise InputError(
            "approval.role",
            f"the trust file names nobody who approves as {role}{did_you_mean(role, document.approvers)}",
            where="--role",
            hint="the root keys' holders put a key under approvers in it, and sign it again",
        )
