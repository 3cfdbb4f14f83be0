"""`audit approve`: a reviewer agrees to a release in their role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from audit_pipeline.errors import InputError
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.judge import Record
from audit_pipeline.measurement import Outcome
from audit_pipeline.people.approval import (
    APPROVAL_TYPE,
    Approval,
    approvals_of,
    missing_approvals,
)
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.review.reviewers import named, refuse_author
from audit_pipeline.review.run import read_reviewed_run
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.predicate import first_fault
from audit_pipeline.seal.trust.schema import TrustDocument
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trail.signed_entry import sign_entry


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

    record: Record
    approval: Approval
    demands: Demands
    document: TrustDocument

    def require(self, key: SignerPublic) -> None:
        """Refuse a key whose approval would count for nothing.

        Raises:
            InputError: `approval.author`, `approval.not-an-approver` or `approval.twice`.
        """
        refuse_author(key, self.record.policy, self.demands, "approval")
        role, own = self.approval.role, fingerprint(key)
        roles = {role: [*map(fingerprint, keys)] for role, keys in self.demands.approvers.items()}
        if own not in roles[role]:
            other = next((role for role, keys in roles.items() if own in keys), None)
            raise InputError(
                "approval.not-an-approver",
                f"the key {own[:16]}… does not approve as {role}" + (f", but as {other}" if other else ""),
                where="--key",
                hint=f"give --role {other}" if other else "the root keys' holders say who approves, in the trust file",
            )
        if own in self._given(self.record.logged.of_people).get(role, ()):
            raise self._twice()

    def enter(self, signer: Signer, trail: Address) -> Approved:
        """Sign and enter it.

        Raises:
            InputError: as `require`.
            RejectedError: the trail is not what it was.
            ToolError: the signer failed, or the trail cannot be written.
        """
        self.require(signer.public)
        own, record, name = fingerprint(signer.public), self.record, self.approval.run
        payload = run_payload(
            APPROVAL_TYPE,
            self.approval,
            verdict_sha256=record.verdict.sha256,
            model_sha256=record.evidence.candidate.sha256,
        )
        body = sign_entry(payload, signer, APPROVAL_TYPE)

        def not_twice(before: Iterator[Entry]) -> None:
            if own in self._given(before).get(self.approval.role, ()):
                raise self._twice()

        with Trail.open(trail) as opened:
            receipt = opened.append("approval", run=name, at=self.approval.at, body=body, after=not_twice)
            given = self._given(opened.entries(name))
        missing = missing_approvals(record.policy.approvals or {}, given)
        names = {role: tuple(named(self.document, key) for key in keys) for role, keys in given.items()}
        return Approved(receipt.entry.index, names, missing)

    def _given(self, entries: Iterable[Entry]) -> Mapping[str, tuple[str, ...]]:
        """Who approved this run so far, by fingerprint."""
        record, excluded = self.record, self.demands.authors(self.record.policy)
        own = (entry for entry in entries if entry.run == self.approval.run)
        return approvals_of(own, record.verdict.sha256, self.demands.approvers, excluded, record.logged.where)

    def _twice(self) -> InputError:
        return InputError(
            "approval.twice",
            f"this key has approved run {self.approval.run} already, and counts once",
            where="--key",
            hint="somebody else must, with a key of their own; `audit log show` says who has",
        )


def prepare_approval(
    folder: Path,
    *,
    role: str,
    reason: str,
    email_sha256: str | None,
    demands: Demands,
    document: TrustDocument,
    trail: Address,
) -> Approving:
    """Check all of an approval that can be checked before it is signed.

    Args:
        folder: the run's folder.
        role: that the reviewer approves in.
        reason: theirs; one line.
        email_sha256: salted digest of their address; None where they gave none.
        demands: the keys that made the run, those that may approve it, and the time.
        document: the trust file, which is believed.
        trail: where the run was entered.

    Raises:
        InputError: `approval.role`, the policy demands none of this role, or nobody is trusted in it;
            `approval.refused`, the run is no PASS; `approval.format`, the reason is none; or as `read_reviewed_run`.
        RejectedError: as `read_reviewed_run`.
        ToolError: as `read_reviewed_run`.
    """
    record = read_reviewed_run(folder, trail, demands)
    name, outcome = record.evidence.run.id, record.evidence.verdict.outcome
    if outcome is not Outcome.PASS:
        raise InputError(
            "approval.refused",
            f"the verdict of run {name} is {outcome}: there is nothing that could be released",
            where=str(folder),
            hint="`audit waive RUN` for a rule that may be broken for a time; then `audit release`",
        )
    _require_role(role, record, document)
    try:
        approval = Approval(run=name, role=role, reason=reason, at=demands.now, email_sha256=email_sha256)
    except ValidationError as error:
        raise InputError("approval.format", first_fault(error), hint="a reason is one line, in words") from None
    return Approving(record, approval, demands, document)


def _require_role(role: str, record: Record, document: TrustDocument) -> None:
    demanded = record.policy.approvals or {}
    if role not in demanded:
        roles = ", ".join(demanded)
        raise InputError(
            "approval.role",
            f"the policy of run {record.evidence.run.id} demands no approval of {role!r}{did_you_mean(role, demanded)}",
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
