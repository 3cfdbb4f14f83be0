"""The receiver operating characteristic of an attack, counted over the scores that occur.

Quantized outputs are full of ties. Rows of one score fall on one side of a threshold together; a curve that takes them
one after the other, or draws lines between, reports what no threshold can do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from audit_pipeline.measurement import Interval
from audit_pipeline.statistics.estimate import z_of
from audit_pipeline.statistics.intervals import named_method, share_interval
from audit_pipeline.statistics.tally import Counts

Scores = NDArray[np.float64]

_AUC_METHOD = "DeLong, DeLong & Clarke-Pearson 1988, by beta distributions"


@dataclass(frozen=True)
class Threshold:
    """Where an attack takes a row for a member: above `score`, and at it by a coin."""

    score: float
    fpr: float
    """Attained on the non-members it was set on; the largest that is not above the target."""
    coin: float
    """Chance of taking a row of just this score that brings their rate to the target (Neyman & Pearson)."""

    def share_with_coin(self, scores: Scores) -> float:
        """Share of rows that are taken when the coin is thrown for those that tie; there must be a row."""
        return float((scores > self.score).mean() + self.coin * (scores == self.score).mean())


def threshold(nonmembers: Scores, fpr: float) -> Threshold:
    """The lowest seen score that at most a share `fpr` of the non-members exceed.

    Args:
        nonmembers: [n] their scores; at least one.
        fpr: above 0 and below 1.
    """
    allowed = math.floor(fpr * len(nonmembers) + 1e-9)
    score = float(np.partition(nonmembers, len(nonmembers) - 1 - allowed)[len(nonmembers) - 1 - allowed])
    attained = float((nonmembers > score).mean())
    coin = min(max(fpr - attained, 0.0) / float((nonmembers == score).mean()), 1.0)
    return Threshold(score, attained, coin)


def area_under_curve(members: Scores, nonmembers: Scores) -> float | None:
    """Chance that a member scores above a non-member, ties counting half (mid-ranks, Mann & Whitney 1947).

    None where there is nobody on one side.
    """
    if not len(members) or not len(nonmembers):
        return None
    below, up_to = _ranks(members, nonmembers)
    return float((below.sum() + up_to.sum()) / (2 * len(members) * len(nonmembers)))


def auc_interval(
    members: Scores, nonmembers: Scores, people: tuple[Counts, Counts] | None, level: float
) -> Interval | None:
    """Interval of the area under the curve; None where one side has fewer than two rows, or people where named.

    The variance is that of the mean of each row's placement among the other side (DeLong, DeLong & Clarke-Pearson
    1988, Biometrics 44:837), with the rows of one person taken together (Obuchowski 1997, Biometrics 53:567), and
    widened as Student's t of the side with fewer people is.

    Args:
        members: [m] scores.
        nonmembers: [n] scores.
        people: [m] and [n] number of each row's person; nobody is on both sides. None where they are not named.
        level: two-sided.
    """
    sides = ((members, nonmembers), (nonmembers, members))
    units = [np.arange(len(own)) if people is None else people[side] for side, (own, _) in enumerate(sides)]
    fewest = min(len(np.unique(codes)) for codes in units)
    auc = area_under_curve(members, nonmembers)
    if auc is None or fewest < 2:
        return None
    variance = sum(_placement_variance(own, other, codes) for (own, other), codes in zip(sides, units, strict=True))
    wider = (-float(stdtrit(fewest - 1, (1 - level) / 2)) / z_of(level)) ** 2
    low, high = share_interval(auc, min(variance * wider, auc * (1 - auc)), 1 / fewest, level)
    return Interval(low=low, high=high, level=level, method=named_method(_AUC_METHOD, people is not None))


def _placement_variance(own: Scores, other: Scores, people: Counts) -> float:
    """What one side contributes to the variance of the area: of the sums of its people's placements."""
    below, up_to = _ranks(own, other)
    placement = (below + up_to) / (2 * len(other))
    sums = np.bincount(people, weights=placement - placement.mean())
    number = len(np.unique(people))
    return float(number / (number - 1) * np.square(sums).sum() / len(own) ** 2)


def _ranks(scores: Scores, others: Scores) -> tuple[Counts, Counts]:
    """[n] how many of the others are below each score, and how many are not above it."""
    ordered = np.sort(others)
    return np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
