"""How often an attack takes rows for members, of members and of non-members, with what stands behind both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.measurement import Measured, NotMeasurable
from audit_pipeline.statistics.intervals import exact_interval
from audit_pipeline.statistics.tally import Counts, tally

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEWEST = 20
"""Members, and non-members, without which no rate is measured."""


@dataclass(frozen=True)
class Side:
    """Scores of members or of non-members, and the person behind each."""

    scores: Scores
    """[n]"""
    people: Counts
    """[n] numbers of people; zeros where nobody is named."""
    named: bool

    def only(self, mask: Mask) -> Side:
        """Some of its rows."""
        return Side(self.scores[mask], self.people[mask], self.named)

    def above(self, limit: float, level: float) -> Measured:
        """Share of its rows that score above a limit, with Clopper and Pearson's interval; there must be some."""
        taken = tally(self.scores > limit, self.people, self.named)
        return Measured(
            estimate=taken.proportion,
            interval=exact_interval(taken, level),
            rows=taken.total,
            subjects=taken.subjects,
        )

    def silent(self, reason: str) -> NotMeasurable:
        """That nothing can be said of it."""
        subjects = len(np.unique(self.people)) if self.named else None
        return NotMeasurable(reason=reason, rows=len(self.scores), subjects=subjects)


def too_few(member: Side, other: Side, unit: str) -> str | None:
    """Why two sides are too small to be attacked, if they are; `unit` names what is counted."""
    if len(member.scores) < FEWEST:
        return f"{len(member.scores)} training {unit} are too few: {FEWEST} are needed"
    if len(other.scores) < FEWEST:
        return f"{len(other.scores)} {unit} that were not trained on are too few: {FEWEST} are needed"
    return None
