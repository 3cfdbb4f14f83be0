"""Differences between groups, honest after looking at every pair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from audit_pipeline.measurement import GroupKey, Interval, Measured
from audit_pipeline.statistics.design_effect import effective_rows
from audit_pipeline.statistics.intervals import named_method, wilson
from audit_pipeline.statistics.tally import Tally


@dataclass(frozen=True)
class Gap:
    """One group's proportion minus that of a group where it is lower or the same."""

    higher: GroupKey
    lower: GroupKey
    measured: Measured
    interval: Interval
    """The one in `measured`; differences below zero mean that the order may be the other way round."""

    @property
    def reach(self) -> float:
        """The largest difference, either way round, that the interval does not rule out."""
        return max(self.interval.high, -self.interval.low)


def newcombe(first: float, first_rows: float, second: float, second_rows: float, level: float) -> tuple[float, float]:
    """Hybrid score interval of Newcombe (1998), Stat. Med. 17:873, method 10, for first − second."""
    first_low, first_high = wilson(first, first_rows, level)
    second_low, second_high = wilson(second, second_rows, level)
    below = math.hypot(first - first_low, second_high - second)
    above = math.hypot(first_high - first, second - second_low)
    return first - second - below, first - second + above


def gaps(groups: Sequence[tuple[GroupKey, Tally]], level: float) -> list[Gap]:
    """Every pair's difference, with intervals that hold together at `level` (Bonferroni over the pairs).

    max − min over groups is never negative, so it cannot be judged as if it were one difference that was fixed before
    the data were seen; each pair at level 1 − (1 − level) / pairs can. Groups are taken as independent: a person
    belongs to one of them.
    """
    pairs = max(len(groups) * (len(groups) - 1) // 2, 1)
    each = 1 - (1 - level) / pairs
    ordered = sorted(groups, key=lambda group: -group[1].proportion)
    effective = {key: effective_rows(tally, each) for key, tally in ordered}
    found = []
    for (higher, first), (lower, second) in combinations(ordered, 2):
        low, high = newcombe(first.proportion, effective[higher], second.proportion, effective[lower], each)
        method = named_method(f"Newcombe 1998 hybrid score, Bonferroni over {pairs}", first.named)
        interval = Interval(low=low, high=high, level=level, method=method)
        value = Measured(
            estimate=first.proportion - second.proportion,
            interval=interval,
            rows=first.total + second.total,
            subjects=None if first.subjects is None or second.subjects is None else first.subjects + second.subjects,
        )
        found.append(Gap(higher, lower, value, interval))
    return found
