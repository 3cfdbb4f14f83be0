"""Revocations: a release is withdrawn, and no gate lets it pass again.

This fails closed. Whoever may write to the trail may stop a release, whatever the key, and an entry that is not even
well formed stops it too: the worst it costs is a release that has to be made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.predicate import Predicate, Text, Utc
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.signed_entry import read_entry

REVOCATION_TYPE = "https://audit-pipeline.dev/revocation/v1"


class Revocation(Predicate):
    """What a revocation says of its run."""

    run: Text
    reason: Text
    at: Utc


@dataclass(frozen=True)
class Revoked:
    """A run that was withdrawn."""

    index: int
    """of the entry"""
    at: str
    reason: str | None
    """None where the entry does not hold what this tool writes; the run is withdrawn all the same"""
    signer: str | None
    """fingerprint of the key that the entry says has signed; None as for `reason`"""


def revocation_of(entries: Iterable[Entry], run: str) -> Revoked | None:
    """The first revocation of a run among entries, of whichever key; None where nobody withdrew it."""
    found = next((entry for entry in entries if entry.kind == "revocation" and entry.run == run), None)
    if found is None:
        return None
    try:
        signed = read_entry(found, REVOCATION_TYPE, "trail")
    except RejectedError:
        return Revoked(found.index, found.at, None, None)
    reason = signed.statement.predicate.get("reason")
    return Revoked(found.index, found.at, reason if isinstance(reason, str) else None, signed.signer)
