"""Approvals: a reviewer says, by a key of their own, that a run may be released, in the role that they have.

An approval is over the digest of the verdict attestation's payload, and so over everything that the verdict says: the
model, the policy, each finding. It holds for no other run. What counts is how many distinct keys of a role approved;
names, key ids and the author's own key count for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from pydantic import Field

from audit_pipeline.errors import RejectedError
from audit_pipeline.measurement import Sha256
from audit_pipeline.people.run_subjects import speaks_of_run
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.predicate import Predicate, Text, Utc
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.signed_entry import SignedEntry, read_entry

APPROVAL_TYPE = "https://audit-pipeline.dev/approval/v1"

Approvers = Mapping[str, tuple[SignerPublic, ...]]
"""Who may approve, by role."""


class Approval(Predicate):
    """What an approval says of its run."""

    run: Text
    role: Text = Field(description="as the policy demands it and the trust file fills it")
    reason: Text
    at: Utc
    email_sha256: Sha256 | None = Field(
        description="SHA-256 of 16 random bytes, which the reviewer keeps, and their e-mail address after them"
    )


def approvals_of(
    entries: Iterable[Entry],
    verdict_sha256: str,
    approvers: Approvers,
    authors: Collection[str],
    where: str,
) -> Mapping[str, tuple[str, ...]]:
    """Who approved a run: for each role the fingerprints of the distinct keys of that role that signed.

    A key that is in no role, or not in the one it approved as, counts for nothing: it may have been revoked since. An
    approval whose text was taken out counts for nothing either: nobody can tell any more what was signed.

    Args:
        entries: the run's entries in the trail; those of other kinds are passed over.
        verdict_sha256: digest of the verdict attestation's payload.
        approvers: the keys that count, by role.
        authors: fingerprints of the keys that never count (see `authors`).
        where: the trail, for messages.

    Returns:
        Fingerprints by role, in the order in which they approved; no role without one.

    Raises:
        RejectedError: `approval.entry`, `approval.copy`, `approval.format` or `approval.signature`, an entry is not
            as this tool writes them; `approval.other-run`, it is for another one.
    """
    known = {role: {fingerprint(key): key for key in keys} for role, keys in approvers.items()}
    found: dict[str, list[str]] = {}
    for signed, approval in _approvals(entries, verdict_sha256, where):
        key = known.get(approval.role, {}).get(signed.signer)
        if key is None or signed.signer in authors:
            continue
        signed.require_signed_by(key)
        of_role = found.setdefault(approval.role, [])
        if signed.signer not in of_role:
            of_role.append(signed.signer)
    return {role: tuple(keys) for role, keys in found.items()}


def missing_approvals(demanded: Mapping[str, int], given: Mapping[str, Collection[str]]) -> Mapping[str, int]:
    """How many approvals each role still owes; empty where all are there.

    Args:
        demanded: the policy's `approvals`.
        given: see `approvals_of`.
    """
    owed = {role: count - len(given.get(role, ())) for role, count in demanded.items()}
    return {role: count for role, count in owed.items() if count > 0}


def _approvals(entries: Iterable[Entry], verdict_sha256: str, where: str) -> Iterator[tuple[SignedEntry, Approval]]:
    for entry in entries:
        if entry.kind != "approval" or entry.redacted:
            continue
        signed = read_entry(entry, APPROVAL_TYPE, where)
        approval = signed.read_as(Approval)
        if approval.run != entry.run or not speaks_of_run(signed.statement, verdict_sha256):
            raise RejectedError(
                "approval.other-run",
                "this approval was given to another run",
                where=signed.where,
                hint="treat it as hostile: somebody entered it here; `audit log show` lists this run's own",
            )
        yield signed, approval
