"""From a waiver's envelope, as the trail has it, to what evidence says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.waiver import Waiver
from audit_pipeline.waiver_part import WaiverPart


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


def _signers(envelope: bytes, keys: Iterable[SignerPublic]) -> Iterator[str]:
    for key in keys:
        try:
            dsse.verify(envelope, Quorum((key,)), where="waiver")
        except RejectedError:
            continue
        yield fingerprint(key)
