"""Incidents: a false or a missed alarm in the field, in whose group it was, and who answers for it.

A report from the field may come from somebody without a key. It is taken, and said to be unsigned wherever it is shown:
what nobody signed proves that somebody wrote it, no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.predicate import Label, Predicate, Text, Utc, first_fault
from audit_pipeline.seal.statement import read_statement
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.signed_entry import read_entry

INCIDENT_TYPE = "https://audit-pipeline.dev/incident/v1"

IncidentKind = Literal["false-alarm", "missed-alarm"]


class Incident(Predicate):
    """What a report says of its run."""

    run: Text
    kind: IncidentKind
    group: Label
    """The group as people read it (`GroupKey.label`): `sex=female`, `overall`; also one that nobody evaluated."""
    reason: Text
    """what happened"""
    answers: Text | None
    """who answers for it by the policy of the run; None where the trail does not say any more"""
    at: Utc


@dataclass(frozen=True)
class Reported:
    """An incident in the trail."""

    index: int
    """of the entry"""
    incident: Incident
    signer: str | None
    """fingerprint of the key that the entry says has signed; None for a report that nobody signed"""


def unsigned_entry(payload: bytes) -> dict[str, Any]:
    """The body of an entry for a report that nobody signs: the same as a signed one, and it says that it is not."""
    statement = read_statement(payload, INCIDENT_TYPE, where="statement")
    return {**statement.predicate, "envelope": None, "sha256": sha256_hex(payload), "signer": None}


def incidents_of(entries: Iterable[Entry], run: str, where: str = "trail") -> tuple[Reported, ...]:
    """The incidents of a run, in order; signatures are not checked, for nothing depends on them.

    Args:
        entries: the trail's; those of other runs and kinds, and those whose text was taken out, are passed over.
        run: its name.
        where: the trail, for messages.

    Raises:
        RejectedError: `incident.entry`, `incident.copy` or `incident.format`, an entry is not as this tool writes
            them; or `attestation.*`.
    """
    own = (entry for entry in entries if (entry.kind, entry.run) == ("incident", run))
    return tuple(_reported(entry, where) for entry in own if not entry.redacted)


def _reported(entry: Entry, where: str) -> Reported:
    match entry.body:
        case {"envelope": None, "signer": None, "sha256": str(), **copy}:
            said, signer = copy, None
        case _:
            signed = read_entry(entry, INCIDENT_TYPE, where)
            said, signer = dict(signed.statement.predicate), signed.signer
    try:
        return Reported(entry.index, Incident.model_validate(said), signer)
    except ValidationError as error:
        raise RejectedError("incident.format", first_fault(error), where=f"{where}, entry {entry.index}") from None
