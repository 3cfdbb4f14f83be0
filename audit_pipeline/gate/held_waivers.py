"""The waivers in a trail that hold for a verdict, and what evidence says of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import Evidence
from audit_pipeline.people.waivers import WaiverEntries, waivers_in
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.statement import Statement
from audit_pipeline.seal.waiver import Waiver, check_waivers
from audit_pipeline.trail.entry import Entry
from audit_pipeline.waiver_part import WaiverPart


@dataclass(frozen=True)
class HeldWaivers:
    """Those that hold for a model under a policy, and why the others in the trail do not."""

    parts: tuple[WaiverPart, ...]
    """of the waivers that hold"""
    envelopes: Mapping[str, bytes]
    """of these, by digest of the payload"""
    lacking: tuple[str, ...]
    """why each of the others does not hold, in words"""


def held_waivers(
    evidence: Evidence, verdict: Statement, entries: Iterable[Entry], quorum: Quorum | None, now: str, where: str
) -> HeldWaivers:
    """The waivers that hold for a run's model and policy at a moment, by the check that the gate makes of them.

    Args:
        evidence: of the run.
        verdict: its attestation, which need not list them.
        entries: the trail's, of kind `waiver`.
        quorum: who may waive; None where nobody may.
        now: the time, UTC, ISO 8601 to the second.
        where: the trail, for messages.
    """
    parts, envelopes, lacking = [], {}, []
    keys = quorum.keys if quorum else ()
    for found in waivers_of(evidence, entries, where):
        listing = replace(verdict, predicate={**verdict.predicate, "waivers": [{"sha256": found.sha256}]})
        envelope = found.envelope
        try:
            check_waivers(
                listing,
                [envelope],
                quorum,
                model_sha256=evidence.candidate.sha256,
                policy_sha256=evidence.policy.sha256,
                now=now,
            )
        except RejectedError as error:
            of = f"waiver {found.sha256[:16]}… of {found.waiver.rule} for {found.waiver.group}"
            lacking.append(f"{of} does not hold: {error.what}")
            continue
        parts.append(waiver_part(found.sha256, found.waiver, envelope, keys))
        envelopes[found.sha256] = envelope
    return HeldWaivers(tuple(parts), envelopes, tuple(lacking))


def waivers_of(evidence: Evidence, entries: Iterable[Entry], where: str) -> tuple[WaiverEntries, ...]:
    """The waivers for a run's model and policy. An entry that cannot be read waives nothing, and stops nobody.

    Args:
        evidence: of the run.
        entries: the trail's, of kind `waiver`.
        where: the trail, for messages.
    """
    bound = (evidence.candidate.sha256, evidence.policy.sha256)
    readable = [entry for entry in entries if _is_readable(entry, where)]
    return tuple(
        found for found in waivers_in(readable, where) if (found.model_sha256, found.waiver.policy.sha256) == bound
    )


def waiver_part(sha256: str, waiver: Waiver, envelope: bytes, keys: Iterable[SignerPublic]) -> WaiverPart:
    """What evidence says of a waiver.

    Args:
        sha256: of its payload.
        waiver: what it says.
        envelope: its payload with its signatures.
        keys: of those who may waive; whichever of them signed is named.
    """
    return WaiverPart(
        sha256=sha256,
        rule=waiver.rule,
        group=waiver.group,
        limit=waiver.limit,
        reason=waiver.reason,
        issued=waiver.issued,
        expires=waiver.expires,
        approvers=tuple(sorted(set(_signers(envelope, keys)))),
    )


def _is_readable(entry: Entry, where: str) -> bool:
    try:
        waivers_in([entry], where)
    except RejectedError:
        return False
    return True


def _signers(envelope: bytes, keys: Iterable[SignerPublic]) -> Iterator[str]:
    for key in keys:
        try:
            dsse.verify(envelope, Quorum((key,)), where="waiver")
        except RejectedError:
            continue
        yield fingerprint(key)
