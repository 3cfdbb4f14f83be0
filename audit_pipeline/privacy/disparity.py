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
from audit_pipeline.privacy.roc import threshold
from audit_pipeline.privacy.scored import Scored, scored
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
        found = scored([table], ATTACK)
        for spec in specs:
            compared = _Compared(found, table.groups[spec], fpr, level, seed)
            parts.append(_disparity(compared, model, signal, tuple(spec.split("*")), limit))
    return tuple(parts)


def group_threshold(found: Scored, rows: Mask, fpr: float) -> float:
    """Threshold of one group: from the scores of its rows in all pseudo-targets that were not trained on them.

    Args:
        found: scores of all rows.
        rows: [n] of the group.
        fpr: share of the scores that may lie above. Where nothing is outside, nothing is above.
    """
    outside = found.pseudo[:, rows][~found.inside[:, rows]]
    return threshold(outside, fpr).score if len(outside) else np.inf


def row_thresholds(found: Scored, groups: Sequence[Mask], fpr: float) -> Scores:
    """[n] the threshold of each row's group; every row is in one of the groups, which are [n] masks."""
    return np.select(groups, [group_threshold(found, rows, fpr) for rows in groups], np.inf)


@dataclass(frozen=True, eq=False)
class _Compared:
    """The groups of one spec under an attack."""

    found: Scored
    cut: Sequence[tuple[GroupKey, Mask]]
    """The groups with their [n] rows; every row is in one."""
    fpr: float
    level: float
    seed: int

    @property
    def keys(self) -> list[GroupKey]:
        return [key for key, _ in self.cut]

    @property
    def groups(self) -> list[Mask]:
        """[groups] of [n] rows."""
        return [rows for _, rows in self.cut]

    @cached_property
    def thresholds(self) -> Scores:
        """[n] of each row's group."""
        return row_thresholds(self.found, self.groups, self.fpr)

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """Members and non-members of the target."""
        hit, member, people = self.found.target > self.thresholds, self.found.member, self.found.people
        return side_of(hit, self.groups, member, people), side_of(hit, self.groups, ~member, people)

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
        means = vulnerabilities(self._flagged, self.found.inside, self.groups).mean(axis=0)
        return [float(mean) if np.isfinite(mean) else None for mean in means]

    def test(self) -> FTest | None:
        """The F-test over the groups that can be measured."""
        kept = [rows for rows, reason in zip(self.groups, self.reasons, strict=True) if reason is None]
        return f_test(self._flagged, self.found.inside, kept, self.found.people) if len(kept) > 1 else None

    @property
    def _flagged(self) -> Mask:
        return np.asarray(self.found.pseudo > self.thresholds)

    def _unmeasured(self, place: int, reason: str) -> NotMeasurable:
        rows = sum(int(side.totals[place]) for side in self.sides)
        people = [side.people[place] for side in self.sides]
        return NotMeasurable(
            reason=reason, rows=rows, subjects=None if None in people else sum(number or 0 for number in people)
        )


def _disparity(
    compared: _Compared, model: Literal["float", "device"], signal: Signal, by: tuple[str, ...], limit: float
) -> DisparityPart:
    test = compared.test()
    told = zip(compared.keys, compared.advantages(), compared.in_trainings(), strict=True)
    return DisparityPart(
        model=model,
        attack=ATTACK,
        signal=signal,
        fpr_target=compared.fpr,
        by=by,
        groups=tuple(
            GroupExposure(group=key, advantage=advantage, pseudo_targets=mean) for key, advantage, mean in told
        ),
        gap=compared.exposures.gap(),
        gap_p=compared.exposures.p_gap(limit),
        gap_limit=limit,
        f=None if test is None else test.f,
        p=None if test is None else test.p,
    )
