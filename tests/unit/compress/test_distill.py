from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lessons import accuracy, equal_weights, lesson_of, tones_lesson, untrained
from scipy.special import expit, log_softmax, softmax
from scipy.stats import entropy

from audit_pipeline.compress.distill import distill, divergence
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.data.population import Population, Split
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import keras, tensorflow
from audit_pipeline.policy.steps import Distill
from audit_pipeline.predictions import OutputKind, Reading, Score, Task
from audit_pipeline.progress import silent

T = 3.0


def settings(**given: Any) -> Distill:
    return Distill.model_validate({"batch_size": 64, "learning_rate": 0.01, "epochs": 4} | given)


@pytest.fixture(scope="module")
def taught(population: Population) -> Lesson:
    return tones_lesson(population)


def measured(taught: Any, outputs: Any, kind: OutputKind) -> Any:
    tensors = (tensorflow().constant(values, "float32") for values in (taught, outputs))
    return divergence(*tensors, kind, T).numpy()


def test_the_divergence_is_that_of_distributions_softened_by_the_temperature() -> None:
    """Oracle: scipy's entropy of softmax(z / T), from logits and from probabilities alike."""
    z, w = np.random.default_rng(0).normal(scale=3, size=(2, 50, 4))
    expected = T**2 * entropy(softmax(z / T, axis=1), softmax(w / T, axis=1), axis=1)
    assert measured(z, w, OutputKind.LOGITS) == pytest.approx(expected, rel=1e-3, abs=1e-5)
    p, q = softmax(z, axis=1), softmax(w, axis=1)
    assert measured(p, q, OutputKind.SOFTMAX) == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert measured(p, p, OutputKind.SOFTMAX) == pytest.approx(0, abs=1e-5)
    assert np.allclose(log_softmax(z, axis=1), np.log(p))


def test_one_unit_is_a_distribution_of_two_classes_and_several_sigmoids_are_one_each() -> None:
    z, w = np.random.default_rng(0).normal(scale=2, size=(2, 50, 3))
    pair = [np.stack([expit(values / T), 1 - expit(values / T)]) for values in (z, w)]
    expected = T**2 * entropy(*pair, axis=0)
    one = measured(z[:, :1], w[:, :1], OutputKind.LOGITS)
    assert one == pytest.approx(expected[:, 0], rel=1e-3, abs=1e-5)
    three = measured(expit(z), expit(w), OutputKind.SIGMOID)
    assert three == pytest.approx(expected.sum(axis=1), rel=1e-3, abs=1e-4)


def test_a_student_of_the_teacher_is_closer_to_it_than_one_of_the_labels(trained: Any, taught: Lesson) -> None:
    answers = trained(taught.x).numpy()
    apart = []
    for weight in (0.0, 1.0):
        student, part = distill(untrained(), settings(weight=weight), trained, taught, 2, silent)
        apart.append(entropy(answers.T + 1e-7, student(taught.x).numpy().T + 1e-7).mean())
        assert accuracy(student, taught) > 0.8
    assert apart[1] < 0.7 * apart[0]
    assert "with the source model's answers at temperature 2" in part.notes[0]


def test_neither_student_nor_teacher_is_changed_and_the_seed_decides(trained: Any, taught: Lesson) -> None:
    student, teacher = untrained(), [weight.copy() for weight in trained.get_weights()]
    before = [weight.copy() for weight in student.get_weights()]
    how = settings(epochs=1, balance="group", patience=1)
    first, again = (distill(student, how, trained, taught, 2, silent)[0] for _ in range(2))
    assert equal_weights(first, again)
    assert all(np.array_equal(a, b) for a, b in zip(before, student.get_weights(), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(teacher, trained.get_weights(), strict=True))


def test_a_student_that_ends_otherwise_is_refused(trained: Any, taught: Lesson) -> None:
    layers = keras().layers
    for last in (layers.Dense(3), layers.Dense(4, activation="softmax")):
        student = keras().Sequential([layers.Input((20, 1)), layers.Flatten(), last])
        with pytest.raises(InputError) as caught:
            distill(student, settings(), trained, taught, 1, silent)
        assert caught.value.code == "compress.student-output"


@pytest.mark.parametrize("reading", [Reading(Task.REGRESSION), Reading(Task.CLASSIFICATION)])
def test_one_output_is_learnt_as_a_number_or_as_a_probability(reading: Reading) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    regression = reading.task is Task.REGRESSION
    layers = keras().layers
    activation = None if regression else "sigmoid"
    keras().utils.set_random_seed(1)
    teacher = keras().Sequential([layers.Input((3,)), layers.Dense(1, activation=activation)])
    student = keras().Sequential(
        [layers.Input((3,)), layers.Dense(8, activation="relu"), layers.Dense(1, activation=activation)]
    )
    lesson = lesson_of(Split(x, np.zeros(400, np.int64), {}, None), 1, reading=reading)
    loss = "MeanSquaredError" if regression else "BinaryCrossentropy"
    lesson = replace(lesson, objective=replace(lesson.objective, loss=loss))
    learnt, part = distill(student, settings(weight=1.0, epochs=20), teacher, lesson, 1, silent)
    before, after = (np.abs(model(x) - teacher(x)).mean() for model in (student, learnt))
    assert after < 0.3 * before
    assert ("mean squared error" in part.notes[0]) == regression


def test_an_autoencoder_learns_the_teachers_reconstruction() -> None:
    x = np.random.default_rng(0).normal(size=(300, 4, 2)).astype(np.float32)
    layers = keras().layers

    def autoencoder(units: int) -> Any:
        return keras().Sequential(
            [layers.Input((4, 2)), layers.Flatten(), layers.Dense(units), layers.Dense(8), layers.Reshape((4, 2))]
        )

    keras().utils.set_random_seed(1)
    teacher, student = autoencoder(8), autoencoder(8)
    reading = Reading(Task.ANOMALY, 0.5, Score.RECONSTRUCTION_ERROR)
    lesson = lesson_of(Split(x, np.zeros(300, np.int64), {}, None), reading=reading, answers=x)
    lesson = replace(lesson, objective=replace(lesson.objective, loss="MeanSquaredError"))
    learnt, _ = distill(student, settings(weight=1.0, epochs=20), teacher, lesson, 1, silent)
    before, after = (np.mean((model(x) - teacher(x)) ** 2) for model in (student, learnt))
    assert after < 0.3 * before


@pytest.mark.parametrize("shape", [(6,), (4, 3), (4, 4, 3)])
def test_rows_of_an_autoencoder_count_by_their_group_whatever_their_shape(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(256, *shape)).astype(np.float32)
    x[240:] += 3
    groups = {"sex": np.array(["f"] * 240 + ["m"] * 16)}
    reading = Reading(Task.ANOMALY, 0.5, Score.RECONSTRUCTION_ERROR)
    lesson = lesson_of(Split(x, np.zeros(256, np.int64), groups, None), reading=reading, answers=x)
    lesson = replace(lesson, objective=replace(lesson.objective, loss="MeanSquaredError"))
    layers = keras().layers
    keras().utils.set_random_seed(1)
    student, teacher = (keras().Sequential([layers.Input(shape), layers.Dense(shape[-1])]) for _ in range(2))
    teacher.layers[0].set_weights([np.eye(shape[-1]), np.zeros(shape[-1])])
    plainly = {"decay": "none", "average": False, "sampling": "rows", "blend": False}
    alike, balanced = (
        distill(student, settings(**plainly, balance=spec), teacher, lesson, 1, silent)[0]
        for spec in ("overall", "sex")
    )
    assert np.abs(alike.get_weights()[0] - balanced.get_weights()[0]).max() > 0.05


def test_a_student_forgets_nothing_at_random_and_says_so(taught: Lesson) -> None:
    layers = keras().layers
    student = keras().Sequential(
        [
            layers.Input(taught.x.shape[1:]),
            layers.Flatten(),
            layers.Dropout(0.5, name="forget"),
            layers.Dense(3, "softmax"),
        ]
    )
    trained, part = distill(student, settings(epochs=1), student, taught, 1, silent)
    assert trained.get_layer("forget").rate == 0
    assert student.get_layer("forget").rate == 0.5
    assert part.notes[-1] == "dropout is off in forget: a teacher's answers need none"
