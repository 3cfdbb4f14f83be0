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


def check_history(run: RunFiles, entries: Recorded, policy_index: int) -> bool:
    """Draw the policy's changes again from the entries before the run's own.

    Where one of these was taken out since, what the run logged of it when it was there has to do.

    Args:
        run: whose evidence tells of changes; one that an older version wrote tells nothing, and nothing is asked. No
            older version writes to a trail that a newer one has written to.
        entries: of the trail with the run in it.
        policy_index: of the run's first entry; of a run that was decided again, of the one that was measured.

    Returns:
        Whether the trail says so too; False where nobody but the run can tell any more.

    Raises:
        RejectedError: `gate.policy-history`, or `trail.policy-entry`.
    """
    told = run.evidence.policy

    def recorded(run: str | None = None, kind: Kind | None = None) -> Iterator[Entry]:
        return takewhile(lambda entry: entry.index < policy_index, entries(run, kind))

    if "changed" not in run.document["policy"]:
        if any(entry.redacted or "changed" in entry.body for entry in recorded(kind="policy")):
            raise _refused("the evidence says nothing of earlier policies, and there were some when the run began")
        return True
    bare = told.model_copy(update={"changed": None, "changed_before": ()})
    drawn = with_history(bare, run.evidence.source.sha256, recorded)
    if drawn.to_json() == told.to_json():
        return True
    if not _something_was_taken_out_since(recorded):
        raise _refused("what the evidence says of earlier policies is not what the trail had when the run began")
    return False


def _something_was_taken_out_since(recorded: Recorded) -> bool:
    """Since the run began: of what was gone before, the run itself knew no more."""
    before = [entry.body.get("index") for entry in recorded(kind="redaction")]
    gone = (entry for kind in _DRAWN_FROM for entry in recorded(kind=kind) if entry.redacted)
    return any(entry.index not in before for entry in gone)


def _refused(what: str) -> RejectedError:
    return RejectedError(
        "gate.policy-history",
        what,
        where=run_folder.EVIDENCE,
        hint="compare with the policy entries that `audit log list` shows, and ask who made this run",
    )
