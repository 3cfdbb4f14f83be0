"""Which rows a model is trained on next: all of them once an epoch, or drawn so that rare classes and people are heard.

In an epoch of all rows a class of 2 % is 2 % of what is learnt, and most of it may be one person's. Weights in the loss
say the same in the mean, but a few rows that count much make noisy steps; drawing them more often does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.data.population import Split
from audit_pipeline.model.feed import feed
from audit_pipeline.model.runtime import keras

Answers = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
"""From inputs and labels of a batch, which may be blended, to what the loss takes."""


def chances(split: Split) -> NDArray[np.float64]:
    """How likely each row is drawn: a class, and within it a person, by the square root of the number of its rows.

    Square-root sampling (Mikolov et al. 2013 for words; Mahajan et al. 2018, section 2.2, for classes) stands between
    rows as they come, where the rare are not learnt, and all alike, where their few rows are learnt by heart.

    Args:
        split: rows with their classes, and people where they are known.

    Returns:
        [rows], summing to 1.
    """
    people = np.zeros(len(split), np.int64)
    if split.subjects is not None:
        people = np.unique(split.subjects, return_inverse=True)[1]
    _, persons, of_person = np.unique(np.stack([split.y, people]), axis=1, return_inverse=True, return_counts=True)
    _, classes, of_class = np.unique(split.y, return_inverse=True, return_counts=True)
    raw = of_person[persons.reshape(-1)] ** -0.5
    within = np.bincount(classes, raw)  # each class gets the total that its own square root says
    found = raw / within[classes] * np.sqrt(of_class)[classes]
    return np.asarray(found / found.sum(), dtype=np.float64)


def batches(
    model: Any,
    lesson: Lesson,
    weights: NDArray[np.float32] | None,
    answers: Answers,
    size: int,
    seed: int,
    *,
    evenly: bool,
    blended: bool,
) -> Any:
    """As many rows an epoch as the lesson has, in batches drawn anew each epoch.

    Args:
        model: that takes them.
        lesson: rows and labels.
        weights: [rows] how much each counts; None where all count the same.
        answers: what the loss takes.
        size: rows of a batch.
        seed: of all draws.
        evenly: whether rows are drawn by `chances`, with replacement; else each comes once, in a random order.
        blended: whether every row is mixed with another, in shares that are uniform between 0 and 1, labels and weights
            too (mixup: Zhang et al. 2018).

    Returns:
        A `tf_keras.utils.Sequence`.
    """
    chance = chances(lesson.split) if evenly else None
    random = np.random.default_rng(seed)
    rows = len(lesson)

    class Batches(keras().utils.Sequence):  # type: ignore[misc]
        """Keras reads it in order, one epoch after the other."""

        def __init__(self) -> None:
            self.order = self.drawn()

        def __len__(self) -> int:
            return math.ceil(rows / size)

        def drawn(self) -> NDArray[np.int64]:
            """Row numbers of an epoch."""
            if chance is None:
                return random.permutation(rows)
            return random.choice(rows, rows, p=chance)

        def on_epoch_end(self) -> None:
            """Draw the next epoch."""
            self.order = self.drawn()

        def __getitem__(self, number: int) -> Any:
            one = self.order[number * size : (number + 1) * size]
            x, labels = lesson.x[one], lesson.answers[one]
            counts = None if weights is None else weights[one]
            if blended:
                other = random.permutation(one)
                share = random.random(len(one), dtype=np.float32)
                x, labels = (
                    _mixed(each, source[other], share) for each, source in ((x, lesson.x), (labels, lesson.answers))
                )
                counts = None if counts is None or weights is None else _mixed(counts, weights[other], share)
            given = answers(x, labels)
            if counts is not None:
                counts = counts.reshape(len(counts), *[1] * (given.ndim - 2))
            return (feed(model, x), given) if counts is None else (feed(model, x), given, counts)

    return Batches()


def _mixed(one: NDArray[np.float32], other: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    along = share.reshape(len(share), *[1] * (one.ndim - 1))
    return one + along * (other - one)
