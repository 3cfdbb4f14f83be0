"""`audit waive`: two people or more allow one rule to be broken, for one group, up to a limit and until a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from audit_pipeline import run_folder
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.findings import Finding
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.judge import Record
from audit_pipeline.people.waivers import WaiverEntries, waivers_in
from audit_pipeline.review.reviewers import refuse_author
from audit_pipeline.review.run import read_reviewed_run
from audit_pipeline.review.waivable import require_waivable
from audit_pipeline.review.waivers import ListedWaiver, listed, recorded_waivers, signers_of, waiving_quorum
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.predicate import first_fault
from audit_pipeline.seal.statement import Subject
from audit_pipeline.seal.trust.schema import TrustDocument
from audit_pipeline.seal.waiver import WAIVER_TYPE, WaivedPolicy, Waiver, waiver_payload
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trail.signed_entry import sign_entry


@dataclass(frozen=True)
class Terms:
    """What somebody asks to be waived."""

    rule: str
    """where the rule stands in the policy, as a finding names it"""
    group: str
    """as people read it"""
    limit: float
    reason: str
    expires: str
    """ISO 8601, UTC, to the second"""


@dataclass(frozen=True)
class EnteredSignature:
    """A signature under a waiver that was entered."""

    index: int
    """of the entry"""
    waiver: ListedWaiver


@dataclass(frozen=True)
class Waiving:
    """A waiver that may be signed, but for the key."""

    record: Record
    payload: bytes
    waiver: Waiver
    finding: Finding
    quorum: Quorum
    demands: Demands
    document: TrustDocument

    @property
    def sha256(self) -> str:
        """Digest of the payload: what people call the waiver by."""
        return sha256_hex(self.payload)

    def require(self, key: SignerPublic) -> None:
        """Refuse a key whose signature would count for nothing.

        Raises:
            InputError: `waiver.author`, `waiver.not-an-approver` or `waiver.twice`.
        """
        refuse_author(key, self.record.policy, self.demands, "waiver")
        own = fingerprint(key)
        if own not in map(fingerprint, self.quorum.keys):
            raise InputError(
                "waiver.not-an-approver",
                f"the key {own[:16]}… is not trusted to waive anything",
                where="--key",
                hint="the root keys' holders say who waives, in the trust file's waiver role",
            )
        self._refuse_twice(own, recorded_waivers(self.record))

    def enter(self, signer: Signer, trail: Address) -> EnteredSignature:
        """Sign and enter it.

        Raises:
            InputError: as `require`.
            RejectedError: the trail is not what it was.
            ToolError: the signer failed, or the trail cannot be written.
        """
        self.require(signer.public)
        body = sign_entry(self.payload, signer, WAIVER_TYPE)

        def not_twice(before: Iterator[Entry]) -> None:
            self._refuse_twice(fingerprint(signer.public), self._same(before))

        name, at = self.record.evidence.run.id, self.demands.now
        with Trail.open(trail) as opened:
            receipt = opened.append("waiver", run=name, at=at, body=body, after=not_twice)
            (found,) = self._same(opened.entries(kind="waiver"))
        return EnteredSignature(receipt.entry.index, listed(found, self.quorum, self.document, at))

    def _same(self, entries: Iterator[Entry]) -> tuple[WaiverEntries, ...]:
        same = (entry for entry in entries if entry.body.get("sha256") == self.sha256)
        return waivers_in(same, self.record.logged.where)

    def _refuse_twice(self, own: str, known: tuple[WaiverEntries, ...]) -> None:
        if any(own in signers_of(found, self.quorum) for found in known if found.sha256 == self.sha256):
            raise InputError(
                "waiver.twice",
                f"this key has signed waiver {self.sha256[:16]}… already, and counts once",
                where="--key",
                hint="somebody else must, with a key of their own",
            )


def prepare_waiver(folder: Path, terms: Terms, *, demands: Demands, document: TrustDocument, trail: Address) -> Waiving:
    """Check all of a new waiver that can be checked before its first signature.

    Args:
        folder: the run's folder.
        terms: what is to be waived.
        demands: the keys that made the run, those that may waive, and the time.
        document: the trust file, which is believed.
        trail: where the run was entered.

    Raises:
        InputError: `waiver.format`, a value is none; `waiver.untrusted`; or as `require_waivable` and
            `read_reviewed_run`.
        RejectedError: as `read_reviewed_run`.
        ToolError: as `read_reviewed_run`.
    """
    record = read_reviewed_run(folder, trail, demands)
    evidence = record.evidence
    try:
        waiver = Waiver(policy=WaivedPolicy(sha256=evidence.policy.sha256), issued=demands.now, **vars(terms))
    except ValidationError as error:
        raise InputError(
            "waiver.format", first_fault(error), hint="moments in UTC, as 2027-05-04T00:00:00Z; numbers that are finite"
        ) from None
    payload = waiver_payload(waiver, Subject(run_folder.MODEL, evidence.candidate.sha256))
    return _waiving(record, payload, waiver, demands, document)


def prepare_cosignature(
    folder: Path, prefix: str, *, demands: Demands, document: TrustDocument, trail: Address
) -> Waiving:
    """Check a waiver that somebody else has signed, so that one more may.

    Args:
        folder: the run's folder.
        prefix: how the digest of the waiver's payload begins.
        demands: as for `prepare_waiver`, like the rest.
        document: see there.
        trail: see there.

    Raises:
        InputError: `waiver.unknown`, the trail has no such waiver for this run's model and policy, or several; or as
            `prepare_waiver`.
        RejectedError: as `read_reviewed_run`.
        ToolError: as `read_reviewed_run`.
    """
    record = read_reviewed_run(folder, trail, demands)
    begins = prefix.lower().removesuffix("…")
    found = [each for each in recorded_waivers(record) if begins and each.sha256.startswith(begins)]
    if len(found) != 1:
        raise InputError(
            "waiver.unknown",
            f"the trail has {len(found) or 'no'} waivers for this model and policy that begin with {prefix[:64]!r}",
            where="--cosign",
            hint="`audit waive RUN` without more lists them",
        )
    (one,) = found
    payload = dsse.unverified_payload(one.envelope, where=record.logged.where)
    return _waiving(record, payload, one.waiver, demands, document)


def _waiving(record: Record, payload: bytes, waiver: Waiver, demands: Demands, document: TrustDocument) -> Waiving:
    quorum = waiving_quorum(record, demands)
    finding = require_waivable(waiver, record, demands.now)
    return Waiving(record, payload, waiver, finding, quorum, demands, document)
