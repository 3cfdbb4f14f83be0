"""People of a split set aside: what a model does for them, it was not taught on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split


def held_out(split: Split, share: float, seed: int) -> NDArray[np.bool_]:
    """Draw people so that each class and each group is held out in its share, as far as whole people allow.

    The rarest class or group value is settled first, among the people who are not settled yet: iterative
    stratification (Sechidis et al. 2011, "On the Stratification of Multi-Label Data", algorithm 1) for two parts. What
    only one person has is never held out.

    Args:
        split: where the people are; a row without a subject is a person of its own.
        share: of the people, above 0 and at most 0.5.
        seed: of the draw.

    Returns:
        [rows] mask of the rows of the people who are held out; nobody's where there are fewer than two people.
    """
    people, rows = _people(split)
    labels = [*([split.y == index for index in np.unique(split.y)]), *_group_values(split)]
    having = [np.bincount(rows, mask, len(people)) > 0 for mask in [*labels, np.ones(len(split), bool)]]
    random = np.random.default_rng(seed)
    out, settled = np.zeros(len(people), bool), np.zeros(len(people), bool)
    for those in sorted(having, key=np.count_nonzero):
        wanted = _share_of(int(those.sum()), share) - int((out & those).sum())
        open_ones = random.permutation(np.flatnonzero(those & ~settled))
        out[open_ones[: max(0, wanted)]] = True
        settled |= those
    if not out.any() and len(people) > 1:
        out[random.integers(len(people))] = True
    return np.asarray(out[rows])


def _people(split: Split) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the people, and [rows] whose each row is."""
    if split.subjects is None:
        return np.arange(len(split)), np.arange(len(split))
    names, rows = np.unique(split.subjects, return_inverse=True)
    return np.arange(len(names)), rows


def _group_values(split: Split) -> list[NDArray[np.bool_]]:
    return [mask for column in sorted(split.groups) for _, mask in split.members(column)]


def _share_of(people: int, share: float) -> int:
    """Rounded half down, so that of one person, and of two at a half, not everybody is held out."""
    return min(int(np.ceil(people * share - 0.5)), people - 1)
