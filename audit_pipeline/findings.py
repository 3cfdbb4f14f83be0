"""What was found out about groups: the before/after table, the findings of a policy, and whom compression changed.

Parts of `Evidence`, in a file of their own.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from audit_pipeline.measurement import Count, GroupKey, Measurement, MetricKey, Outcome, Part


class Change(Part):
    """The test of "compression changed nothing" for one metric of one group."""

    method: str
    p: float = Field(description="two-sided p-value")
    adjusted_p: float = Field(description="the same after every metric and group of the table was tested")


class MetricComparison(Part):
    """One metric of one group, before and after compression, on the same rows."""

    metric: MetricKey
    before: Measurement | None = Field(description="float model; null where none was given")
    after: Measurement = Field(description="the device")
    worsening: Measurement | None = Field(description="paired difference, positive where the device is worse")
    change: Change | None = Field(default=None, description="null where nothing could be compared")


class GroupRow(Part):
    """One line of the before/after table."""

    group: GroupKey
    rows: Count
    subjects: Count | None
    metrics: tuple[MetricComparison, ...]


class Breach(Part):
    """The test of "the limit is kept", whose rejection is a FAIL: raw, and adjusted for all that the policy asks."""

    p: float = Field(description="one-sided p-value")
    adjusted_p: float = Field(
        description="after Holm (1979) over the policy's fairness findings; of privacy over all shadow attacks on "
        "membership, or all comparisons of exposure"
    )
    family: Count = Field(description="how many findings were tested together")
    level: float = Field(description="FAIL where adjusted_p is at most this")


class Prospect(Part):
    """What an undecided finding could have shown, and what it would take to decide it, both with the given power."""

    power: float
    detectable: float | None = Field(description="smallest true value that would have been found to break the limit")
    settles: Outcome | None = Field(
        default=None,
        description="what it would come to, were the truth what was measured; null where the value lies on the limit",
    )
    more: Count | None = Field(default=None, description="how many more it takes for that; null where no number helps")
    of: Literal["people", "rows"] = Field(description="what `more` counts")


class ByChance(Part):
    """The largest gap that samples of these sizes would show, were all groups alike. It decides nothing."""

    expected: float = Field(description="mean")
    high: float = Field(description="quantile that `share` of the samples stay below")
    share: float
    method: str


class Finding(Part):
    """One rule of the policy, applied to one group."""

    id: str = Field(description="stable across runs: rule kind, metric and group")
    stage: Literal["device", "fairness", "privacy"]
    rule: str = Field(description="where the rule stands in the policy, as `fairness[0]`")
    claim: str = Field(description="the rule in words")
    group: GroupKey
    value: Measurement
    limit: float
    limit_kind: Literal["at_most", "at_least"]
    outcome: Outcome
    reason: str
    breach: Breach | None = Field(default=None, description="null where nothing was tested")
    prospect: Prospect | None = Field(default=None, description="for INCONCLUSIVE alone")
    by_chance: ByChance | None = Field(
        default=None, description="for gaps between groups of twenty people or more each, or of independent rows"
    )
    left_out: tuple[GroupKey, ...] | None = Field(
        default=None,
        description="groups with too little behind them to be compared with the others: while there are any, nothing "
        "passes; null where the finding compares none, or an older version does not say",
    )

    @property
    def compares_groups(self) -> bool:
        """Whether it is about the groups of its columns together."""
        return bool(self.group.by) and not self.group.values


class Exemplar(Part):
    """A row whose class the compression changed: where it stands in the data set, never what it holds."""

    row: Count = Field(description="its place in the evaluation split, from 0")
    before: str = Field(description="class that the float model gave")
    after: str = Field(description="class that the device gives")
    effect: Literal["lost", "gained", "other"] = Field(
        description="lost: the float model was right and the device is not; gained: the reverse; other: both wrong"
    )
    shift: float = Field(description="how much of the true class's score was lost")


class Overrepresentation(Part):
    """A group's share of changed rows against everybody else's."""

    group: GroupKey
    inside: Measurement = Field(description="share of the group's rows that changed class")
    outside: Measurement = Field(description="share of all other rows that did")
    ratio: float | None = Field(description="inside over outside; null where nothing changed outside")
    p: float = Field(description="one-sided p-value of no over-representation")
    adjusted_p: float = Field(description="after Holm (1979) over all groups")


class Exemplars(Part):
    """Whom the compression changed: compression-identified exemplars (Hooker et al. 2020)."""

    rows: Count
    changed: Count
    lost: Count
    gained: Count
    listed: tuple[Exemplar, ...] = Field(description="the most harmed first; at most as many as the tool lists")
    groups: tuple[Overrepresentation, ...] = Field(description="the most over-represented first")
