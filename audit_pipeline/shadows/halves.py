"""Who is in which shadow's training: whole people, each in exactly half of the shadows.

The design of Carlini et al. (2022), section IV-C: half of the models are trained on a row, so that as many know it as
do not. Shadows come in pairs, of which one holds whom the other does not: so everybody is still in as many as not where
one shadow is taken for the target and its pair is left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_DRAWS = 64
"""Halves among which the most even one is taken."""


def halves(units: NDArray[np.int64], y: NDArray[np.int64], shadows: int, seed: int) -> NDArray[np.bool_]:
    """Draw who is in which shadow.

    Of 64 random halves of the people the one is taken in which the rows of all classes are halved best: people differ
    in their number of rows, and some have all of a class.

    Args:
        units: [rows] number from 0 of what stays together: a person, or where nobody is named a row.
        y: [rows] class.
        shadows: how many; of an odd number the last has no pair.
        seed: of the draw.

    Returns:
        [shadows, rows]; shadow 2i + 1 is the complement of 2i. Each holds half of the units, up to one.
    """
    random = np.random.default_rng(seed)
    people, classes = int(units.max()) + 1, np.unique(y, return_inverse=True)[1].reshape(-1)
    counts = np.zeros((people, int(classes.max()) + 1), dtype=np.float64)
    np.add.at(counts, (units, classes), 1.0)
    shares = counts / counts.sum(axis=0)
    rows = []
    for _ in range(0, shadows, 2):
        half = _even_half(shares, random)[units]
        rows += [half, ~half]
    return np.stack(rows[:shadows])


def _even_half(shares: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.bool_]:
    """[people] half of the people; `shares` is [people, classes], of each class's rows."""
    best, least = np.zeros(len(shares), dtype=bool), np.inf
    for _ in range(_DRAWS):
        half = np.zeros(len(shares), dtype=bool)
        half[random.permutation(len(shares))[: len(shares) // 2]] = True
        uneven = float(np.abs(shares[half].sum(axis=0) - 0.5).sum())
        if uneven < least:
            best, least = half, uneven
    return best
