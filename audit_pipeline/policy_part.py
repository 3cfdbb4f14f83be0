"""What evidence says of a policy, and of how it differs from those before it. A part of `Evidence`, in its own file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from audit_pipeline.measurement import Part, Sha256

Effect = Literal["loosened", "tightened", "other"]


class PolicyEdit(Part):
    """One thing that a policy asks otherwise than an earlier one did."""

    path: str = Field(description="what it is about, as in fairness.recall[V].max_drop; not a position in the file")
    groups: tuple[str, ...] = Field(default=(), description="group specs of the rule; none outside of the rules")
    before: Any = Field(default=None, description="null where it was not asked")
    after: Any = Field(default=None, description="null where it is asked no more")
    effect: Effect = Field(description="loosened: what was refused before may pass now")


class PolicyChange(Part):
    """How a policy differs from the one that an earlier run was judged by."""

    run: str = Field(description="the earlier run")
    name: str = Field(description="the earlier policy's; another than this one's where only the model is the same")
    sha256: Sha256 = Field(description="of the earlier policy's exact bytes")
    outcome: Literal["PASS", "FAIL", "INCONCLUSIVE", "aborted"] | None = Field(
        description="what the earlier run had come to; null where it had not ended"
    )
    edits: tuple[PolicyEdit, ...] = Field(min_length=1)

    @property
    def loosened(self) -> tuple[PolicyEdit, ...]:
        """The edits after which more may pass."""
        return tuple(edit for edit in self.edits if edit.effect == "loosened")


class MadeChange(Part):
    """A change of the policy, and the run that first was judged by it."""

    run: str
    change: PolicyChange


class PolicyPart(Part):
    """The policy as it was read, whole."""

    name: str
    file: str
    sha256: Sha256 = Field(description="of the file's exact bytes")
    document: dict[str, Any]
    changed: PolicyChange | None = Field(
        default=None,
        description="against the newest earlier run of this policy's name that came to a verdict, or of its model if "
        "the name is new; null where there is none, or nothing that is asked was changed",
    )
    changed_before: tuple[MadeChange, ...] = Field(
        default=(),
        description="the changes that such runs made since the last that was sealed, the newest first",
    )
