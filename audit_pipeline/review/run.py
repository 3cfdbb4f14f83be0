"""A run that people are to put their name to: its record holds by all that the gate asks, but for people's approvals.

So nobody signs what the gate would refuse whoever signed it: what was altered, what another trail has, what was
withdrawn, or what a newer release has taken the place of.
"""

from __future__ import annotations

from pathlib import Path

from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.judge import Record, check_record, require_run
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address


def read_reviewed_run(folder: Path, trail: Address, demands: Demands) -> Record:
    """Check the record of a run that is to be approved, or that a rule is to be waived for.

    Args:
        folder: the run's folder.
        trail: where it was entered, and where the decision is to be entered; it must be possible to write there.
        demands: whose signatures count.

    Raises:
        InputError: `gate.not-a-run`, or there is no trail, or no key for it; or as `check_record`.
        RejectedError: as `check_record`.
        ToolError: the trail cannot be opened to write.
    """
    require_run(folder)
    record = check_record(folder, trail, demands)
    Trail.open(trail).close()  # whoever signs is told before that the trail has no key here, or is read-only
    return record
