"""`audit revoke`: a release is withdrawn. No gate lets it pass again; the devices that have it keep running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from audit_pipeline.errors import InputError
from audit_pipeline.people.revocation import (
    REVOCATION_TYPE,
    Revocation,
    Revoked,
    revocation_of,
)
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.review.released import Release, read_release
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.predicate import first_fault
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trail.signed_entry import sign_entry


@dataclass(frozen=True)
class Withdrawing:
    """A release that may be withdrawn; whoever has a key may, for this fails closed."""

    release: Release
    revocation: Revocation

    def enter(self, signer: Signer, trail: Address) -> int:
        """Sign and enter it.

        Returns:
            Index of the entry.

        Raises:
            InputError: `revocation.twice`, somebody was faster.
            ToolError: the signer failed, or the trail cannot be written.
        """
        release = self.release
        payload = run_payload(
            REVOCATION_TYPE, self.revocation, verdict_sha256=release.verdict_sha256, model_sha256=release.model_sha256
        )
        body = sign_entry(payload, signer, REVOCATION_TYPE)

        def not_twice(before: Iterator[Entry]) -> None:
            known = revocation_of(before, release.name)
            if known is not None:
                raise _twice(release, known)

        with Trail.open(trail) as opened:
            at = self.revocation.at
            return opened.append("revocation", run=release.name, at=at, body=body, after=not_twice).entry.index


def prepare_revocation(run: str, *, reason: str, trail: Address, at: str) -> Withdrawing:
    """Check all of a revocation that can be checked before it is signed.

    Args:
        run: name of the run.
        reason: why; one line.
        trail: where it was entered.
        at: the time now, ISO 8601, UTC, to the second.

    Raises:
        InputError: `revocation.format`, the reason is none; `revocation.twice`; or as `read_release`.
        RejectedError: as `read_release`.
        ToolError: as `read_release`.
    """
    release = read_release(run, trail, "revocation")
    if release.revoked is not None:
        raise _twice(release, release.revoked)
    try:
        return Withdrawing(release, Revocation(run=run, reason=reason, at=at))
    except ValidationError as error:
        raise InputError("revocation.format", first_fault(error), hint="a reason is one line, in words") from None


def _twice(release: Release, known: Revoked) -> InputError:
    return InputError(
        "revocation.twice",
        f"run {release.name} was withdrawn on {known.at} already",
        where=f"{release.where}, entry {known.index}",
        hint="`audit log show` says by which key and why",
    )
