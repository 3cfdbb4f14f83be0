"""The clock, read here and passed down, so that everything below can be repeated byte for byte."""

from __future__ import annotations

import re
from datetime import UTC, datetime


def now() -> str:
    """The time as the trail and evidence hold it: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds() -> int:
    """The time as cosignatures hold it: whole seconds since 1970 (POSIX)."""
    return int(datetime.now(UTC).timestamp())


def new_run_name(policy: str) -> str:
    """A name for a run that sorts by time: `20260504T120000Z-wearable-ecg`."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9._-]+', '-', policy)[:64]}"
