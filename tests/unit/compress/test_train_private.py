from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lessons import accuracy, equal_weights, lesson_of, tones_lesson, untrained

from audit_pipeline.compress.dp_sgd.accountant import epsilon
from audit_pipeline.compress.dp_sgd.draw import samples, units_of
from audit_pipeline.compress.dp_sgd.gradient import clipped_sum
from audit_pipeline.compress.dp_sgd.train import plan_of, train_private
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, keras_runtime, tensorflow
from audit_pipeline.policy.protection import TrainPrivate
from audit_pipeline.progress import silent

HERE = Path()


def settings(**given: Any) -> TrainPrivate:
    return TrainPrivate.model_validate(
        {"epochs": 1, "learning_rate": 0.01, "batch_size": 64, "noise": 1.0, "delta": 1e-4} | given
    )


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


def small() -> Any:
    layers = keras_runtime(4).layers
    return keras().Sequential([layers.Input((20, 1)), layers.Flatten(), layers.Dense(3, activation="softmax")])


def by_hand(model: Any, x: Any, answers: Any, weights: Any, clip: float) -> tuple[list[Any], list[float]]:
    """One unit after the other with a tape of its own: sums of clipped gradients, and norms before clipping."""
    tf = tensorflow()
    sums: list[Any] = [np.zeros(variable.shape) for variable in model.trainable_variables]
    norms = []
    for rows, labels, counts in zip(x, answers, weights, strict=True):
        with tf.GradientTape() as tape:
            outputs = model(rows, training=False)
            value = -tf.reduce_sum(counts * tf.reduce_sum(labels * tf.math.log(outputs), axis=1))
        gradients = [np.asarray(each) for each in tape.gradient(value, model.trainable_variables)]
        norms.append(float(np.sqrt(sum((each.astype(np.float64) ** 2).sum() for each in gradients))))
        factor = min(1.0, clip / max(norms[-1], 1e-12))
        sums = [total + factor * each for total, each in zip(sums, gradients, strict=True)]
    return sums, norms


@pytest.mark.parametrize("rows", [1, 3])
def test_the_sum_of_clipped_gradients_is_that_of_a_loop(taught: Lesson, rows: int) -> None:
    model, units = untrained(), 8
    x = taught.x[: units * rows].reshape(units, rows, 20, 1)
    answers = taught.answers[: units * rows].reshape(units, rows, 3)
    weights = np.full((units, rows), 1 / rows, np.float32)
    weights[3] = 0  # padding adds nothing
    weights[5] *= 7
    _, norms = by_hand(model, x, answers, weights, 1.0)
    clip = float(np.median(norms))  # half of them are clipped
    expected, _ = by_hand(model, x, answers, weights, clip)
    found = clipped_sum(model, taught.objective.instance(), clip)(x, answers, weights)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, rtol=2e-4, atol=2e-6)


def test_no_unit_moves_the_sum_by_more_than_the_clip(taught: Lesson) -> None:
    model, clip = untrained(), 0.01
    total = clipped_sum(model, taught.objective.instance(), clip)
    x, answers, weights = taught.x[:8, None], taught.answers[:8, None], np.full((8, 1), 1000, np.float32)
    everybody = total(x, answers, weights)
    weights[2] = 0
    without = total(x, answers, weights)
    moved = np.sqrt(sum(((np.asarray(a) - np.asarray(b)) ** 2).sum() for a, b in zip(everybody, without, strict=True)))
    assert moved == pytest.approx(clip, rel=1e-3)


def test_noise_has_the_deviation_that_was_accounted_for(taught: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step of plain gradient descent: weights are off by learning rate × noise × clip / batch, in the deviation."""
    sgd = keras().optimizers.SGD
    monkeypatch.setattr(keras().optimizers, "Adam", sgd)
    once: dict[str, Any] = {"batch_size": 600, "learning_rate": 1.0, "clip": 0.5}  # everybody, so one step an epoch
    few = replace(taught, split=taught.split)
    layers = keras_runtime(1).layers
    wide = keras().Sequential(
        [layers.Input((20, 1)), layers.Flatten(), layers.Dense(400, "relu"), layers.Dense(3, "softmax")]
    )
    noisy, part = train_private(wide, settings(**once, noise=30.0), few, 1, HERE, silent)
    quiet, _ = train_private(wide, settings(**once, noise=1e-3), few, 1, HERE, silent)
    off = np.concatenate([(a - b).ravel() for a, b in zip(noisy.get_weights(), quiet.get_weights(), strict=True)])
    assert part.settings["steps"] == 1
    assert off.std() == pytest.approx(0.5 * 30 / 600, rel=0.03)
    assert abs(off.mean()) < 5 * off.std() / np.sqrt(len(off))


def test_the_source_is_learnt_anew_and_its_weights_do_not_matter(taught: Lesson) -> None:
    model, other = untrained(), untrained()
    other.set_weights([weight + 1 for weight in other.get_weights()])
    before = [weight.copy() for weight in model.get_weights()]
    told: list[float] = []
    given = settings(epochs=4, learning_rate=0.02)
    trained, part = train_private(model, given, taught, 1, HERE, lambda _, done: told.append(done))
    again, _ = train_private(other, given, taught, 1, HERE, silent)
    assert equal_weights(trained, again)
    assert accuracy(trained, taught) > 0.9
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert told[-1] == 1.0
    assert part.settings["steps"] == 38
    assert part.settings["epsilon_spent"] == epsilon(64 / 600, 1.0, 38, 1e-4)
    np.testing.assert_array_equal(trained.layers[1].moving_mean, np.zeros(4))
    np.testing.assert_array_equal(trained.layers[1].moving_variance, np.ones(4))
    assert any("fixed affine map: batch_normalization" in note for note in part.notes)
    assert any("which this evidence names" in note for note in part.notes)
    assert any("calibration split" in note for note in part.notes)


def test_a_secret_makes_other_draws_and_noise_and_keeps_them(taught: Lesson, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(bytes(range(32)))
    (tmp_path / "other").write_bytes(bytes(range(1, 33)))
    (known, _), (one, part), (again, _), (other, _) = (
        train_private(small(), settings(secret=name, batch_size=300), taught, 1, tmp_path, silent)
        for name in (None, "one", "one", "other")
    )
    assert equal_weights(one, again)
    assert not equal_weights(one, other)
    assert not equal_weights(one, known)
    assert not any("which this evidence names" in note for note in part.notes)
    assert any("not a person" in note for note in part.notes)


def test_a_secret_that_is_not_there_or_short_is_named(taught: Lesson, tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x" * 31)
    for name, what in (("short", "31 bytes"), ("none", "cannot be read")):
        with pytest.raises(InputError, match=what) as caught:
            train_private(small(), settings(secret=name), taught, 1, tmp_path, silent)
        assert caught.value.code == "compress.no-secret"
        assert name in str(caught.value.where)


def test_people_are_drawn_with_some_of_their_rows(taught: Lesson) -> None:
    units = units_of(taught.split, people=True)
    assert taught.split.subjects is not None
    assert [len(set(taught.split.subjects[rows])) for rows in units] == [1] * 30
    assert sorted(np.concatenate(units).tolist()) == list(range(600))
    drawn = next(samples(units, 0.5, 4, np.random.default_rng(0)))
    assert all(len(set(rows)) == 4 for rows in drawn)


def test_every_unit_is_drawn_for_itself_with_the_same_chance() -> None:
    units = [np.array([row]) for row in range(50)]
    drawing = samples(units, 0.3, 1, np.random.default_rng(2))
    drawn = [[int(rows[0]) for rows in next(drawing)] for _ in range(4000)]
    share = np.bincount(np.concatenate(drawn), minlength=50) / 4000
    assert np.abs(share - 0.3).max() < 5 * np.sqrt(0.21 / 4000)
    assert np.var([len(each) for each in drawn]) == pytest.approx(50 * 0.21, rel=0.15)


def test_a_person_is_protected_as_a_whole(taught: Lesson) -> None:
    given = settings(unit="people", batch_size=10, delta=1e-3, rows_each=4)
    _, part = train_private(small(), given, taught, 1, HERE, silent)
    assert part.settings["units"] == 30
    assert part.settings["rate"] == pytest.approx(1 / 3)
    assert "for one of 30 people more or less" in part.notes[0]
    nobody = replace(taught, split=replace(taught.split, subjects=None))
    with pytest.raises(InputError, match="whose rows they are"):
        train_private(small(), given, nobody, 1, HERE, silent)


def test_a_budget_sets_the_noise() -> None:
    plan = plan_of(settings(noise=None, epsilon=2.0), 600)
    assert 1.999 < plan.epsilon <= 2.0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"batch_size": 601}, "compress.private-batch"),
        ({"delta": 0.01}, "compress.private-delta"),
        ({"noise": None, "epsilon": 1e-9}, "compress.private-budget"),
    ],
)
def test_settings_that_do_not_fit_so_few_are_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        plan_of(settings(**given), 600)
    assert caught.value.code == code


def test_layers_that_hold_what_is_not_trained_are_refused_by_name(taught: Lesson) -> None:
    layers = keras_runtime(1).layers
    measured = layers.Normalization(name="measured")
    measured.adapt(taught.x)
    frozen = layers.Dense(3, activation="softmax", name="frozen", trainable=False)
    for name, middle in (("measured", [measured, layers.Flatten()]), ("frozen", [layers.Flatten(), frozen])):
        model = keras().Sequential([layers.Input((20, 1)), *middle, layers.Dense(3, activation="softmax")])
        with pytest.raises(InputError, match=name) as caught:
            train_private(model, settings(), taught, 1, HERE, silent)
        assert caught.value.code == "compress.private-state"


@pytest.mark.parametrize("kind", ["LSTM", "grouped"])
def test_a_layer_without_gradients_of_single_rows_is_told(
    taught: Lesson, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    layers = keras_runtime(1).layers
    middle = (
        [layers.LSTM(2)] if kind == "LSTM" else [layers.Conv1D(4, 3), layers.Conv1D(4, 3, groups=2), layers.Flatten()]
    )
    model = keras().Sequential([layers.Input((20, 1)), *middle, layers.Dense(3, activation="softmax")])
    with pytest.raises(InputError, match="no gradients of single rows") as caught:
        train_private(model, settings(), taught, 1, HERE, silent)
    assert caught.value.code == "compress.no-private-gradient"
    assert "\n" not in caught.value.what
    assert "Traceback" not in capfd.readouterr().err


def test_class_weights_are_taken_as_public(taught: Lesson) -> None:
    weighted = replace(taught, class_weights=np.array([1.0, 1.0, 9.0]))
    trained, part = train_private(small(), settings(), weighted, 1, HERE, silent)
    plain, _ = train_private(small(), settings(), taught, 1, HERE, silent)
    assert not equal_weights(trained, plain)
    assert any("class_weights count as public" in note for note in part.notes)


@pytest.mark.bench
def test_a_model_that_learns_by_heart_gives_less_away_when_trained_privately() -> None:
    """Labels are coins, so whatever is right about a training row was learnt by heart."""
    rng = np.random.default_rng(5)

    def coins(rows: int) -> Lesson:
        from audit_pipeline.data.population import Split

        x, y = rng.normal(size=(rows, 30)).astype(np.float32), rng.integers(0, 2, rows)
        return lesson_of(Split(x, y.astype(np.int64), {}, None), classes=2)

    members, others = coins(150), coins(150)
    layers = keras_runtime(1).layers
    model = keras().Sequential([layers.Input((30,)), layers.Dense(64, "relu"), layers.Dense(2, activation="softmax")])
    model.compile(keras().optimizers.Adam(0.01), "categorical_crossentropy")
    model.fit(members.x, members.answers, epochs=60, batch_size=32, verbose=0)
    private, _ = train_private(
        model, settings(epochs=15, batch_size=50, epsilon=1.0, noise=None, delta=1e-3), members, 1, HERE, silent
    )
    leaks = [accuracy(each, members) - accuracy(each, others) for each in (model, private)]
    assert leaks[0] > 0.4
    assert leaks[1] < 0.15
