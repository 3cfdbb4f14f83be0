"""Lessons for tests of the steps that train."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.objective import Objective
from audit_pipeline.data.population import Population, Split
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.predictions import Reading, Task

CROSS_ENTROPY = Objective("CategoricalCrossentropy", {}, "by the test")


def lesson_of(split: Split, classes: int = 3, **changed: Any) -> Lesson:
    """Rows of a split with one-hot answers and cross-entropy."""
    answers = np.eye(classes, dtype=np.float32)[split.y]
    made = Lesson(split, answers, CROSS_ENTROPY, "rows", Reading(Task.CLASSIFICATION))
    return replace(made, **changed)


def tones_lesson(population: Population) -> Lesson:
    """The train split of the tests' population."""
    return lesson_of(population.train)


def untrained(width: int = 4, seed: int = 3) -> Any:
    """A small convolutional classifier of the tests' population, as it is before training."""
    layers = keras_runtime(seed).layers
    return keras().Sequential(
        [
            layers.Input((20, 1)),
            layers.Conv1D(width, 5, strides=2),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def loss(model: Any, lesson: Lesson) -> float:
    """Mean cross-entropy of a model on a lesson."""
    outputs = np.asarray(model(lesson.x, training=False), np.float64)
    return float(-np.log(np.clip(outputs[lesson.answers == 1], 1e-7, 1)).mean())


def accuracy(model: Any, lesson: Lesson) -> float:
    """Share of rows whose highest output is the answer's."""
    return float((predicted(model, lesson) == lesson.split.y).mean())


def predicted(model: Any, lesson: Lesson) -> NDArray[np.int64]:
    """Class of the highest output."""
    return np.asarray(np.argmax(model(lesson.x, training=False), axis=1), np.int64)


def equal_weights(one: Any, other: Any) -> bool:
    """Whether two models have bit for bit the same weights."""
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
