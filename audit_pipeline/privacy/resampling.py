"""Resampling of people: what shares other people would have given, also where hardly anything was seen.

Efron's bootstrap of a share of which no case was seen never sees one, and calls it certain. The bootstrap of Rubin
(1981), Ann. Stat. 9:130, gives everybody a weight from an exponential distribution instead of a whole number of copies;
beside those who were seen it has room for those who were not, half an effective row of every outcome. For independent
rows this is Jeffreys' distribution of a share, Beta(hits + ½, misses + ½).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from audit_pipeline.statistics.estimate import z_of

Counts = NDArray[np.int64]
Shares = NDArray[np.float64]

REPLICATES = 4000
_UNSEEN = 0.5
"""Effective rows of each outcome that nobody who was seen stands for."""
_MOST_WEIGHTS = 1 << 22
"""Weights of people held at a time (32 MiB)."""


def resampled_shares(counts: Counts, design: Shares | None, rng: np.random.Generator) -> Shares:
    """What share each outcome would have among other people.

    A person has the same weight in every group, so groups that share people move together.

    Args:
        counts: [groups, people, outcomes] rows; where nobody is named, all rows as those of one person.
        design: [groups] rows that are worth one independent row; None where nobody is named, and every row is.
        rng: source of the weights.

    Returns:
        [replicates, groups, outcomes] shares that add up to 1 in each group.
    """
    if design is None:
        weights = rng.standard_gamma(counts.sum(axis=1) + _UNSEEN, size=(REPLICATES, counts.shape[0], counts.shape[2]))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
    return np.concatenate([_of_people(counts, design, part, rng) for part in _parts(counts.shape[1])])


def widening(people: int | None, level: float) -> float:
    """By how much resampled values lie too close to each other, for an interval of a two-sided level.

    Among m people weights vary by a factor (m − 1)/(m + 1) less than people do, and their spread is itself an estimate:
    Student's t in place of z (Hesterberg 2015, Am. Stat. 69:371, on the narrowness bias). 1 for independent rows.
    """
    if people is None:
        return 1.0
    if people < 2:
        return math.inf
    t = float(stdtrit(people - 1, (1 + level) / 2))
    return math.sqrt((people + 1) / (people - 1)) * t / z_of(level)


def _of_people(counts: Counts, design: Shares, replicates: int, rng: np.random.Generator) -> Shares:
    groups, people, outcomes = counts.shape
    weights = rng.standard_exponential((replicates, people))
    seen = (weights @ counts.transpose(1, 0, 2).reshape(people, -1)).reshape(replicates, groups, outcomes)
    seen += rng.standard_gamma(_UNSEEN, size=(replicates, groups, outcomes)) * design[:, None]
    return np.asarray(seen / seen.sum(axis=-1, keepdims=True))


def _parts(people: int) -> Iterator[int]:
    most = max(_MOST_WEIGHTS // max(people, 1), 1)
    return (min(most, REPLICATES - start) for start in range(0, REPLICATES, most))
