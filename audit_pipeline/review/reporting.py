"""`audit incident`: a false or a missed alarm in the field is put beside the release that gave it, or did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from audit_pipeline.errors import InputError
from audit_pipeline.people.incident import (
    INCIDENT_TYPE,
    Incident,
    IncidentKind,
    Reported,
    incidents_of,
    unsigned_entry,
)
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.review.released import Release, read_release
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.predicate import first_fault
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trail.signed_entry import sign_entry


@dataclass(frozen=True)
class Entered:
    """An incident that was entered."""

    index: int
    """of the entry"""
    so_far: tuple[Reported, ...]
    """all incidents of the run, this one the last"""


@dataclass(frozen=True)
class Reporting:
    """An incident that may be entered, signed or not."""

    release: Release
    incident: Incident

    @property
    def who_can_stop(self) -> str | None:
        """Who can stop or override the device, by the policy of the run."""
        return _answer(self.release, "oversight", "who_can_stop")

    @property
    def never_record(self) -> tuple[str, ...]:
        """What must never be recorded, by the policy of the run."""
        found = self.release.human_centred.get("never_record", [])
        return tuple(" ".join(str(each).split()) for each in found)

    def enter(self, signer: Signer | None, trail: Address) -> Entered:
        """Enter it.

        Args:
            signer: who reports; None where nobody signs.
            trail: where the run was entered.

        Raises:
            RejectedError: as `incidents_of`.
            ToolError: the signer failed, or the trail cannot be written.
        """
        release, said = self.release, self.incident
        payload = run_payload(
            INCIDENT_TYPE, said, verdict_sha256=release.verdict_sha256, model_sha256=release.model_sha256
        )
        body = sign_entry(payload, signer, INCIDENT_TYPE) if signer else unsigned_entry(payload)
        with Trail.open(trail) as opened:
            receipt = opened.append("incident", run=release.name, at=said.at, body=body)
        return Entered(receipt.entry.index, incidents_of((*release.entries, receipt.entry), release.name))


def prepare_incident(run: str, *, kind: IncidentKind, group: str, reason: str, trail: Address, at: str) -> Reporting:
    """Check all of a report that can be checked before it is entered.

    Args:
        run: name of the run.
        kind: what went wrong.
        group: in which it was, as people read it; also one that nobody evaluated.
        reason: what happened; one line.
        trail: where the run was entered.
        at: the time now, ISO 8601, UTC, to the second.

    Raises:
        InputError: `incident.format`, a value is none; or as `read_release`.
        RejectedError: as `read_release` and `incidents_of`.
        ToolError: as `read_release`.
    """
    release = read_release(run, trail, "incident")
    incidents_of(release.entries, run, release.where)
    answers = _answer(release, "responsible", kind.replace("-", "_"))
    try:
        said = Incident(run=run, kind=kind, group=group, reason=reason, answers=answers, at=at)
    except ValidationError as error:
        raise InputError("incident.format", first_fault(error), hint="reason and group are one line each") from None
    return Reporting(release, said)


def _answer(release: Release, *path: str) -> str | None:
    value: Any = release.human_centred
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return " ".join(value.split()) if isinstance(value, str) else None
