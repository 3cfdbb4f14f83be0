"""What evidence says of waivers: those that a verdict was given under, and what each of them did.

Parts of `Evidence`, in a file of their own. The signatures are not in here: they stand in the envelopes, which the
trail holds and a release has beside it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audit_pipeline.measurement import Part, Sha256


class WaiverPart(Part):
    """A waiver as it was signed: one rule, one group, one limit, until a day."""

    sha256: Sha256 = Field(description="of the payload that the approvers signed")
    rule: str = Field(description="where the rule stands in the policy, as a finding names it")
    group: str = Field(description="the group as people read it")
    limit: float = Field(description="how far the value may go instead of the rule's own limit")
    reason: str
    issued: str = Field(description="UTC, ISO 8601")
    expires: str = Field(description="first moment at which it no longer holds; UTC, ISO 8601")
    approvers: tuple[Sha256, ...] = Field(description="fingerprints of the keys that had signed it, in order")


class WaiverUse(Part):
    """What a waiver did to the finding that it is about."""

    sha256: Sha256 = Field(description="of the waiver's payload")
    use: Literal["used", "unused", "insufficient"] = Field(
        description="used: the finding is within the waiver's limit, and the verdict rests on that; unused: the "
        "verdict does not need it; insufficient: the finding does not hold at the waiver's limit either"
    )
    finding: str | None = Field(default=None, description="id of the finding; null where there is none such")
    reason: str
