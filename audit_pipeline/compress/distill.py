"""Distillation: a student learns what the float source answers, and not only what was right.

Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network": the teacher's softened probabilities tell
how much each wrong class resembles the row, which labels do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.draw import Answers
from audit_pipeline.compress.lesson import Lesson, smoothed
from audit_pipeline.compress.objective import by_row
from audit_pipeline.compress.training import Aim, copied, fit, trained_part
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.model.feed import feed
from audit_pipeline.model.predict import output_kind
from audit_pipeline.model.runtime import keras, quiet, tensorflow
from audit_pipeline.policy.steps import Distill
from audit_pipeline.predictions import OutputKind, Task
from audit_pipeline.progress import Progress

_BATCH = 1024
_SMALLEST = 1e-7
"""Of a probability whose logarithm is taken, as in Keras' cross-entropy."""


def distill(
    student: Any, settings: Distill, teacher: Any, lesson: Lesson, seed: int, progress: Progress
) -> tuple[Any, StepPart]:
    """Train a student towards the teacher's answers and the labels.

    The loss of a row is weight · T² · KL(teacher ‖ student), both at temperature T, plus (1 − weight) times the loss
    towards the label (Hinton et al. 2015, section 2). Outputs that are no probabilities of classes - a number, a
    reconstruction - have no temperature: their first term is the mean squared difference from the teacher's.

    Args:
        student: an uncompiled tf_keras model; it is not changed.
        settings: the step as the policy writes it.
        teacher: the float source; it answers every row once, and every blend of rows.
        lesson: what to train on, and the loss towards the labels.
        seed: of the order of the rows, of dropout and of who is held out.
        progress: told the share of epochs that are done.

    Returns:
        The trained student, and the step as it was carried out.

    Raises:
        InputError: `compress.student-output`: the student's output is not of the teacher's kind; or as `fit`.
    """
    kind = _kind(student, teacher, lesson)
    lesson = smoothed(lesson, settings.label_smoothing)
    ask = _asker(teacher)
    answers = np.concatenate([lesson.answers, _answers(ask, lesson.x)], axis=-1)
    said = "the source model's answers"
    said += f" at temperature {settings.temperature:g}" if kind else " by mean squared error"
    if settings.weight < 1:
        said += f" by {settings.weight:.0%}, the labels with {lesson.objective.loss} by {1 - settings.weight:.0%}"
    said += ", over rows that are each blended with another" if settings.blend else ""
    trained, still = _without_dropout(student, seed)
    loss = _loss(settings, kind, lesson.objective.instance())
    notes = fit(
        trained,
        settings,
        lesson,
        seed,
        progress,
        "distill",
        aim=Aim(answers, loss, said, _both(ask) if settings.blend else None),
    )
    if still:
        notes += (f"dropout is off in {', '.join(still)}: a teacher's answers need none",)
    return copied(trained, seed), trained_part("distill", settings, lesson, notes)


def _without_dropout(student: Any, seed: int) -> tuple[Any, list[str]]:
    """A copy that forgets nothing at random, and the layers that would have.

    Dropout keeps a model from learning labels by heart. A teacher's answers say how sure to be, so there is nothing to
    be kept from, and of a pruned layer half of what is left would be missing at every step.
    """
    still: list[str] = []

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if config.get("rate") and type(layer).__name__.endswith("Dropout"):
            still.append(layer.name)
            config["rate"] = 0.0
        return type(layer).from_config(config)

    keras().utils.set_random_seed(seed)
    with quiet():
        copy = keras().models.clone_model(student, clone_function=clone)
    copy.set_weights(student.get_weights())
    return copy, still


def _kind(student: Any, teacher: Any, lesson: Lesson) -> OutputKind | None:
    """What the outputs of both are; None where they are no scores of classes."""
    shapes = [tuple(model.outputs[0].shape[1:]) for model in (student, teacher)]
    kinds = [output_kind(model, who, lesson.reading) for model, who in ((student, "the student"), (teacher, "source"))]
    if shapes[0] != shapes[1] or kinds[0] is not kinds[1]:
        raise InputError(
            "compress.student-output",
            f"the student gives {shapes[0]} {kinds[0]}, the source {shapes[1]} {kinds[1]}",
            hint="end the student in the layer that the source ends in",
        )
    if lesson.reading.task is Task.REGRESSION or lesson.reading.reconstructs:
        return None
    return kinds[0]


def _asker(teacher: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """From rows to the teacher's outputs, both [rows, ...]."""
    tf = tensorflow()
    compiled = tf.function(lambda rows: teacher(rows, training=False), reduce_retracing=True)

    def ask(x: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = tf.nest.map_structure(tf.constant, feed(teacher, x))
        return np.asarray(compiled(rows).numpy(), dtype=np.float32)

    return ask


def _both(ask: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Answers:
    """Labels and the teacher's outputs side by side, as the loss takes them."""
    return lambda x, labels: np.concatenate([labels, ask(x)], axis=-1)


def _answers(ask: Callable[[NDArray[np.float32]], NDArray[np.float32]], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The teacher's outputs, [rows, ...]."""
    return np.concatenate([ask(x[at : at + _BATCH]) for at in range(0, len(x), _BATCH)])


def _loss(settings: Distill, kind: OutputKind | None, to_labels: Any) -> Any:
    """The loss over [labels, teacher's outputs], joined on the last axis; one value a row, [rows, 1, ...]."""
    tf = tensorflow()

    class Distillation(keras().losses.Loss):  # type: ignore[misc]
        """Both terms, by their weights."""

        def call(self, answers: Any, outputs: Any) -> Any:
            labels, taught = tf.split(answers, 2, axis=-1)
            if kind is None:
                teaching = by_row(tf.math.squared_difference(taught, outputs))
            else:
                teaching = divergence(taught, outputs, kind, settings.temperature)
            losses = settings.weight * teaching + (1 - settings.weight) * by_row(to_labels.call(labels, outputs))
            return tf.reshape(losses, [-1, *[1] * (len(outputs.shape) - 2)])  # as many axes as rows' weights have

    return Distillation()


def divergence(taught: Any, outputs: Any, kind: OutputKind, temperature: float) -> Any:
    """T² · KL(teacher ‖ student) of every row, both at temperature T.

    Units with a sigmoid, and a single unit, are one pair of probabilities each; others are one distribution together.

    Args:
        taught: [rows, units] the teacher's outputs, a float32 tensor.
        outputs: [rows, units] the student's.
        kind: what both are.
        temperature: T.

    Returns:
        [rows], in nats.
    """
    tf = tensorflow()
    z, w = (_logits(scores, kind) / temperature for scores in (taught, outputs))
    if kind is OutputKind.SIGMOID or taught.shape[-1] == 1:
        p, log = tf.sigmoid(z), tf.math.log_sigmoid
        terms = p * (log(z) - log(w)) + (1 - p) * (log(-z) - log(-w))
    else:
        terms = tf.nn.softmax(z) * (tf.nn.log_softmax(z) - tf.nn.log_softmax(w))
    return temperature**2 * tf.reduce_sum(terms, axis=-1)


def _logits(scores: Any, kind: OutputKind) -> Any:
    """What a sigmoid was taken of, or a softmax: of that up to a constant a row, which makes no difference."""
    if kind is OutputKind.LOGITS:
        return scores
    tf = tensorflow()
    p = tf.clip_by_value(scores, _SMALLEST, 1 - _SMALLEST)
    return tf.math.log(p) - tf.math.log1p(-p) if kind is OutputKind.SIGMOID else tf.math.log(p)
