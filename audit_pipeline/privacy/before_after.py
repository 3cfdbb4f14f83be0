"""What compression did to an attack's success: the same rows of the same people, under the float model and the device.

Each model is attacked as its attacker would, by scores from its own shadows and a threshold fixed on its own
pseudo-targets. The members are the same in both, so the change is paired: people are resampled with both of their
outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.measurement import GroupKey, Interval, Measured, Measurement, NotMeasurable
from audit_pipeline.privacy.disparity import ATTACK, group_threshold
from audit_pipeline.privacy.exposure import FEWEST_PEOPLE
from audit_pipeline.privacy.rates import FEWEST
from audit_pipeline.privacy.resampling import resampled_shares, widening
from audit_pipeline.privacy.scored import Scored, scored
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import ExposureChange, Signal
from audit_pipeline.statistics.design_effect import effective_pairs
from audit_pipeline.statistics.intervals import exact_interval
from audit_pipeline.statistics.tally import PairedTally, tally

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]

METHOD = "paired bootstrap (Rubin 1981)"
_MODELS: tuple[Literal["float"], Literal["device"]] = ("float", "device")
_GAINED, _LOST = 1, 2


def exposure_changes(
    tables: Mapping[tuple[Literal["float", "device"], Signal], ShadowTable],
    specs: Sequence[str],
    fpr: float,
    level: float,
    seed: int,
) -> tuple[ExposureChange, ...]:
    """Compare the float model with the device in every group of every spec, by every signal that both have.

    Args:
        tables: by model and signal; those of one signal are on the same rows.
        specs: group specs, `overall` among them if it is wanted.
        fpr: false-positive rate at which each attack's threshold is fixed.
        level: two-sided confidence level.
        seed: of the resampling.
    """
    signals: list[Signal] = [signal for model, signal in tables if model == "device" and ("float", signal) in tables]
    changes: list[ExposureChange] = []
    for signal in signals:
        table = tables["device", signal]
        before, after = (scored([tables[model, signal]], ATTACK) for model in _MODELS)
        for group, rows in table.groups_of(specs):
            members = rows & table.member
            hits = [_flagged(found, rows, fpr)[members] for found in (before, after)]
            pair = Paired(hits[0], hits[1], None if table.people is None else table.people[members])
            changes.append(pair.change(group, signal, fpr, level, seed))
    return tuple(changes)


def _flagged(found: Scored, rows: Mask, fpr: float) -> Mask:
    """[n] whether the attack, with the group's threshold, takes a row for a member."""
    return np.asarray(found.target > group_threshold(found, rows, fpr))


@dataclass(frozen=True, eq=False)
class Paired:
    """The members of one group and whether each was recognised, before and after."""

    before: Mask
    """[rows]"""
    after: Mask
    """[rows]"""
    people: Counts | None
    """[rows] number of each row's person; None where nobody is named."""

    def change(self, group: GroupKey, signal: Signal, fpr: float, level: float, seed: int) -> ExposureChange:
        """The part that evidence holds; the two rates have exact intervals, their difference one by resampling."""
        return ExposureChange(
            group=group,
            attack=ATTACK,
            signal=signal,
            unit="rows",
            fpr_target=fpr,
            before=self._rate(self.before, level),
            after=self._rate(self.after, level),
            change=self.difference(level, seed),
        )

    def difference(self, level: float, seed: int) -> Measurement:
        """Share recognised after less that before."""
        if reason := self._too_small:
            return self._silent(reason)
        drawn = resampled_shares(self._counts[None], self._design(level), np.random.default_rng(seed))[:, 0]
        value = float(self.after.mean() - self.before.mean())
        apart = widening(self._subjects, level) * (drawn[:, _GAINED] - drawn[:, _LOST] - value)
        low, high = (float(end) for end in value + np.quantile(apart, [(1 - level) / 2, (1 + level) / 2]))
        interval = Interval(low=max(min(low, value), -1.0), high=min(max(high, value), 1.0), level=level, method=METHOD)
        return Measured(estimate=value, interval=interval, rows=len(self.before), subjects=self._subjects)

    def _rate(self, hit: Mask, level: float) -> Measurement:
        if reason := self._too_small:
            return self._silent(reason)
        counted = tally(hit, self._owner, self.people is not None)
        interval = exact_interval(counted, level)
        return Measured(estimate=counted.proportion, interval=interval, rows=counted.total, subjects=counted.subjects)

    @property
    def _counts(self) -> Counts:
        """[people, outcomes] rows never recognised, gained, lost, and recognised both times."""
        number = int(self._owner.max(initial=0)) + 1
        outcome = 2 * self.before + self.after
        return np.stack([np.bincount(self._owner[outcome == place], minlength=number) for place in range(4)], axis=1)

    def _design(self, level: float) -> NDArray[np.float64] | None:
        """[1] rows that are worth one independent row; None where all are."""
        if self.people is None:
            return None
        counts = self._counts
        paired = PairedTally(worse=counts[:, _GAINED], better=counts[:, _LOST], rows=counts.sum(axis=1), named=True)
        return np.asarray([paired.total / effective_pairs(paired, level)])

    @cached_property
    def _owner(self) -> Counts:
        """[rows] people numbered without holes."""
        if self.people is None:
            return np.zeros(len(self.before), dtype=np.int64)
        return np.unique(self.people, return_inverse=True)[1].astype(np.int64)

    @property
    def _subjects(self) -> int | None:
        return None if self.people is None else len(np.unique(self.people))

    @property
    def _too_small(self) -> str | None:
        if len(self.before) < FEWEST:
            return f"{len(self.before)} rows that were trained on are too few: {FEWEST} are needed"
        if self._subjects is not None and self._subjects < FEWEST_PEOPLE:
            return f"{self._subjects} people that were trained on are too few: {FEWEST_PEOPLE} are needed"
        return None

    def _silent(self, reason: str) -> NotMeasurable:
        return NotMeasurable(reason=reason, rows=len(self.before), subjects=self._subjects)
