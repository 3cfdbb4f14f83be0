"""Did anything change between two models? Randomisation tests that flip the sign of what happened to each person.

If compression did nothing systematic to anybody, then whatever changed in one person was as likely to have gone the
other way round, all of that person's rows together (Fisher 1935, §21). That null is about every person, so the test
stays exact with few people, with rows that resemble each other, and with people who differ.

Without names every changed row is flipped for itself; for one column this is McNemar's exact test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.statistics.tally import Counts

Matrix = NDArray[np.float64]

_ENUMERATED = 16
"""Up to this many flips all sign patterns are tried."""
_BATCH = 4_000_000
"""Numbers held at once, which bounds memory at some 100 MB."""
_TIE = 1 - 1e-10
"""Statistics this close count as equal: sums of fractions may differ in their last digit."""


@dataclass(frozen=True)
class SignFlips:
    """p-values of "nothing changed in any person", for many columns at once."""

    raw: Matrix
    """[columns] two-sided p-value of each column alone."""
    adjusted: Matrix
    """[columns] step-down adjusted: the chance that any unchanged column falls to α or below is at most α."""
    exact: bool
    """Whether all sign patterns were tried rather than some drawn."""


def sign_flips(
    changes: NDArray[np.int64] | Matrix, repeats: Counts | None = None, *, seed: int, replicates: int = 9999
) -> SignFlips:
    """Flip every unit's signs in all columns together: step-down max-T of Westfall & Young (1993), algorithm 4.1.

    A column's statistic is the absolute sum of its changes over the root of their sum of squares, which no flip
    alters. Drawn p-values count the data as one of the draws, (b + 1) / (R + 1), so they are valid at any number of
    draws (Phipson & Smyth 2010).

    Args:
        changes: [units, columns] worsening of each unit in each column, such as a group and a metric: the sum over a
            person's rows, or the pattern −1, 0, 1 of one row where nobody is named.
        repeats: [units] how many independent rows show the same pattern; without it each unit stands for itself.
        seed: of the drawn signs.
        replicates: how many are drawn where there are more than 2^16 sign patterns.

    Returns:
        raw and adjusted p-values; 1 for a column in which nothing changed.
    """
    moved = np.asarray(changes, dtype=np.float64)
    times = np.ones(len(moved), dtype=np.int64) if repeats is None else repeats
    of_interest = np.any(moved != 0, axis=1) & (times > 0)
    moved, times = moved[of_interest], times[of_interest]
    scale = np.sqrt(times @ np.square(moved))
    seen = np.flatnonzero(scale)
    moved, scale = moved[:, seen], scale[seen]
    observed = np.abs(times @ moved) / scale
    order = np.argsort(-observed, kind="stable")
    exact = int(times.sum()) <= _ENUMERATED
    at_once = max(_BATCH // max(*moved.shape, 1), 1)
    signs = _every_sign(times, at_once) if exact else _drawn_signs(times, at_once, replicates, seed)
    raw, stepped, tried = np.zeros(len(seen)), np.zeros(len(seen)), 0
    for batch in signs:
        flipped = (np.abs(batch @ moved) / scale)[:, order]
        reach = observed[order] * _TIE
        raw += (flipped >= reach).sum(axis=0)
        stepped += (np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1] >= reach).sum(axis=0)
        tried += len(batch)
    itself = 0 if exact else 1
    return SignFlips(
        raw=_placed(changes.shape[1], seen[order], (raw + itself) / (tried + itself)),
        adjusted=_placed(changes.shape[1], seen[order], np.maximum.accumulate((stepped + itself) / (tried + itself))),
        exact=exact,
    )


def _placed(columns: int, where: NDArray[np.intp], p_values: Matrix) -> Matrix:
    everywhere = np.ones(columns)
    everywhere[where] = p_values
    return everywhere


def _every_sign(times: Counts, at_once: int) -> Iterator[Matrix]:
    """All sums of signs of each unit's repeats, [patterns, units]; one half of them, as the other is its mirror."""
    rows = int(times.sum())
    unit = np.repeat(np.arange(len(times)), times)
    patterns = 2 ** max(rows - 1, 0)
    for start in range(0, patterns, at_once):
        codes = np.arange(start, min(start + at_once, patterns))[:, None]
        yield (1.0 - 2.0 * (codes >> np.arange(rows) & 1)) @ (unit[:, None] == np.arange(len(times)))


def _drawn_signs(times: Counts, at_once: int, replicates: int, seed: int) -> Iterator[Matrix]:
    """Sums of random signs: of m repeats 2·Bin(m, ½) − m, so that a million rows cost as many draws as patterns."""
    rng = np.random.default_rng(seed)
    for start in range(0, replicates, at_once):
        some = min(at_once, replicates - start)
        yield (2 * rng.binomial(times, 0.5, (some, len(times))) - times).astype(np.float64)


def p_worse(changes: Counts) -> float:
    """One-sided p-value of "each person's change was as likely the other way round", exact for any number of people.

    The sum of the positive flips is built up person by person: its distribution is the product of (1 + x^|change|) / 2.

    Args:
        changes: [people] rows that got worse less rows that got better.
    """
    sizes = np.abs(changes[changes != 0])
    if len(sizes) == 0:
        return 1.0
    sizes = np.sort(sizes // np.gcd.reduce(sizes))
    probability = np.zeros(int(sizes.sum()) + 1)
    probability[0], reached = 1.0, 0
    for size in sizes.tolist():
        probability[: reached + size + 1] *= 0.5
        probability[size : reached + size + 1] += probability[: reached + 1].copy()
        reached += size
    positive = int(changes[changes > 0].sum()) // int(np.gcd.reduce(np.abs(changes)))
    return min(float(probability[positive:].sum()), 1.0)


def p_changed(changes: Counts) -> float:
    """Two-sided p-value of the same: twice the smaller tail, at most 1."""
    return min(2 * min(p_worse(changes), p_worse(-changes)), 1.0)
