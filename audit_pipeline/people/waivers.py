"""Waivers as the trail has them: each approver's signature is an entry of its own, over one payload.

What a waiver says and when it holds is `seal.waiver`'s to say; here its signatures are brought together again, so that
`check_waivers` can count whose they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.waiver import WAIVER_TYPE, Waiver
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.signed_entry import SignedEntry, read_entry


@dataclass(frozen=True)
class WaiverEntries:
    """One waiver with all entries that sign it. Whether the signatures hold is not known yet."""

    sha256: str
    """of the payload"""
    waiver: Waiver
    model_sha256: str
    signed: tuple[SignedEntry, ...]

    @property
    def envelope(self) -> bytes:
        """The payload with everybody's signature."""
        return dsse.merged([each.envelope for each in self.signed], where=self.signed[0].where)


def waivers_in(entries: Iterable[Entry], where: str = "trail") -> tuple[WaiverEntries, ...]:
    """Every waiver among entries, in the order of its first signature.

    Args:
        entries: the trail's; those of other kinds, and those whose text was taken out, are passed over.
        where: the trail, for messages.

    Raises:
        RejectedError: `waiver.entry`, `waiver.copy` or `waiver.format`, an entry is not as this tool writes them; or
            `attestation.*`.
    """
    found: dict[str, list[SignedEntry]] = {}
    for entry in entries:
        if entry.kind == "waiver" and not entry.redacted:
            signed = read_entry(entry, WAIVER_TYPE, where)
            found.setdefault(signed.sha256, []).append(signed)
    return tuple(_waiver(sha256, tuple(signed)) for sha256, signed in found.items())


def _waiver(sha256: str, signed: tuple[SignedEntry, ...]) -> WaiverEntries:
    first = signed[0]
    waiver = first.read_as(Waiver)
    (subject, *others) = first.statement.subjects
    if others:
        raise RejectedError("waiver.model", "it speaks of more than one model", where=first.where)
    return WaiverEntries(sha256, waiver, subject.sha256, signed)
