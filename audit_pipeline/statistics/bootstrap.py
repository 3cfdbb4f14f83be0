"""The nonparametric bootstrap (Efron 1979) of counts: replicates are drawn cell by cell, never row by row.

Resampling n rows with replacement and counting them is the same as drawing the counts from a multinomial distribution;
resampling people is the same as giving each a multinomial weight and adding up what they count. Either costs as much
for a million rows as for a thousand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]

_MOST_NUMBERS = 1 << 22
"""Counts, or weights of people, that are held at a time unless the caller says otherwise (32 MiB)."""


def bootstrap(
    statistic: Callable[[Counts], Numbers],
    rows: Counts,
    place: Counts,
    shape: tuple[int, ...],
    people: Counts | None,
    *,
    replicates: int,
    seed: int,
    most_numbers: int = _MOST_NUMBERS,
) -> Numbers:
    """Replicates of anything that is computed from counts.

    All rows are resampled together, so the sizes of groups vary from replicate to replicate, as they would in another
    sample.

    Args:
        statistic: from [some replicates, *shape] counts to [as many, ...].
        rows: [cells] rows of each cell.
        place: [cells] where in `shape`, flattened, the cell is counted; several cells may share a place.
        shape: of the counts.
        people: [cells] number of the person whose rows these are; None where rows are independent.
        replicates: how many, at least 1.
        seed: of the random numbers; the same seed gives the same replicates, however many are held at a time.
        most_numbers: bound of memory, in 8-byte numbers.

    Returns:
        [replicates, ...] what `statistic` gave.
    """
    draw, width = _draw_rows(rows, place, shape) if people is None else _draw_people(rows, place, shape, people)
    rng = np.random.default_rng(seed)
    return np.concatenate([statistic(draw(rng, count)) for count in _parts(replicates, most_numbers // width)])


_Draw = tuple[Callable[[np.random.Generator, int], Counts], int]
"""How some replicates are drawn, and how many numbers are held for each."""


def _parts(whole: int, most: int) -> Iterator[int]:
    most = max(most, 1)
    return (min(most, whole - start) for start in range(0, whole, most))


def _draw_rows(rows: Counts, place: Counts, shape: tuple[int, ...]) -> _Draw:
    counts = np.bincount(place, weights=rows, minlength=math.prod(shape))
    filled = np.flatnonzero(counts)
    total = int(counts.sum())

    def draw(rng: np.random.Generator, count: int) -> Counts:
        drawn = np.zeros((count, len(counts)), dtype=np.int64)
        if total:
            drawn[:, filled] = rng.multinomial(total, counts[filled] / total, size=count)
        return drawn.reshape(count, *shape)

    return draw, max(len(counts), 1)


def _draw_people(rows: Counts, place: Counts, shape: tuple[int, ...], people: Counts) -> _Draw:
    names, person = np.unique(people, return_inverse=True)
    number = len(names)
    table = sparse.csr_array((rows, (place, person)), shape=(math.prod(shape), number))

    def draw(rng: np.random.Generator, count: int) -> Counts:
        chosen = rng.integers(number, size=(count, number)) if number else np.zeros((count, 0), dtype=np.int64)
        chosen += np.arange(count)[:, None] * number
        weights = np.bincount(chosen.ravel(), minlength=count * number).reshape(count, number)
        return np.ascontiguousarray((table @ weights.T).T).reshape(count, *shape)

    return draw, max(math.prod(shape), number, 1)
