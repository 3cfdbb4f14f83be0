"""Which rows become canaries, with which wrong labels, and how their coins fall.

A canary is a row of the train split with a wrong label in the place of its own. A fair coin decides whether it stays,
so, or leaves. A model that keeps the label that it could only have learnt from that one row tells the coin. The row's
right label is in neither case in the train split: beside it the wrong one would hardly be learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Population, Split
from audit_pipeline.errors import InputError
from audit_pipeline.predictions import Score, Task
from audit_pipeline.privacy.canaries.record import FEWEST, MOST

_LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class Draw:
    """What chance decided."""

    rows: NDArray[np.int64]
    """[m] places in the train split, rising."""
    labels: NDArray[np.int64]
    """[m] wrong ones."""
    coins: NDArray[np.bool_]
    """[m] whether the row stays."""

    def kept(self, train: Split) -> NDArray[np.bool_]:
        """[rows] of the train split, those that stay."""
        kept = np.ones(len(train), dtype=bool)
        kept[self.rows[~self.coins]] = False
        return kept

    def labelled(self, train: Split) -> NDArray[np.int64]:
        """[rows] of the train split, their labels with the wrong ones among them."""
        labels = train.y.copy()
        labels[self.rows] = self.labels
        return labels


def draw_canaries(train: Split, classes: int, count: int, random: np.random.Generator) -> Draw:
    """Draw rows evenly, their wrong labels evenly, and a fair coin each.

    Of each class the first row stays what it is, so that none is lost.
    """
    staying = np.unique(train.y, return_index=True)[1]
    free = np.setdiff1d(np.arange(len(train)), staying)
    rows = np.sort(random.choice(free, count, replace=False))
    labels = (train.y[rows] + random.integers(1, classes, count)) % classes
    return Draw(rows, labels, random.integers(0, 2, count).astype(bool))


def check_plan(population: Population, count: int, guesses: int | None, where: str) -> None:
    """Find out whether so many canaries can be planted, and so many coins guessed.

    Args:
        population: the data set.
        count: canaries.
        guesses: coins to guess; None for the usual number.
        where: the data set's manifest, for the errors.

    Raises:
        InputError: `canaries.no-labels`, `canaries.count` or `canaries.guesses`.
    """
    if population.task is Task.REGRESSION or population.score is Score.RECONSTRUCTION_ERROR:
        what = "a regression" if population.task is Task.REGRESSION else "an autoencoder"
        raise InputError(
            "canaries.no-labels",
            f"{what} learns no labels that could be wrong on purpose",
            where=where,
            hint="canaries need a model that was taught classes",
        )
    if not FEWEST <= count <= MOST:
        raise InputError("canaries.count", f"{count} canaries: from {FEWEST} to {MOST} can be planted", where="--count")
    train = population.train
    most = min(int(len(train) * _LARGEST_SHARE), len(train) - len(np.unique(train.y)))
    if count > most:
        raise InputError(
            "canaries.count",
            f"{count} canaries are too many for {len(train)} training rows: half of the rows must keep their labels",
            where="--count",
            hint=f"plant at most {most}" if most >= FEWEST else f"the train split of {where} is too small for canaries",
        )
    if guesses is not None and (guesses % 2 or not 2 <= guesses <= count):
        text = f"{guesses} guesses: an even number from 2 to {count} is needed, half of them for each side"
        raise InputError("canaries.guesses", text, where="--guesses")
