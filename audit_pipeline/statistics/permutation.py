"""Is something commoner inside a group than outside? Memberships are dealt out again among the people.

If belonging to a group has nothing to do with what happens to people, then any other choice of as many people could
as well have been the group. The share of those choices that look at least as bad is the p-value (Fisher 1935; Pitman
1937). It is right with few people, with rare events and with rows that resemble each other, where intervals of two
shares are not: a group of one person among m can never come below 1/m.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.statistics.tally import Counts

_DEALS = 9999
_FEWEST_DEALS = 999
_WORK = 50_000_000
"""Deals times people that are worth a wait of seconds; with more people, fewer deals are drawn."""
_BATCH = 4_000_000
"""Numbers held at once, which bounds memory at some 100 MB."""
_TIE = 1e-10
"""Statistics this close count as equal: roots may differ in their last digit."""


def p_more_inside(hits: Counts, rows: Counts, inside: NDArray[np.bool_], *, seed: int) -> NDArray[np.float64]:
    """One-sided p-values of "no more inside than outside", for many groups of the same people at once.

    The statistic is the score of an excess, (hits inside − expected) / √(rows inside · rows outside): the share inside
    against the one outside, with less weight for choices of people who have few rows. The data count as one of the
    deals, (b + 1) / (R + 1), so the p-values are valid at any number of deals (Phipson & Smyth 2010).

    Args:
        hits: [people] rows in which it happened.
        rows: [people] rows in which it could have; every entry at least 1.
        inside: [people, groups] who belongs; in every group somebody does and somebody does not.
        seed: of the deals.

    Returns:
        [groups].
    """
    deals = min(max(_WORK // len(rows), _FEWEST_DEALS), _DEALS)
    membership = inside.astype(np.float64)
    overall, total = int(hits.sum()), int(rows.sum())

    def score(dealt: NDArray[np.int64]) -> NDArray[np.float64]:
        happened, could = hits[dealt] @ membership, rows[dealt] @ membership
        return np.asarray((happened * total - could * overall) / np.sqrt(could * (total - could)))

    observed = score(np.arange(len(rows)))
    reach = observed - _TIE * np.maximum(np.abs(observed), 1)
    as_bad = np.ones(inside.shape[1])
    for dealt in _deals(len(rows), deals, seed):
        as_bad += (score(dealt) >= reach).sum(axis=0)
    return np.asarray(as_bad / (deals + 1))


def _deals(people: int, deals: int, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    at_once = max(_BATCH // people, 1)
    for start in range(0, deals, at_once):
        yield rng.permuted(np.tile(np.arange(people), (min(at_once, deals - start), 1)), axis=1)


def p_more_rows_inside(hits: int, rows: int, overall: int, total: int) -> float:
    """The same where every row stands for itself, over all deals: Fisher's exact test, one-sided.

    Args:
        hits: rows inside in which it happened.
        rows: rows inside.
        overall: rows anywhere in which it happened.
        total: all rows.
    """
    from scipy.stats import hypergeom

    return float(hypergeom.sf(hits - 1, total, overall, rows))
