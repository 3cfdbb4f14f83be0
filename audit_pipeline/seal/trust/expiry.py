"""How long a trust file is still believed, told to those who maintain it before those who rely on it find out."""

from __future__ import annotations

from datetime import timedelta

from audit_pipeline.seal.trust.schema import TrustDocument, moment

_NOTICE = timedelta(days=30)
"""Long enough for several holders of root keys to be asked and to answer."""


def expiry_warning(document: TrustDocument, now: str) -> str | None:
    """What is to be said of the file's last day; None where it is far.

    Args:
        document: the trust file.
        now: the time, ISO 8601 with a time zone.
    """
    left = moment(document.expires) - moment(now)
    if left <= timedelta():
        return f"the trust file expired on {document.expires}: nobody believes it"
    if left < _NOTICE:
        return f"the trust file expires on {document.expires}, in less than {left.days + 1} days"
    return None
