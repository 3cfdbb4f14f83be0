"""Did anything change between two models? Randomisation tests that flip the sign of what happened to each person.

If compression did nothing systematic to anybody, then whatever changed in one person was as likely to have gone the
other way round, all of that person's rows together (Fisher 1935, §21). That null is about every person, so the test
stays exact with few people, with rows that resemble each other, and with people who differ.

Where nobody is named every changed row would be flipped for itself: for one column that is McNemar's exact test
(`mcnemar.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def sign_flips(changes: Matrix, *, seed: int, replicates: int) -> SignFlips:
    """Flip every person's signs in all columns together: step-down max-T of Westfall & Young (1993), algorithm 4.1.

    A column's statistic is the absolute sum of its changes over the root of their sum of squares, which no flip
    alters. Drawn p-values count the data as one of the draws, (b + 1) / (R + 1), so they are valid at any number of
    draws (Phipson & Smyth 2010).

    Args:
        changes: [people, columns] sum over the person's rows of what got worse in each column, such as a group and a
            metric.
        seed: of the drawn signs.
        replicates: how many are drawn where there are more than 2^16 sign patterns.

    Returns:
        raw and adjusted p-values; 1 for a column in which nothing changed.
    """
    moved = changes[np.any(changes != 0, axis=1)]
    scale = np.sqrt(np.square(moved).sum(axis=0))
    seen = np.flatnonzero(scale)
    moved, scale = moved[:, seen], scale[seen]
    observed = np.abs(moved.sum(axis=0)) / scale
    order = np.argsort(-observed, kind="stable")
    exact = len(moved) <= _ENUMERATED
    at_once = max(_BATCH // max(*moved.shape, 1), 1)
    signs = _every_sign(len(moved), at_once) if exact else _drawn_signs(len(moved), at_once, replicates, seed)
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


def _every_sign(people: int, at_once: int) -> Iterator[Matrix]:
    """[patterns, people] signs, one half of all patterns, as the other is its mirror."""
    patterns = 2 ** max(people - 1, 0)
    for start in range(0, patterns, at_once):
        codes = np.arange(start, min(start + at_once, patterns))[:, None]
        yield (1 - 2 * (codes >> np.arange(people) & 1)).astype(np.float64)


def _drawn_signs(people: int, at_once: int, replicates: int, seed: int) -> Iterator[Matrix]:
    """[patterns, people] random signs."""
    rng = np.random.default_rng(seed)
    for start in range(0, replicates, at_once):
        some = min(at_once, replicates - start)
        yield (2 * rng.binomial(1, 0.5, (some, people)) - 1).astype(np.float64)
