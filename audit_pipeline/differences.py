"""What changed between two runs on the same rows, as one frozen document: every renderer of `audit diff` reads this.

The words are those of evidence: "before" is the device of the first run, "after" that of the second, and `worsening` is
positive where the second is worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from audit_pipeline.evidence import DataPart
from audit_pipeline.findings import Exemplars, GroupRow, MetricComparison
from audit_pipeline.measurement import Count, GroupKey, Measured, Outcome, Part, Scale, Sha256
from audit_pipeline.policy_part import PolicyEdit


class DiffedRun(Part):
    """One of the two runs."""

    id: str
    created: str = Field(description="UTC, ISO 8601")
    tool: str
    outcome: Outcome = Field(description="its own verdict, under its own policy")
    policy: str
    policy_sha256: Sha256
    source_sha256: Sha256 = Field(description="of the trained model")
    model_sha256: Sha256 = Field(description="of the .tflite on the device")
    size_bytes: Count
    recipe: tuple[str, ...] = Field(
        description="how the model was compressed, a step in words each; none for a .tflite"
    )
    trials: Count | None = Field(description="of the search that found the recipe; null where the policy gave it")
    arithmetic: str = Field(description="whose arithmetic its predictions are")
    responsible: dict[str, str] = Field(
        default_factory=dict, description="who answers for a missed_alarm and for a false_alarm, by its policy"
    )


class Shift(Part):
    """A metric of a group that is surely another than it was."""

    group: GroupKey
    comparison: MetricComparison

    @property
    def worsening(self) -> float:
        """How much worse it became; negative where it is better."""
        worsening = self.comparison.worsening
        return worsening.estimate if isinstance(worsening, Measured) else 0.0


class Diff(Part):
    """Two runs, compared row by row."""

    schema_version: Literal[1] = 1
    data: DataPart
    before: DiffedRun
    after: DiffedRun
    policy_edits: tuple[PolicyEdit, ...] = Field(
        default=(), description="what the second run's policy asks otherwise than the first's; loosened stands first"
    )
    level: float = Field(description="confidence of intervals; a change is sure where adjusted p is at most 1 − level")
    worse: tuple[Shift, ...] = Field(description="what got surely worse, the most first")
    better: tuple[Shift, ...] = Field(description="what got surely better, the most first")
    undecided: Count = Field(description="comparisons that show no sure change, which is not the same as no change")
    not_comparable: Count = Field(description="comparisons without a number on one side")
    groups: tuple[GroupRow, ...]
    exemplars: Exemplars | None = Field(
        description="whose class changed from one run to the other; null without classes"
    )

    @property
    def compared(self) -> int:
        """How many comparisons were tested together."""
        return len(self.worse) + len(self.better) + self.undecided


@dataclass(frozen=True)
class Sorted:
    """The comparisons of a table by what they show."""

    worse: tuple[Shift, ...]
    better: tuple[Shift, ...]
    undecided: tuple[Shift, ...]
    """The largest worsening first."""
    not_comparable: int


def sort_out(groups: Iterable[GroupRow], level: float) -> Sorted:
    """Part what surely changed from what did not, each with the largest change first, shares before other units.

    A change is sure where its p-value, adjusted for the whole table, is at most 1 − `level`.
    """
    worse: list[Shift] = []
    better: list[Shift] = []
    undecided: list[Shift] = []
    not_comparable = 0
    for shift, is_sure in _tested(groups, level):
        if is_sure is None:
            not_comparable += 1
        elif is_sure and shift.worsening:
            (worse if shift.worsening > 0 else better).append(shift)
        else:
            undecided.append(shift)
    return Sorted(
        tuple(sorted(worse, key=_harm)),
        tuple(sorted(better, key=_relief)),
        tuple(sorted(undecided, key=_harm)),
        not_comparable,
    )


def _tested(groups: Iterable[GroupRow], level: float) -> Iterator[tuple[Shift, bool | None]]:
    """Every comparison, and whether its change is sure; None where nothing could be tested."""
    for row in groups:
        for comparison in row.metrics:
            change = comparison.change
            is_sure = None if change is None else change.adjusted_p <= 1 - level
            yield Shift(group=row.group, comparison=comparison), is_sure


def _harm(shift: Shift) -> tuple[bool, float, str, str]:
    metric = shift.comparison.metric
    return metric.scale is not Scale.SHARE, -shift.worsening, shift.group.label, metric.label


def _relief(shift: Shift) -> tuple[bool, float, str, str]:
    not_a_share, harm, *names = _harm(shift)
    return (not_a_share, -harm, names[0], names[1])
