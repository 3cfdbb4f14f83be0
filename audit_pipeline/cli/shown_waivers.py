"""What an image's verdict rests on besides: waivers, from where a reader has them, and that nobody withdrew the run.

A waiver is taken from the files that were named, else from the trail, else from beside the image. The verdict that
names it is not believed here: whether it holds, and its waivers with it, is for `seal.verify` to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_pipeline.errors import RejectedError

if TYPE_CHECKING:
    from audit_pipeline.seal.statement import Statement
    from audit_pipeline.trail.place import Place


def waivers_beside(verdict: bytes | None, image: Path) -> tuple[Path, ...]:
    """The files beside an image that hold the waivers of its verdict.

    Args:
        verdict: the attestation; None where there is none.
        image: the image's file.
    """
    from audit_pipeline import run_folder

    statement = _unverified(verdict)
    paths = (image.parent / run_folder.waiver(sha256) for sha256 in _listed(statement))
    return tuple(path for path in paths if path.is_file())


def waivers_in_trail(verdict: bytes | None, trail: Place) -> tuple[bytes, ...]:
    """The waivers of a verdict as a trail has them, with all their signatures, once nobody withdrew the run.

    Args:
        verdict: the attestation; None where there is none.
        trail: where it is.

    Raises:
        InputError: there is no trail here.
        RejectedError: `revocation.withdrawn`; or as `Trail.verify` and `waivers_in`.
    """
    from audit_pipeline.people.revocation import revocation_of
    from audit_pipeline.people.waivers import waivers_in
    from audit_pipeline.trail.log import Trail

    statement = _unverified(verdict)
    if statement is None:
        return ()
    listed = _listed(statement)
    with Trail.open(trail, create=False) as opened:
        log = opened.verified()
        revoked = revocation_of(log.entries(kind="revocation"), str(statement.predicate.get("run")))
        entries = tuple(entry for entry in log.entries(kind="waiver") if entry.body.get("sha256") in listed)
        where = opened.where
    if revoked is not None:
        raise RejectedError(
            "revocation.withdrawn",
            f"the run of this image was withdrawn on {revoked.at}: {revoked.reason or 'no reason that can be read'}",
            where=f"{where}, entry {revoked.index}",
            hint="use a release that nobody withdrew",
        )
    return tuple(found.envelope for found in waivers_in(entries, where))


def _unverified(verdict: bytes | None) -> Statement | None:
    """What a verdict says, whoever signed it; None where it is none, which `seal.verify` will say."""
    from audit_pipeline.seal import dsse
    from audit_pipeline.seal.statement import VERDICT_TYPE, read_statement

    if verdict is None:
        return None
    try:
        payload = dsse.unverified_payload(verdict, where="verdict attestation")
        return read_statement(payload, VERDICT_TYPE, where="verdict attestation")
    except RejectedError:
        return None


def _listed(statement: Statement | None) -> list[str]:
    # Reads its models with pydantic, which takes longer to import than an image without waivers takes to verify.
    if statement is None or not statement.predicate.get("waivers"):
        return []
    from audit_pipeline.seal.waiver import listed_waivers

    try:
        return listed_waivers(statement)
    except RejectedError:
        return []
