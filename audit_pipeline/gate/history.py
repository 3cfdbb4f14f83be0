"""What a run says its policy was before must be what the trail had when the run began."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from audit_pipeline import run_folder
from audit_pipeline.errors import RejectedError
from audit_pipeline.gate.files import RunFiles
from audit_pipeline.policy_history import with_history
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.recorded import Recorded

_DRAWN_FROM: tuple[Kind, ...] = ("policy", "model")
"""Of the kinds that history is drawn from, those whose text may be taken out."""


def check_history(run: RunFiles, entries: Recorded, policy_index: int) -> None:
    """Draw the policy's changes again from the entries before the run's own.

    Where one of these was taken out since, what the run logged of it when it was there has to do.

    Args:
        run: whose evidence tells of changes; one that an older version wrote tells nothing, and nothing is asked.
        entries: of the trail with the run in it.
        policy_index: of the run's first entry; of a run that was decided again, of the one that was measured.

    Raises:
        RejectedError: `gate.policy-history`, or `trail.policy-entry`.
    """
    told = run.evidence.policy
    if "changed" not in run.document["policy"]:
        return

    def recorded(run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        return takewhile(lambda entry: entry.index < policy_index, entries(run, kind))

    bare = told.model_copy(update={"changed": None, "changed_before": ()})
    drawn = with_history(bare, run.evidence.source.sha256, recorded)
    if drawn.to_json() != told.to_json() and not _something_was_taken_out(recorded):
        raise RejectedError(
            "gate.policy-history",
            "what the evidence says of earlier policies is not what the trail had when the run began",
            where=run_folder.EVIDENCE,
            hint="compare with the policy entries that `audit log list` shows, and ask who made this run",
        )


def _something_was_taken_out(recorded: Recorded) -> bool:
    return any(entry.redacted for kind in _DRAWN_FROM for entry in recorded(kind=kind))
