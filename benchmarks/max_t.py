"""Holm against three bootstraps of the largest statistic: the tables of docs/adr/0009-one-family.md.

A policy of 30 questions: 15 groups (overall, sex, age, sex × age) of two metrics, the second over half the rows of the
first. Share of samples with any rejection at a one-sided 2.5 %, 400 samples a cell, 999 replicates. It decides nothing
and holds no bar: `python -m benchmarks.max_t` prints it.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than
from audit_pipeline.statistics.tally import Counts, PairedTally

_SAMPLES = 400
_REPLICATES = 999
_ALPHA = 0.025

Matrix = NDArray[np.float64]
Changes = tuple[Counts, Counts, Counts]
"""[people] worse, better, rows of one metric."""


def main() -> None:
    """Print the share of rejections of every cell; the seed is fixed."""
    rng = np.random.default_rng(20240603)
    alike = tuple(product((8, 20, 40), (20, 200), (0.04,), (0.04,), ((0.05, 0.05), (0.3, 0.3)), (0.0,)))
    few_gain = tuple(product((8, 20, 40), (20, 200), (0.04,), (0.04,), ((0.0, 0.3), (0.0, 0.6)), (0.0,)))
    at_limit = tuple(product((20, 40), (200,), (0.06,), (0.01,), ((0.0, 0.5),), (0.05,)))
    dropped = tuple(product((20, 40), (100,), (0.06, 0.11), (0.01,), ((0.05, 0.05), (0.3, 0.3)), (0.0,)))
    for what, cells in (
        ("no drop", alike),
        ("no drop, few gain much", few_gain),
        ("drop at the limit, few gain much", at_limit),
        ("a drop", dropped),
    ):
        print(f"{what}: people, rows, worse, better, correlations, limit → Holm, multiplier, multinomial, sign flips")
        for cell in cells:
            rejected = np.mean([_rejects(*cell, rng) for _ in range(_SAMPLES)], axis=0)
            print(*cell, "→", *(f"{share:.3f}" for share in rejected))


def _rejects(
    people: int,
    rows: int,
    worse: float,
    better: float,
    correlations: tuple[float, float],
    limit: float,
    rng: np.random.Generator,
) -> tuple[bool, bool, bool, bool]:
    """Whether each method calls any of the 30 worse than its limit, in one sample."""
    metrics = _draw(people, rows, worse, better, correlations, rng)
    groups = _groups(people)
    columns = list(product(metrics, groups))
    p_values = [
        p_worse_than(PairedShare(PairedTally(lost[who], gained[who], total[who], named=True)), limit)
        for (lost, gained, total), who in columns
    ]
    sums = np.array([(lost - gained) * who for (lost, gained, _), who in columns], dtype=np.float64).T
    sizes = np.array([total * who for (_, _, total), who in columns], dtype=np.float64).T
    return (
        bool(holm(p_values).min() <= _ALPHA),
        _multiplier(sums, sizes, limit, rng),
        _multinomial(sums, sizes, limit, rng),
        _sign_flips(sums - limit * sizes, rng),
    )


def _draw(
    people: int, rows: int, worse: float, better: float, correlations: tuple[float, float], rng: np.random.Generator
) -> tuple[Changes, Changes]:
    """Two halves of each person's rows, with the same rates: the first metric has both, the second has one."""
    rates = _rates(people, worse, correlations[0], rng), _rates(people, better / (1 - worse), correlations[1], rng)
    half = np.full(people, rows // 2)
    lost = [rng.binomial(half, rates[0]) for _ in range(2)]
    gained = [rng.binomial(half - each, rates[1]) for each in lost]
    return (lost[0] + lost[1], gained[0] + gained[1], 2 * half), (lost[0], gained[0], half)


def _rates(people: int, mean: float, correlation: float, rng: np.random.Generator) -> Matrix:
    if correlation == 0:
        return np.full(people, mean)
    weight = 1 / correlation - 1
    return rng.beta(mean * weight, (1 - mean) * weight, people)


def _groups(people: int) -> list[NDArray[np.bool_]]:
    number = np.arange(people)
    sexes = [number % 2 == sex for sex in range(2)]
    ages = [number // 2 % 4 == age for age in range(4)]
    return [number >= 0, *sexes, *ages, *(sex & age for sex, age in product(sexes, ages))]


def _studentised(sums: Matrix, sizes: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """[columns] mean, its cluster-robust standard error, 0 with one person, and [people, columns] influences."""
    total, people = sizes.sum(axis=0), (sizes > 0).sum(axis=0)
    mean = sums.sum(axis=0) / total
    influence = (sums - mean * sizes) / total * np.sqrt(people / np.maximum(people - 1, 1))
    error = np.sqrt(np.square(influence).sum(axis=0))
    return mean, np.where((people > 1) & (error > 1e-12), error, 0), influence


def _largest_exceeds(observed: Matrix, replicates: Matrix, usable: NDArray[np.bool_]) -> bool:
    """Whether any column's single-step max-T p-value, (b + 1) / (R + 1), is at most α."""
    if not usable.any():
        return False
    most, top = replicates[:, usable].max(axis=1), observed[usable].max()
    return bool((np.count_nonzero(most >= top - 1e-9) + 1) / (len(most) + 1) <= _ALPHA)


def _multiplier(sums: Matrix, sizes: Matrix, limit: float, rng: np.random.Generator) -> bool:
    """Normal multipliers on the influences (Chernozhukov, Chetverikov & Kato 2013)."""
    mean, error, influence = _studentised(sums, sizes)
    usable, error = error > 0, np.where(error > 0, error, 1)
    replicates = rng.standard_normal((_REPLICATES, len(sums))) @ influence / error
    return _largest_exceeds((mean - limit) / error, replicates, usable)


def _multinomial(sums: Matrix, sizes: Matrix, limit: float, rng: np.random.Generator) -> bool:
    """People drawn with replacement, each replicate with its own standard error; none where no person was drawn."""
    mean, error, _ = _studentised(sums, sizes)
    usable, error = error > 0, np.where(error > 0, error, 1)
    weight = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), _REPLICATES).astype(np.float64)
    total, people = np.maximum(weight @ sizes, 1), weight @ (sizes > 0)
    again = weight @ sums / total
    squares = weight @ sums**2 - 2 * again * (weight @ (sums * sizes)) + again**2 * (weight @ sizes**2)
    spread = np.sqrt(np.maximum(squares, 0) * np.where(people > 1, people / np.maximum(people - 1, 1), 0)) / total
    drawn = spread > 1e-12
    replicates = np.where(drawn, (again - mean) / np.where(drawn, spread, 1), 0)
    return _largest_exceeds((mean - limit) / error, replicates, usable)


def _sign_flips(beyond: Matrix, rng: np.random.Generator) -> bool:
    """Signs of each person's sum beyond the limit, flipped: the wild bootstrap with the null imposed."""
    scale = np.sqrt(np.square(beyond).sum(axis=0))
    usable, scale = scale > 0, np.where(scale > 0, scale, 1)
    replicates = rng.choice((-1.0, 1.0), (_REPLICATES, len(beyond))) @ beyond / scale
    return _largest_exceeds(beyond.sum(axis=0) / scale, replicates, usable)


if __name__ == "__main__":
    main()
