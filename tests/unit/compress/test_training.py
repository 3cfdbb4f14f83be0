from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lessons import equal_weights, lesson_of, loss, predicted, tones_lesson, untrained

from audit_pipeline.compress.fine_tune import fine_tune
from audit_pipeline.compress.holdout import held_out
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.training import copied, fit
from audit_pipeline.data.population import Population, Split
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras
from audit_pipeline.policy.steps import FineTune
from audit_pipeline.progress import silent


def settings(**given: Any) -> FineTune:
    return FineTune.model_validate({"batch_size": 64, "learning_rate": 0.01} | given)


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


def test_fine_tuning_lowers_the_loss_and_leaves_the_model_that_it_was_given_alone(taught: Lesson) -> None:
    model = untrained()
    before = [weight.copy() for weight in model.get_weights()]
    told: list[float] = []
    trained, part = fine_tune(model, settings(epochs=3), taught, 1, lambda _, done: told.append(done))
    assert loss(trained, taught) < 0.7 * loss(model, taught)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert told == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]
    assert part.technique == "fine_tune"
    assert part.settings["epochs"] == 3
    assert part.notes == ("trained on 600 rows with CategoricalCrossentropy: by the test",)
    assert not getattr(trained, "optimizer", None)


def test_the_same_seed_gives_the_same_weights_and_another_seed_gives_others(taught: Lesson) -> None:
    model, how = untrained(), settings(epochs=1, patience=1, balance="group")
    first, again, other = (fine_tune(model, how, taught, seed, silent)[0] for seed in (1, 1, 2))
    assert equal_weights(first, again)
    assert not equal_weights(first, other)


def test_without_balance_and_class_weights_every_row_counts_one(taught: Lesson) -> None:
    assert taught.weights("overall") is None


def test_balance_gives_every_group_the_same_total_and_a_row_one_in_the_mean(taught: Lesson) -> None:
    weights = taught.weights("group*age")
    assert weights is not None
    groups = [group + age for group, age in zip(*(taught.split.groups[c] for c in ("group", "age")), strict=True)]
    totals = {name: sum(w for w, g in zip(weights, groups, strict=True) if g == name) for name in set(groups)}
    assert len(totals) == 3  # every tenth row is of group b, and those are all young
    assert list(totals.values()) == pytest.approx([200.0] * 3, rel=1e-4)
    assert weights.mean() == pytest.approx(1)


def test_within_a_group_rows_count_by_their_class(taught: Lesson) -> None:
    weighted = replace(taught, class_weights=np.array([1.0, 2.0, 5.0]))
    weights = weighted.weights("group")
    assert weights is not None
    for group in ("a", "b"):
        inside = taught.split.groups["group"] == group
        assert weights[inside].sum() == pytest.approx(300, rel=1e-4)
        by_class = [set(weights[inside & (taught.split.y == index)].round(5)) for index in range(3)]
        assert all(len(values) == 1 for values in by_class)
        low, middle, high = (values.pop() for values in by_class)
        assert (middle / low, high / low) == (pytest.approx(2, rel=1e-3), pytest.approx(5, rel=1e-3))


def test_weights_weigh_the_loss_as_repeated_rows_do() -> None:
    """One step over all rows: rows of weight 2 and 1 move a model as the rows twice and once do."""
    rng = np.random.default_rng(0)
    y = np.array([0] * 30 + [1] * 10)
    split = Split(rng.normal(size=(40, 3)).astype(np.float32), y, {"sex": np.where(y == 0, "f", "m")}, None)
    repeated = split.take(np.array([*range(30), *[30, *range(31, 40)] * 3]))

    def trained(lesson: Lesson, balance: str) -> Any:
        keras().utils.set_random_seed(4)
        model = keras().Sequential([keras().layers.Input((3,)), keras().layers.Dense(2, activation="softmax")])
        how = settings(epochs=3, batch_size=1000, balance=balance)
        return fine_tune(model, how, lesson, 1, silent)[0].get_weights()

    weighted = trained(lesson_of(split, 2), "sex")
    for one, other in zip(weighted, trained(lesson_of(repeated, 2), "overall"), strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_class_weights_raise_the_recall_of_a_rare_class() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(1200) < 0.06).astype(np.int64)
    split = Split((rng.normal(size=(1200, 4)) + 0.9 * y[:, None]).astype(np.float32), y, {}, None)
    plain = lesson_of(split, 2)
    weighted = replace(plain, class_weights=np.array([1.0, 16.0]))
    layers = keras().layers
    model = keras().Sequential([layers.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(2, "softmax")])
    recalls = []
    for lesson in (plain, weighted):
        trained, part = fine_tune(model, settings(epochs=10), lesson, 1, silent)
        recalls.append((predicted(trained, lesson)[y == 1] == 1).mean())
    assert recalls[1] > recalls[0] + 0.2
    assert any("class_weights" in note for note in part.notes)


def test_early_stopping_keeps_the_best_epoch_and_says_which(taught: Lesson) -> None:
    """Random answers: held-out loss soon rises; the weights that are kept are those of its lowest epoch."""
    rng = np.random.default_rng(0)
    split = replace(taught.split, y=rng.integers(0, 3, len(taught)))
    odd, model, how = lesson_of(split), untrained(16), settings(epochs=30, patience=2, learning_rate=0.02)
    told: list[float] = []
    stopped, part = fine_tune(model, how, odd, 5, lambda _, done: told.append(done))
    words = part.notes[-1].split()
    best, run = int(words[2]), int(words[4].rstrip(","))
    assert run == best + 2 < 30
    assert "held out" in part.notes[-1]
    assert told[-1] == 1.0
    alone, _ = fine_tune(model, settings(epochs=best, learning_rate=0.02, patience=30), odd, 5, silent)
    assert equal_weights(stopped, alone)
    longer, _ = fine_tune(model, settings(epochs=best + 2, learning_rate=0.02, patience=30), odd, 5, silent)
    assert equal_weights(stopped, longer)


def test_an_epoch_before_the_step_is_settled_is_not_kept(taught: Lesson) -> None:
    split = replace(taught.split, y=np.random.default_rng(0).integers(0, 3, len(taught)))
    model, how = copied(untrained(16), 5), settings(epochs=6, patience=6, learning_rate=0.02)
    notes = fit(model, how, lesson_of(split), 5, silent, "train", settled=4)
    assert int(notes[-1].split()[2]) > 4


def test_people_are_held_out_whole_and_in_every_class_and_group() -> None:
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(60), 10)
    split = Split(
        x=np.zeros((600, 1), np.float32),
        y=np.where(person < 10, rng.integers(0, 2, 600), 0),
        groups={"sex": np.where(person % 5 == 0, "f", "m"), "age": np.where(person < 30, "young", "old")},
        subjects=person.astype(np.str_),
    )
    out = held_out(split, 0.2, 7)
    assert len(np.unique(person[out])) == 12
    assert not set(person[out]) & set(person[~out])
    assert len(np.unique(person[out & (split.y == 1)])) == 2
    assert len(np.unique(person[out & (split.groups["sex"] == "f")])) in (2, 3)
    assert len(np.unique(person[out & (split.groups["age"] == "old")])) == 6
    assert np.array_equal(out, held_out(split, 0.2, 7))
    assert not np.array_equal(out, held_out(split, 0.2, 8))


def test_rows_of_nobody_are_people_of_their_own_and_the_only_one_of_a_kind_stays() -> None:
    y = np.array([1] + [0] * 99)
    split = Split(np.zeros((100, 1), np.float32), y, {}, None)
    for seed in range(20):
        out = held_out(split, 0.2, seed)
        assert out.sum() == 20
        assert not out[0]
    assert held_out(split.take(np.array([1, 2])), 0.2, 0).sum() == 1


def test_patience_needs_somebody_to_hold_out(taught: Lesson) -> None:
    one = taught.take(taught.split.subjects == "p0")
    with pytest.raises(InputError) as caught:
        fine_tune(untrained(), settings(patience=1), one, 1, silent)
    assert caught.value.code == "compress.nobody-held-out"


def test_training_that_diverges_is_an_error(taught: Lesson) -> None:
    model = untrained()
    model.set_weights([weight * 1e30 for weight in model.get_weights()])
    with pytest.raises(InputError) as caught:
        fine_tune(model, settings(epochs=1, learning_rate=1.0), taught, 1, silent)
    assert caught.value.code == "compress.diverged"


def test_weights_that_were_pruned_stay_zero(taught: Lesson) -> None:
    model = untrained()
    weights = model.get_weights()
    weights[0][np.abs(weights[0]) < np.median(np.abs(weights[0]))] = 0
    model.set_weights(weights)
    trained, _ = fine_tune(model, settings(epochs=2), taught, 1, silent)
    assert np.array_equal(trained.get_weights()[0] == 0, weights[0] == 0)
    assert not np.array_equal(trained.get_weights()[0], weights[0])


def test_an_autoencoder_over_pictures_is_weighed_by_row() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4, 4)).astype(np.float32)
    split = Split(x, np.zeros(40, np.int64), {"sex": np.array(["f", "m", "m", "m"] * 10)}, None)
    lesson = replace(lesson_of(split), answers=x)
    lesson = replace(lesson, objective=replace(lesson.objective, loss="MeanSquaredError"))
    layers = keras().layers
    model = keras().Sequential(
        [layers.Input((4, 4)), layers.Flatten(), layers.Dense(16), layers.Reshape((4, 4))],
    )
    trained, part = fine_tune(model, settings(epochs=2, balance="sex"), lesson, 1, silent)
    assert np.mean((trained(x) - x) ** 2) < np.mean((model(x) - x) ** 2)
    assert "each of the 2 groups by sex" in part.notes[-1]
