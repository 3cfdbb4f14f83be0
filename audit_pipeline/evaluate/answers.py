"""What the group table answers: estimates, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.factorise import Codes
from audit_pipeline.measurement import GroupKey, MetricKey, NotMeasurable
from audit_pipeline.statistics.estimate import Estimate

Answer = Estimate | NotMeasurable


@dataclass(frozen=True, eq=False)
class Moved:
    """What compression did to each person's part of a metric, for the test that it did nothing to anybody."""

    person: Codes
    """[people] index into `Cells.people`; a single 0 where nobody is named."""
    change: NDArray[np.float64]
    """[people] sum over the person's rows, positive for harm."""
    changed: tuple[int, int] | None
    """Rows that got worse, and better; None where the metric is no share of the same rows before and after."""
    adds_up: bool = True
    """Whether each person has a part of their own. In a ranking or a precision people are measured against each other,
    and exchanging one person's models moves the parts of all."""


@dataclass(frozen=True)
class Answers:
    """One metric of one group."""

    metric: MetricKey
    before: Answer | None
    """The float model's; None where there was none."""
    after: Answer
    """The device's."""
    worsening: Answer | None
    """How much worse the device is on the same rows, positive for harm; None where there was no float model."""
    moved: Moved | None = None
    """What is behind the worsening; None where there is none."""


@dataclass(frozen=True)
class GroupAnswers:
    """One group and its metrics."""

    group: GroupKey
    rows: int
    subjects: int | None
    metrics: tuple[Answers, ...]

    def of(self, name: str, class_: str | None) -> Answers:
        """The answers for a metric that was asked for."""
        return next(m for m in self.metrics if (m.metric.name, m.metric.class_) == (name, class_))


@dataclass(frozen=True)
class GroupTable:
    """All groups of all group specs, overall first."""

    by_spec: Mapping[str, tuple[GroupAnswers, ...]]
    people: int | None
    """Distinct people; None where they were not named."""

    @property
    def groups(self) -> tuple[GroupAnswers, ...]:
        """Every group once, in the order of the specs."""
        return tuple(group for groups in self.by_spec.values() for group in groups)
