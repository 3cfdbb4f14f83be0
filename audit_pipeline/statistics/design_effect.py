"""How many independent rows the rows of a few people are worth.

Rows of one person resemble each other, so n rows of m people say less than n rows of n people. The design effect is
the factor by which the variance grows, 1 + (n̄ − 1)ρ for a correlation ρ within a person and n̄ = Σn²/Σn (Kish 1965);
n divided by it is the effective number of rows, which then takes the place of n in an interval made for independent
rows (Korn & Graubard 1998).

Nobody knows ρ. So every ρ from 0 to 1 is believed to some degree: beforehand by a beta distribution with the assumed
mean, afterwards also by how well it explains the differences between people. That evidence counts only as far as many
people show the variation: where all are right, or all errors are one person's, the belief stays where it was. An
interval's error probability is the average over the beliefs, which widens it as Student's t widens one of normal data.
The simulation behind the choices here is in docs/adr/0008-intervals-by-simulation.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, expit, ndtr

from audit_pipeline.statistics.estimate import z_of
from audit_pipeline.statistics.tally import Counts, PairedTally, Tally

Floats = NDArray[np.float64]

OUTCOME_CORRELATION = 0.45
"""Mean of the correlations believed in beforehand, for hits and misses of a model: nearly every ρ is as likely as any
other."""

CHANGE_CORRELATION = 0.08
"""The same for changes between two models on one row. Few rows change, and those that do lie at class borders: at most
0.1 was seen on MIT-BIH for quantized models that changed under 4 % of rows (see docs/statistics.md)."""

_CORRELATIONS: Floats = np.concatenate([[0.0], expit(np.linspace(-14.0, 4.5, 38))])
"""The ρ that are tried: dense near 0, where each further row of a person counts, and never quite 1."""
_BORDERS: Floats = np.concatenate([[0.0], (_CORRELATIONS[1:] + _CORRELATIONS[:-1]) / 2, [1.0]])

_LOOSENESS = 0.1
"""Correlation at which people of many and of few rows are weighed when counting how many show the variation."""


@dataclass(frozen=True)
class Contributions:
    """What each person adds to a mean of row values; leading axes, if any, are separate samples."""

    sums: Floats
    """[..., people] sum of the row values less their mean."""
    squares: Floats
    """[..., people] sum of the squares of the same."""
    rows: Floats
    """[..., people] rows, at least 1."""


@dataclass(frozen=True)
class DesignEffect:
    """Factors by which a variance may grow over that of independent rows, and the belief in each."""

    factors: Floats
    """[..., correlations] rising from 1."""
    beliefs: Floats
    """[..., correlations] adding up to 1."""

    def at(self, level: float) -> float:
        """The one factor whose normal interval of this two-sided level has the tail that the beliefs give on average.

        It grows with the level, as (t/z)² does: the far tail belongs to the larger factors. Leading axes are refused.
        """
        if self.factors[0] == self.factors[-1]:
            return float(self.factors[0])
        z = z_of(level)
        tail = float(ndtr(-z))

        def excess(stretch: float) -> float:
            return float(self.beliefs @ ndtr(self._scaled * (z * stretch))) - tail

        return float(brentq(excess, -(self._scaled[0] ** -1), -(self._scaled[-1] ** -1), xtol=1e-9)) ** 2

    @cached_property
    def _scaled(self) -> Floats:
        return -1 / np.sqrt(self.factors)


INDEPENDENT = DesignEffect(np.ones(1), np.ones(1))
"""Of rows that no person connects."""


def design_effect(people: Contributions, correlation: float) -> DesignEffect:
    """What is known of the design effect after people were seen, with `correlation` as the mean belief beforehand.

    One person says nothing about how people differ, and counts as one row.
    """
    total = people.rows.sum(axis=-1, keepdims=True)
    per_person = np.square(people.rows).sum(axis=-1, keepdims=True) / total
    if people.rows.shape[-1] == 1:
        return DesignEffect(per_person, np.ones_like(per_person))
    variance = people.squares.sum(axis=-1, keepdims=True) / total
    evidence = _weight_of_evidence(people) * _log_likelihood(people, np.where(variance > 0, variance, 1.0))
    beliefs = np.exp(evidence - evidence.max(axis=-1, keepdims=True)) * _beforehand(correlation)
    return DesignEffect(1 + (per_person - 1) * _CORRELATIONS, beliefs / beliefs.sum(axis=-1, keepdims=True))


def effective_rows(tally: Tally, level: float, correlation: float = OUTCOME_CORRELATION) -> float:
    """Effective number of rows behind a proportion at a two-sided confidence level; the tally must not be empty."""
    return tally.total / outcome_effect(tally, correlation).at(level)


def effective_pairs(tally: PairedTally, level: float, correlation: float = CHANGE_CORRELATION) -> float:
    """Effective number of rows behind a paired difference; the tally must not be empty."""
    return tally.total / change_effect(tally, correlation).at(level)


def outcome_effect(tally: Tally, correlation: float = OUTCOME_CORRELATION) -> DesignEffect:
    """Design effect of hits and misses."""
    return _of_values(tally.hits, tally.hits, tally.rows, tally.named, correlation)


def change_effect(tally: PairedTally, correlation: float = CHANGE_CORRELATION) -> DesignEffect:
    """Design effect of changes between two models."""
    return _of_values(tally.worse - tally.better, tally.worse + tally.better, tally.rows, tally.named, correlation)


def _of_values(sums: Counts, events: Counts, rows: Counts, named: bool, correlation: float) -> DesignEffect:
    """Of row values in {−1, 0, 1}, given each person's sum and number of non-zeros."""
    if not named:
        return INDEPENDENT
    mean = float(sums.sum()) / float(rows.sum())
    exposure = rows.astype(np.float64)
    squares = events - 2 * mean * sums + mean**2 * rows
    return design_effect(Contributions(sums - mean * rows, squares, exposure), correlation)


@cache
def _beforehand(correlation: float) -> Floats:
    """Belief in each ρ before anything is seen: Beta(a, b) of that mean with a = √(2 · mean).

    That is uniform for a mean of one half. The smaller the mean, the more belief goes to correlations next to 0, while
    large ones stay possible: Beta(1, b) of a small mean would not learn of them from few people.
    """
    shape = math.sqrt(2 * correlation)
    return np.asarray(np.diff(betainc(shape, shape * (1 / correlation - 1), _BORDERS)))


def _log_likelihood(people: Contributions, variance: Floats) -> Floats:
    """[..., correlations] how well each ρ explains the squares of the people's sums, were those normal.

    A person's sum varies by v = σ²n(1 + (n − 1)ρ), and less the estimated mean, with h = n/Σn, by (1 − 2h)v + h²Σv.
    """
    rows = people.rows[..., np.newaxis]
    share = rows / rows.sum(axis=-2, keepdims=True)
    spread = rows * (1 + (rows - 1) * _CORRELATIONS)
    residual = (1 - 2 * share) * spread + share**2 * spread.sum(axis=-2, keepdims=True)
    squares = np.square(people.sums / np.sqrt(variance))[..., np.newaxis]
    return np.asarray(-0.5 * (np.log(residual) + squares / residual).sum(axis=-2))


def _weight_of_evidence(people: Contributions) -> Floats:
    """[..., 1] how much of a normal likelihood to believe, from 0 to 1: less, the fewer people show the variation.

    Where s of m people show it, 2((s − 1)/m)² at most 1; the square and the 2 come from the simulation. People count
    by Kish's effective number, (Σw)²/Σw², of the squares and of the rows.
    """
    worth = 1 / (1 + (people.rows - 1) * _LOOSENESS)
    showing = _effective_number(people.squares * worth)
    share = np.maximum(showing - 1, 0.0) / _effective_number(people.rows * worth)
    return np.asarray(np.minimum(2 * np.square(share), 1.0))


def _effective_number(weights: Floats) -> Floats:
    """[..., 1] (Σw)² / Σw² (Kish 1965), 0 where all weights are 0."""
    of_squares = np.square(weights).sum(axis=-1, keepdims=True)
    return np.asarray(np.square(weights.sum(axis=-1, keepdims=True)) / np.where(of_squares > 0, of_squares, 1.0))
