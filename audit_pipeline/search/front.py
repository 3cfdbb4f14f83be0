"""Which trials are worth going on with: fronts of what no other trial beats in size and in fairness at once.

Deb, Pratap, Agarwal & Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", sections III-A
(sorting) and III-B (crowding distance).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]
"""[trials, objectives], the less the better."""


def fronts(costs: Costs) -> list[NDArray[np.int64]]:
    """Sort trials by how many layers of better ones lie before them.

    Returns:
        Place of each trial, by front, the undominated first; ascending within a front. Equal trials share a front.
    """
    less = (costs[:, None] <= costs[None]).all(axis=2) & (costs[:, None] < costs[None]).any(axis=2)
    left = np.ones(len(costs), dtype=bool)
    found = []
    while left.any():
        front = left & ~(less & left[:, None]).any(axis=0)
        found.append(np.flatnonzero(front))
        left &= ~front
    return found


def crowding(costs: Costs) -> NDArray[np.float64]:
    """Room that each trial of one front has to itself: the ends have no end of it."""
    room = np.zeros(len(costs))
    for column in costs.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        room[order[[0, -1]]] = np.inf
        if span > 0:
            room[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return room


def best(costs: Costs, many: int) -> list[int]:
    """Whole fronts as long as there is room; of the one that does not fit, those with most room to themselves.

    Returns:
        At most `many` places, ascending.
    """
    taken: list[int] = []
    for front in fronts(costs):
        room = many - len(taken)
        roomiest = np.argsort(-crowding(costs[front]), kind="stable")
        taken += front[roomiest[:room]].tolist()
    return sorted(taken)
