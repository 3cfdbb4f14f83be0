"""How much worse a share became between two models on the same rows, by the score interval of Tango (1998)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, ndtr

from audit_pipeline.statistics import mcnemar
from audit_pipeline.statistics.design_effect import CHANGE_CORRELATION, DesignEffect, change_effect
from audit_pipeline.statistics.estimate import z_of
from audit_pipeline.statistics.intervals import named_method
from audit_pipeline.statistics.tally import PairedTally


@dataclass(frozen=True)
class PairedShare:
    """Rows that only the first model got right less those that only the second did, as a share of all rows."""

    tally: PairedTally
    """At least one row."""
    correlation: float = CHANGE_CORRELATION
    """Correlation of changes within a person that is assumed where too little was seen to estimate it."""

    @property
    def value(self) -> float:
        """Worsening, −1 to 1: positive where the second model is worse."""
        return self.tally.difference

    @property
    def shares(self) -> tuple[float, float]:
        """Share of rows that got worse, and of rows that got better."""
        return int(self.tally.worse.sum()) / self.rows, int(self.tally.better.sum()) / self.rows

    @property
    def rows(self) -> int:
        """Rows that both models judged."""
        return self.tally.total

    @property
    def subjects(self) -> int | None:
        """People behind those rows; None where they were not named."""
        return self.tally.subjects

    @property
    def method(self) -> str:
        """How the interval is made."""
        return named_method("Tango 1998, paired score", self.tally.named)

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval at a level between 0 and 1.

        Tango's interval on the effective number of rows. Over people it is cut to what the rows that got worse, and
        those that got better, say alone: the worsening is at most the share of rows that got worse, so improvements in
        a few people, which make the effective number small, cannot make harm more likely than no change at all would.
        """
        low, high = self._score_bounds(level)
        if self.tally.named:
            low = max(low, self._gains._score_bounds(level)[0])
            high = min(high, self._losses._score_bounds(level)[1])
        return low, high

    def _score_bounds(self, level: float) -> tuple[float, float]:
        worse, better = self.shares
        return tango(worse, better, self.rows / self.effect.at(level), z_of(level))

    @cached_property
    def effect(self) -> DesignEffect:
        """By how much people widen the interval."""
        return change_effect(self.tally, self.correlation)

    @cached_property
    def _losses(self) -> PairedShare:
        return replace(self, tally=replace(self.tally, better=np.zeros_like(self.tally.better)))

    @cached_property
    def _gains(self) -> PairedShare:
        return replace(self, tally=replace(self.tally, worse=np.zeros_like(self.tally.worse)))


def tango(worse: float, better: float, rows: float, z: float) -> tuple[float, float]:
    """Score interval of Tango (1998), Stat. Med. 17:891, for worse − better.

    Only rows on which the models disagree carry information, and the interval stays honest where there are none.

    Args:
        worse: share of rows that only the first model got right.
        better: share of rows that only the second did.
        rows: their (effective) number, any real number above 0.
        z: standard normal deviate of the interval, above 0.
    """
    spread = z * z / rows
    return -_upper(better, worse, spread), _upper(worse, better, spread)


def _upper(worse: float, better: float, spread: float) -> float:
    """Where (δ − difference)² = spread · variance(δ), above the difference.

    The variance is zero at the difference itself where no row changed, or every row did the same way: there the root
    is written out. Without improvements it is Wilson's.
    """
    if better == 0:
        half = math.sqrt(spread * worse * (1 - worse) + spread * spread / 4)
        return max(worse, min((worse + spread / 2 + half) / (1 + spread), 1.0))
    if better == 1:
        return (spread - 1) / (spread + 1)
    difference = worse - better

    def clearance(delta: float) -> float:
        return delta - difference - math.sqrt(spread * score_variance(worse, better, delta))

    return float(brentq(clearance, difference, 1.0, xtol=1e-13))


def score_variance(worse: float, better: float, delta: float) -> float:
    """Variance of one row's change where the true worsening is `delta`, the other parameter at its likeliest value.

    That is equation 3.1 of Tango (1998) divided by the rows, written so that neither sign of `delta` cancels digits.
    """
    if delta < 0:
        worse, better, delta = better, worse, -delta
    slope = (2 - worse + better) * delta - worse - better
    root = math.sqrt(slope * slope + 8 * better * delta * (1 - delta))
    only_better = 2 * better * delta * (1 - delta) / (root + slope) if slope > 0 else (root - slope) / 4
    return 2 * only_better + delta * (1 - delta)


def p_worse_than(change: PairedShare, limit: float) -> float:
    """One-sided p-value of "the true worsening is at most `limit`", with limits from 0 on.

    It inverts Tango's score, like `estimate.p_above`, but is never below two exact p-values, since the normal tail of
    the score is too light where few independent rows changed: that of McNemar, as a worsening above the limit is one
    above zero, and the binomial one of the rows that got worse, which are a share at least as large as the worsening.
    """
    if limit < 0:
        raise ValueError(f"a limit of a worsening is never negative: {limit}")
    if change.value <= limit:
        return 1.0
    by_score = _score_p(change, limit)
    if change.tally.named:
        return by_score
    worse, better = int(change.tally.worse.sum()), int(change.tally.better.sum())
    return max(by_score, mcnemar.p_worse(worse, better), float(betainc(worse, change.rows - worse + 1, limit)))


def _score_p(change: PairedShare, limit: float) -> float:
    """The tail at which the lower end touches the limit, averaged over what is believed of the design effect."""
    score = (change.value - limit) * math.sqrt(change.rows / score_variance(*change.shares, limit))
    return float(change.effect.beliefs @ ndtr(-score / np.sqrt(change.effect.factors)))
