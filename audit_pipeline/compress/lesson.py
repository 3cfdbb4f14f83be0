"""What a model is trained on: rows, what it should answer to them, how much each counts, and the loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.objective import OF_LABELS, OF_TWO_CLASSES, Objective
from audit_pipeline.data.population import Development, Split
from audit_pipeline.errors import InputError
from audit_pipeline.predictions import Reading, Task


@dataclass(frozen=True)
class Lesson:
    """Rows and answers of the same length."""

    split: Split
    """The rows: inputs, and whose they are."""
    answers: NDArray[np.float32]
    """[rows, units]; an autoencoder's are the rows themselves."""
    objective: Objective
    taken: str
    """Which rows these are, in words."""
    reading: Reading
    """How the model's outputs are read."""
    class_weights: NDArray[np.float64] | None = None
    """[classes] how much a row of each class counts beside the others; None where all count the same."""

    @property
    def x(self) -> NDArray[np.float32]:
        """[rows, *input_shape]."""
        return self.split.x

    def __len__(self) -> int:
        """Rows of the lesson."""
        return len(self.split)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Lesson:
        """The lesson of these rows alone, by number or by mask."""
        return replace(self, split=self.split.take(rows), answers=self.answers[rows])

    def weights(self, balance: str) -> NDArray[np.float32] | None:
        """How much each row counts in the loss.

        Within a group rows count by their class; every group has the same total.

        Args:
            balance: the group spec; `overall` is one group.

        Returns:
            [rows], 1 in the mean; None where all count the same.
        """
        if balance == "overall" and self.class_weights is None:
            return None
        counts = np.ones(len(self)) if self.class_weights is None else self.class_weights[self.split.y]
        groups = self.split.members(balance)
        for _, inside in groups:
            counts[inside] *= len(self) / len(groups) / counts[inside].sum()
        return counts.astype(np.float32)


def lesson(data: Development, objective: Objective, units: int) -> Lesson:
    """The train split as the task has it.

    An autoencoder learns from normal rows alone: what it was taught to give back raises no alarm.

    Args:
        data: whose train split is taken.
        objective: the loss.
        units: outputs of the model.

    Raises:
        InputError: `compress.one-class`: a score is to be taught from rows of one class.
    """
    train = data.train
    if data.task is Task.REGRESSION:
        assert train.target is not None, "a regression's splits have targets"  # noqa: S101
        return Lesson(train, train.target.astype(np.float32)[:, None], objective, "rows", data.reading)
    if data.reading.reconstructs:
        normal = train.take(train.y == 0)
        return Lesson(normal, normal.x, objective, f"rows labelled {data.classes[0]}", data.reading)
    if data.task is Task.ANOMALY and not train.y.any():
        raise InputError(
            "compress.one-class",
            f"no row of the train split is labelled {data.classes[1]}: training would teach the model to give "
            "0 whatever it sees",
            hint="leave the steps that train out of the recipe, or put such rows into the train split",
        )
    return Lesson(train, class_answers(train.y, units), objective, "rows", data.reading, _class_weights(data))


def smoothed(lesson: Lesson, share: float) -> Lesson:
    """The lesson with softer labels: y · (1 − share) + share / classes (Szegedy et al. 2016, section 7).

    Units that each have a cross-entropy of their own are of two classes.

    Args:
        lesson: whose answers are labels.
        share: of every label that is spread evenly; 0 leaves the lesson as it is.

    Raises:
        InputError: `compress.nothing-to-smooth`: the loss is no cross-entropy, so the answers are no labels.
    """
    if not share:
        return lesson
    loss = lesson.objective.loss
    if loss not in OF_LABELS:
        raise InputError(
            "compress.nothing-to-smooth",
            f"label_smoothing softens labels for a cross-entropy, and the model is trained with {loss}",
            hint="leave label_smoothing out of the recipe",
        )
    classes = 2 if loss in OF_TWO_CLASSES else lesson.answers.shape[-1]
    return replace(lesson, answers=lesson.answers * np.float32(1 - share) + np.float32(share / classes))


def _class_weights(data: Development) -> NDArray[np.float64] | None:
    """In the order of the classes; a class that the manifest gives no weight counts 1."""
    if data.class_weights is None:
        return None
    return np.array([data.class_weights.get(name, 1.0) for name in data.classes])


def class_answers(y: NDArray[np.int64], units: int) -> NDArray[np.float32]:
    """Labels as losses take them.

    Args:
        y: [rows] class indices.
        units: outputs of the model; one unit stands for the second of two classes.

    Returns:
        [rows, units], one-hot where there is more than one unit.
    """
    if units == 1:
        return y.astype(np.float32)[:, None]
    return np.eye(units, dtype=np.float32)[y]
