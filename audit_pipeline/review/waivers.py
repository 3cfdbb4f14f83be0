"""The waivers of a run as people look at them: what each allows, who signed it, and who still must."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from audit_pipeline.errors import InputError
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.held_waivers import waivers_of
from audit_pipeline.gate.judge import Record
from audit_pipeline.people.waivers import WaiverEntries
from audit_pipeline.review.reviewers import named
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.predicate import moment
from audit_pipeline.seal.trust.schema import TrustDocument
from audit_pipeline.seal.waiver import Waiver


@dataclass(frozen=True)
class ListedWaiver:
    """One waiver."""

    sha256: str
    """of its payload"""
    waiver: Waiver
    state: Literal["signed", "unsigned", "expired"]
    """`signed` once as many have signed as must, and it has not ended"""
    signed_by: tuple[str, ...]
    """names of the trust file, of keys that count"""
    missing: int
    """how many still must sign"""
    may_sign: tuple[str, ...]
    """names of those who could"""

    def to_json(self) -> dict[str, Any]:
        """The waiver as `--json` prints it."""
        return {
            "sha256": self.sha256,
            **self.waiver.model_dump(mode="json"),
            "state": self.state,
            "signed_by": list(self.signed_by),
            "missing": self.missing,
            "may_sign": list(self.may_sign),
        }


def waiving_quorum(record: Record, demands: Demands) -> Quorum:
    """Who may waive a rule for a run: not those who made it.

    Raises:
        InputError: `waiver.untrusted`, nobody is trusted to, or too few.
    """
    quorum = demands.waiver_quorum(record.policy)
    if quorum is None:
        raise InputError(
            "waiver.untrusted",
            "too few are trusted to waive a rule for this run",
            where="--trust",
            hint="a trust file with a waiver role of two keys or more, none of them of those who make the release",
        )
    return quorum


def recorded_waivers(record: Record) -> tuple[WaiverEntries, ...]:
    """The waivers in the trail for a run's model and policy, of whichever run they were given for."""
    return waivers_of(record.evidence, record.logged.waivers, record.logged.where)


def list_waivers(record: Record, demands: Demands, document: TrustDocument) -> tuple[ListedWaiver, ...]:
    """All waivers of a run.

    Args:
        record: of the run.
        demands: who may waive, and the time.
        document: the trust file, for their names.

    Raises:
        InputError: `waiver.untrusted`.
        RejectedError: `waiver.signature`, an entry names a key that did not sign it.
    """
    quorum = waiving_quorum(record, demands)
    return tuple(listed(found, quorum, document, demands.now) for found in recorded_waivers(record))


def listed(found: WaiverEntries, quorum: Quorum, document: TrustDocument, at: str) -> ListedWaiver:
    """One waiver with those who signed it, and those who could. Raises as `list_waivers` does."""
    by = signers_of(found, quorum)
    missing = max(quorum.threshold - len(by), 0)
    ended = moment(found.waiver.expires) <= moment(at)
    return ListedWaiver(
        sha256=found.sha256,
        waiver=found.waiver,
        state="expired" if ended else "unsigned" if missing else "signed",
        signed_by=tuple(named(document, key) for key in by),
        missing=missing,
        may_sign=tuple(named(document, key) for key in map(fingerprint, quorum.keys) if key not in by),
    )


def signers_of(found: WaiverEntries, quorum: Quorum) -> tuple[str, ...]:
    """Fingerprints of the distinct keys of a quorum that signed a waiver, in order.

    Raises:
        RejectedError: `waiver.signature`, an entry names one of these keys that did not sign it.
    """
    keys = {fingerprint(key): key for key in quorum.keys}
    for entry in found.signed:
        if entry.signer in keys:
            entry.require_signed_by(keys[entry.signer])
    return tuple(dict.fromkeys(entry.signer for entry in found.signed if entry.signer in keys))
