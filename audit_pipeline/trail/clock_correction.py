"""A correction of the writers' clock: the log takes entries again that are dated before its newest.

An entry that was dated a year ahead would close the log for a year, since none may be dated well before the newest.
The correction is an entry itself, with its reason, and says from which time back to which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit_pipeline.errors import InputError
from audit_pipeline.trail.log import Trail

RUN = "log:clock"
"""Under what corrections stand; a run's name has no colon."""

_LONGEST_REASON = 4000


@dataclass(frozen=True)
class Corrected:
    """A correction that was entered."""

    index: int
    """of its entry"""
    at: str
    before: str
    """when the newest entry until then was recorded, by the clock that was wrong"""


def correct_clock(trail: Trail, *, reason: str, at: str) -> Corrected:
    """Enter that the clock was ahead when the newest entry was recorded, and is right now.

    Args:
        trail: the log.
        reason: what was wrong, one line.
        at: the right time, ISO 8601, UTC.

    Raises:
        InputError: `clock.reason`; `clock.right`, the newest entry is not dated ahead of `at`; or as `Trail.append`.
        RejectedError: as `Trail.append`.
        ToolError: as `Trail.append`.
    """
    if not reason.strip() or not reason.isprintable() or len(reason) > _LONGEST_REASON:
        raise InputError("clock.reason", f"a reason is one line of 1 to {_LONGEST_REASON} characters", where="--reason")
    size = trail.head().size
    before = trail.entry(size - 1).at if size else at
    if datetime.fromisoformat(before) <= datetime.fromisoformat(at):
        raise InputError(
            "clock.right",
            f"there is nothing to correct: the newest entry is not dated after {at}",
            where=trail.where,
            hint="go on writing; entries are dated by this clock",
        )
    entry = trail.append("clock", RUN, at, {"reason": reason, "before": before}).entry
    return Corrected(entry.index, at, before)
