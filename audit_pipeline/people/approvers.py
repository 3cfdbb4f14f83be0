"""Who may approve a release: the keys that a believed trust file has in its approver roles."""

from __future__ import annotations

from collections.abc import Mapping

from audit_pipeline.seal.keys.forms import SIGNER_PUBLIC, SignerPublic, require_key
from audit_pipeline.seal.trust.checks import public_key
from audit_pipeline.seal.trust.schema import TrustDocument, moment


def live_approvers(document: TrustDocument, now: str) -> Mapping[str, tuple[SignerPublic, ...]]:
    """The keys of each approver role that count.

    Args:
        document: a trust file that is believed.
        now: the time, ISO 8601 with a time zone.
    """
    return {
        role: tuple(
            require_key(public_key(entry), SIGNER_PUBLIC)
            for entry in map(document.keys.__getitem__, names)
            if entry.until is None or moment(now) < moment(entry.until)
        )
        for role, names in document.approvers.items()
    }
