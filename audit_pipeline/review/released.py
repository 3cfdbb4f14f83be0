"""A release as the trail alone knows it: what people in the field have is an image and a name, not the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit_pipeline.errors import InputError
from audit_pipeline.people.revocation import Revoked, revocation_of
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trail.recorded import first_of_each_kind


@dataclass(frozen=True)
class Release:
    """A run that sealed an image, from its entries in a trail that holds."""

    name: str
    version: str
    """of the image"""
    verdict_sha256: str
    """of the verdict attestation's payload"""
    model_sha256: str
    human_centred: Mapping[str, Any]
    """the people's answers in the policy, as they were registered; none where that entry's text was taken out"""
    revoked: Revoked | None
    """None where nobody has withdrawn it"""
    entries: tuple[Entry, ...]
    where: str
    """the trail, for messages"""


def read_release(name: str, trail: Address, kind: str) -> Release:
    """Find a release in a trail, which must hold, and in which it must be possible to write.

    Args:
        name: of the run.
        trail: where it was entered.
        kind: of the statement that is to be made of it: the first part of the error's code.

    Raises:
        InputError: `trail.no-such-run`; `<kind>.not-released`, the run sealed no image; or there is no trail, or no
            key for it.
        RejectedError: the trail does not hold.
        ToolError: the trail cannot be opened to write.
    """
    with Trail.open(trail, create=False) as opened:
        where = opened.where
        log = opened.verified()
        entries = tuple(log.entries(name))
        runs = () if entries else sorted({entry.run for entry in log.entries(kind="verdict")})
    if not entries:
        raise InputError(
            "trail.no-such-run",
            f"the trail has no run {name[:128]!r}{did_you_mean(name, runs)}",
            where=where,
            hint="`audit log list` shows the runs that it has",
        )
    Trail.open(trail).close()  # whoever signs is told before that the trail has no key here, or is read-only
    bodies = {kind: entry.body for kind, entry in first_of_each_kind(entries).items()}
    match bodies:
        case {"candidate": {"sha256": str(model)}, "seal": {"verdict_sha256": str(verdict), "version": str(version)}}:
            return Release(
                name=name,
                version=version,
                verdict_sha256=verdict,
                model_sha256=model,
                human_centred=bodies.get("policy", {}).get("human_centred", {}),
                revoked=revocation_of(entries, name),
                entries=entries,
                where=where,
            )
    raise InputError(
        f"{kind}.not-released",
        f"run {name} sealed no image: nobody has a release of it",
        where=where,
        hint="`audit log show RUN` says what came of it",
    )
