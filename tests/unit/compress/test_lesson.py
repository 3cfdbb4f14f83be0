from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lessons import CROSS_ENTROPY

from audit_pipeline.compress.lesson import lesson
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError


def with_part(population: Population, **changed: object) -> Population:
    return replace(population, part=population.part.model_copy(update=changed))


def test_a_classification_is_learnt_from_every_row_of_the_train_split(population: Population) -> None:
    made = lesson(population.development, CROSS_ENTROPY, 3)
    assert len(made) == 600
    assert np.array_equal(made.answers.argmax(axis=1), population.train.y)
    assert made.weights("overall") is None


def test_class_weights_of_the_manifest_weigh_the_rows(population: Population) -> None:
    made = lesson(with_part(population, class_weights={"low": 1.0, "high": 3.0}), CROSS_ENTROPY, 3)
    weights = made.weights("overall")
    assert weights is not None
    low, middle, high = (weights[made.split.y == index].mean() for index in range(3))
    assert (middle / low, high / low) == (pytest.approx(1), pytest.approx(3))
    assert weights.mean() == pytest.approx(1)


def test_some_rows_of_a_lesson_are_a_lesson(population: Population) -> None:
    made = lesson(population.development, CROSS_ENTROPY, 3)
    some = made.take(np.arange(0, 600, 7))
    assert len(some) == len(some.split) == 86
    assert np.array_equal(some.answers, made.answers[::7])


def test_an_autoencoder_learns_from_normal_rows_whatever_their_class_counts(population: Population) -> None:
    changed = {"task": "anomaly", "threshold": 0.5, "score": "reconstruction_error", "classes": ("calm", "odd")}
    made = lesson(with_part(population, **changed, class_weights={"calm": 1.0, "odd": 9.0}), CROSS_ENTROPY, 1)
    assert made.taken == "rows labelled calm"
    assert np.array_equal(made.answers, made.x)
    assert made.class_weights is None


def test_a_score_is_not_taught_from_rows_of_one_class(population: Population) -> None:
    calm = replace(population, train=replace(population.train, y=np.zeros(600, np.int64)))
    anomaly = with_part(calm, task="anomaly", threshold=0.5, classes=("calm", "odd"))
    with pytest.raises(InputError) as caught:
        lesson(anomaly, CROSS_ENTROPY, 1)
    assert caught.value.code == "compress.one-class"
