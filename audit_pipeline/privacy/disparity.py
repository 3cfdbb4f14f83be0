"""Whether some groups are more exposed to a membership attack than others, on the target and in repeated trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.measurement import GroupKey, Measurement, NotMeasurable
from audit_pipeline.privacy.exposure import Exposures, Side, side_of, too_small
from audit_pipeline.privacy.f_test import FTest, f_test, vulnerabilities
from audit_pipeline.privacy.membership import threshold
from audit_pipeline.privacy.pseudo_targets import pseudo_scores, target_scores
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import Attack, DisparityPart, GroupExposure, Signal

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]

ATTACK: Attack = "student_t"
"""The strongest at few shadows: groups are compared by what an attacker would use."""


def disparities(
    tables: Mapping[tuple[Literal["float", "device"], Signal], ShadowTable],
    specs: Sequence[str],
    fpr: float,
    limit: float,
    level: float,
    seed: int,
) -> tuple[DisparityPart, ...]:
    """Compare the groups of every spec, for every model and signal.

    Args:
        tables: by model and signal.
        specs: group specs, all of them in the tables.
        fpr: false-positive rate of the attack, set within each group on pseudo-targets.
        limit: the policy's largest difference between groups, for the test that it is kept.
        level: two-sided confidence level.
        seed: of the resampling.
    """
    parts = []
    for (model, signal), table in tables.items():
        attacked = attack(table, ATTACK)
        for spec in specs:
            compared = _Compared(attacked, spec, fpr, level, seed)
            parts.append(_disparity(compared, model, signal, limit))
    return tuple(parts)


@dataclass(frozen=True, eq=False)
class Attacked:
    """A table and one attack's scores of all its rows."""

    table: ShadowTable
    pseudo: Scores
    """[K, n] with every shadow as the target, scored by the others."""
    target: Scores
    """[n] of the target, scored by all shadows."""


def attack(table: ShadowTable, name: Attack) -> Attacked:
    """Score the rows of a table by an attack."""
    return Attacked(table, pseudo_scores(table, name), target_scores(table, name))


def group_threshold(pseudo: Scores, inside: Mask, rows: Mask, fpr: float) -> float:
    """Threshold of one group: from the scores of its rows in all pseudo-targets that were not trained on them.

    Args:
        pseudo: [K, n] scores of every row with each shadow as the target.
        inside: [K, n] whether the shadow was trained on the row.
        rows: [n] of the group.
        fpr: share of the scores that may lie above. Where nothing is outside, nothing is above.
    """
    outside = pseudo[:, rows][~inside[:, rows]]
    return threshold(outside, fpr) if len(outside) else np.inf


@dataclass(frozen=True, eq=False)
class _Compared:
    """The groups of one spec under an attack."""

    of: Attacked
    spec: str
    fpr: float
    level: float
    seed: int

    @cached_property
    def keys(self) -> list[GroupKey]:
        return [key for key, _ in self.of.table.groups[self.spec]]

    @cached_property
    def groups(self) -> list[Mask]:
        """[groups] of [n] rows; every row is in one."""
        return [rows for _, rows in self.of.table.groups[self.spec]]

    @cached_property
    def thresholds(self) -> Scores:
        """[n] of each row's group."""
        table = self.of.table
        limits = [group_threshold(self.of.pseudo, table.inside, rows, self.fpr) for rows in self.groups]
        return np.select(self.groups, limits, np.inf)

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """Members and non-members of the target."""
        table, hit = self.of.table, self.of.target > self.thresholds
        members = side_of(hit, self.groups, table.member, table.people)
        return members, side_of(hit, self.groups, ~table.member, table.people)

    @cached_property
    def reasons(self) -> list[str | None]:
        """[groups] why a group cannot be measured."""
        return too_small(*self.sides)

    @cached_property
    def exposures(self) -> Exposures:
        """Of the groups that can."""
        kept = [place for place, reason in enumerate(self.reasons) if reason is None]
        members, others = self.sides
        return Exposures(members.only(kept), others.only(kept), self.level, self.seed)

    def advantages(self) -> list[Measurement]:
        """[groups] on the target."""
        measured = iter(self.exposures.measured())
        return [
            next(measured) if reason is None else self._unmeasured(place, reason)
            for place, reason in enumerate(self.reasons)
        ]

    def in_trainings(self) -> list[float | None]:
        """[groups] mean over the pseudo-targets; None where a group has no row on one side of one."""
        means = vulnerabilities(self._flagged, self.of.table.inside, self.groups).mean(axis=0)
        return [float(mean) if np.isfinite(mean) else None for mean in means]

    def test(self) -> FTest | None:
        """The F-test over the groups that can be measured."""
        kept = [rows for rows, reason in zip(self.groups, self.reasons, strict=True) if reason is None]
        return f_test(self._flagged, self.of.table.inside, kept, self.of.table.people) if len(kept) > 1 else None

    @property
    def _flagged(self) -> Mask:
        return np.asarray(self.of.pseudo > self.thresholds)

    def _unmeasured(self, place: int, reason: str) -> NotMeasurable:
        rows = sum(int(side.totals[place]) for side in self.sides)
        people = [side.people[place] for side in self.sides]
        return NotMeasurable(
            reason=reason, rows=rows, subjects=None if None in people else sum(number or 0 for number in people)
        )


def _disparity(compared: _Compared, model: Literal["float", "device"], signal: Signal, limit: float) -> DisparityPart:
    test = compared.test()
    told = zip(compared.keys, compared.advantages(), compared.in_trainings(), strict=True)
    return DisparityPart(
        model=model,
        attack=ATTACK,
        signal=signal,
        fpr_target=compared.fpr,
        by=tuple(compared.spec.split("*")),
        groups=tuple(
            GroupExposure(group=key, advantage=advantage, pseudo_targets=mean) for key, advantage, mean in told
        ),
        gap=compared.exposures.gap(),
        gap_p=compared.exposures.p_gap(limit),
        gap_limit=limit,
        f=None if test is None else test.f,
        p=None if test is None else test.p,
    )
