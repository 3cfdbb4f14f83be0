from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lessons import equal_weights, tones_lesson, untrained

from audit_pipeline.compress.distill import distill
from audit_pipeline.compress.draw import batches, chances
from audit_pipeline.compress.fine_tune import fine_tune
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.data.population import Population, Split
from audit_pipeline.policy.steps import Distill, FineTune
from audit_pipeline.progress import silent


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


def split_of(y: list[int], people: list[str] | None) -> Split:
    subjects = None if people is None else np.array(people)
    return Split(np.zeros((len(y), 1), np.float32), np.array(y, np.int64), {}, subjects)


def test_classes_are_drawn_by_the_square_root_of_their_rows() -> None:
    chance = chances(split_of([0] * 16 + [1] * 4 + [2], None))
    assert [chance[:16].sum(), chance[16:20].sum(), chance[20]] == pytest.approx([4 / 7, 2 / 7, 1 / 7])


def test_within_a_class_people_are_drawn_by_the_square_root_of_theirs() -> None:
    people = ["a"] * 9 + ["b"] + ["a"] + ["c"] * 4
    chance = chances(split_of([0] * 10 + [1] * 5, people))
    assert chance.sum() == pytest.approx(1)
    assert chance[:10].sum() / chance[10:].sum() == pytest.approx(np.sqrt(10 / 5))
    assert chance[:9].sum() / chance[9] == pytest.approx(3)
    assert chance[11:].sum() / chance[10] == pytest.approx(2)


def drawn(lesson: Lesson, **how: bool) -> Any:
    return batches(untrained(), lesson, None, lambda x, labels: labels, 64, 3, **how)


def test_an_epoch_has_as_many_rows_as_the_lesson_and_the_next_has_others(taught: Lesson) -> None:
    source = drawn(taught, evenly=True, blended=False)
    first = [source[number] for number in range(len(source))]
    source.on_epoch_end()
    assert sum(len(x) for x, _ in first) == len(taught)
    assert not np.array_equal(first[0][0], source[0][0])


def test_without_drawing_every_row_comes_once(taught: Lesson) -> None:
    source = drawn(taught, evenly=False, blended=False)
    seen = np.concatenate([source[number][0] for number in range(len(source))]).reshape(len(taught), -1)
    assert np.array_equal(np.unique(seen, axis=0), np.unique(taught.x.reshape(len(taught), -1), axis=0))


def test_a_blend_lies_between_two_rows_and_its_label_too(taught: Lesson) -> None:
    numbers = np.arange(len(taught), dtype=np.float32)
    lesson = replace(taught, split=replace(taught.split, x=np.repeat(numbers[:, None], 8, 1)))
    x, labels = drawn(lesson, evenly=False, blended=True)[0]
    assert np.all((x >= 0) & (x <= len(taught)))
    assert np.mean(x == np.round(x)) < 0.2
    assert labels.sum(axis=-1) == pytest.approx(1, abs=1e-5)
    assert np.mean(labels.max(axis=-1) < 1) > 0.3


def test_the_mean_of_the_second_half_of_the_epochs_is_kept(taught: Lesson) -> None:
    """Three epochs: the mean of the second and the third, as two shorter runs of the same seed end in them."""
    runs = {
        epochs: fine_tune(untrained(), FineTune(epochs=epochs, sampling="square_root"), taught, 5, silent)[0]
        for epochs in (2, 3)
    }
    mean = fine_tune(untrained(), FineTune(epochs=3, sampling="square_root", average=True), taught, 5, silent)[0]
    for kept, second, third in zip(*(model.get_weights() for model in (mean, runs[2], runs[3])), strict=True):
        np.testing.assert_allclose(kept, (second + third) / 2, atol=1e-6)


def test_distilling_on_blends_is_repeatable(taught: Lesson) -> None:
    how, teacher = Distill(epochs=2, balance="group"), untrained()
    first, again = (distill(untrained(), how, teacher, taught, 4, silent) for _ in range(2))
    assert equal_weights(first[0], again[0])
    assert any("blended with another" in note for note in first[1].notes)
    assert any("mean over the last" in note for note in first[1].notes)


def test_patience_keeps_the_best_epoch_instead_of_the_mean() -> None:
    assert Distill().averages
    assert not Distill(patience=2).averages
    with pytest.raises(ValueError, match="give one of them"):
        FineTune(patience=2, average=True)
