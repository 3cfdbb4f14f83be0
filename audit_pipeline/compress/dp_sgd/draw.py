"""Who is in a step: every unit, a row or a person, is drawn for itself with the same chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError


def units_of(split: Split, people: bool) -> list[NDArray[np.int64]]:
    """The rows of each unit, by number: one row each, or all rows of a person.

    Raises:
        InputError: `compress.no-people`: the data set names nobody.
    """
    if not people:
        return [np.array([row]) for row in range(len(split))]
    if split.subjects is None:
        raise InputError(
            "compress.no-people",
            "train_private is to protect people, but the data set does not say whose rows they are",
            hint="name `subject` in the manifest, or protect rows: `unit: rows`",
        )
    _, person = np.unique(split.subjects, return_inverse=True)
    return np.split(np.argsort(person, kind="stable"), np.cumsum(np.bincount(person))[:-1])


def samples(
    units: list[NDArray[np.int64]], rate: float, most: int, random: np.random.Generator
) -> Iterator[list[NDArray[np.int64]]]:
    """Poisson samples without end: each unit is in each with the chance `rate`, apart from all others.

    Args:
        units: the rows of each, by number.
        rate: above 0, at most 1.
        most: rows that a unit which was drawn brings; where it has more, as many are drawn.
        random: of all draws.

    Yields:
        The rows of each unit that was drawn; a sample may be empty.
    """
    while True:
        drawn = np.flatnonzero(random.random(len(units)) < rate)
        yield [
            units[each] if len(units[each]) <= most else random.choice(units[each], most, replace=False)
            for each in drawn
        ]
