"""The one place that trains: every step that does gives its model, and what it should come to, here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.averaging import MeanOfEpochs
from audit_pipeline.compress.draw import Answers, batches
from audit_pipeline.compress.holdout import held_out
from audit_pipeline.compress.lesson import Lesson, smoothed
from audit_pipeline.compress.optimizer import optimizer
from audit_pipeline.compress.training_notes import said, stopping, weighing
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.model.feed import feed
from audit_pipeline.model.runtime import keras, quiet, tensorflow
from audit_pipeline.policy.steps import Training
from audit_pipeline.progress import Progress

_HELD_OUT = 0.2
"""Share of the people whose loss says when to stop."""


@dataclass(frozen=True)
class Aim:
    """What training works towards, where that is not the lesson's own answers and loss."""

    answers: NDArray[np.float32]
    """[rows, ...] as the loss takes them, for every row of the lesson."""
    loss: Any
    """A tf_keras loss."""
    said: str
    """What it is, in words."""
    of_batch: Answers | None = None
    """Where rows are blended: what the loss takes of a blended batch."""


def copied(model: Any, seed: int) -> Any:
    """A copy of an uncompiled tf_keras model with its weights, made after every generator was seeded.

    A step trains a copy, as the model that it is given stays as it is.
    """
    keras().utils.set_random_seed(seed)
    with quiet():
        copy = keras().models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def require_finite(model: Any, step: str) -> None:
    """Refuse weights that training has led astray.

    Raises:
        InputError: `compress.diverged`.
    """
    if not all(np.all(np.isfinite(weight)) for weight in model.get_weights()):
        raise InputError(
            "compress.diverged",
            f"training ended in NaN weights ({step})",
            hint="lower learning_rate in this step of the recipe",
        )


def fresh(model: Any, seed: int) -> Any:
    """The same architecture with weights drawn anew, as before any training, after every generator was seeded.

    Statistics that were measured on data rather than trained (`Normalization`) are carried over.

    Args:
        model: a tf_keras model; it is not changed.
        seed: of the weights, and of what is drawn while the new model is trained.
    """
    keras().utils.set_random_seed(seed)
    with quiet():
        made = keras().models.clone_model(model)
    for old, new in zip(_layers(model), _layers(made), strict=True):
        if type(old).__name__ == "Normalization":
            new.set_weights(old.get_weights())
    return made


def _layers(model: Any) -> list[Any]:
    return list(model._flatten_layers(include_self=False))


def fit(
    model: Any,
    settings: Training,
    lesson: Lesson,
    seed: int,
    progress: Progress,
    step: str,
    *,
    aim: Aim | None = None,
    callbacks: Sequence[Any] = (),
    settled: int = 0,
) -> tuple[str, ...]:
    """Train a model, in place, with Adam or AdamW. Weights that were pruned, and so are zero, stay zero.

    The order of the rows and dropout follow from tf_keras' generators, which the caller seeds before it makes the
    model, as `copied` does: the same seed then gives the same weights.

    Args:
        model: an uncompiled tf_keras model.
        settings: how to train.
        lesson: the rows, how much each counts, and what to answer.
        seed: of the draw of the people who are held out.
        progress: told the share of epochs that are done.
        step: what is being done, in words.
        aim: the answers and the loss; left out: the lesson's, smoothed where the settings say so.
        callbacks: of tf_keras.
        settled: the first epoch, counted from 0, whose weights may be kept: before it the model is not yet what the
            step is to make of it.

    Returns:
        Notes: what it was trained on and towards, how rows were weighted, and which epoch was kept.

    Raises:
        InputError: `compress.diverged`, `compress.nobody-held-out`, `data.unknown-group`, or as `smoothed`.
    """
    if aim is None:
        lesson = smoothed(lesson, settings.label_smoothing)
    aim = aim or Aim(lesson.answers, lesson.objective.instance(), said(lesson))
    out = _held_out(lesson, settings, seed)
    given = _drawn(model, settings, lesson, aim, ~out, seed) or _whole(model, settings, lesson, aim, ~out)
    total = _batches(settings, out)
    first = min(settled, settings.epochs - 1)
    mean = MeanOfEpochs(max(first, settings.epochs // 2)) if settings.averages else None
    early = None
    if settings.patience is not None:
        early = keras().callbacks.EarlyStopping(
            patience=settings.patience, start_from_epoch=first, restore_best_weights=True
        )
    masks = _masks(model)
    with quiet():
        model.compile(optimizer(model, settings, total), aim.loss)
        model.fit(
            **given,
            validation_data=_rows(model, settings, lesson, aim, out) if early else None,
            validation_batch_size=settings.batch_size,
            epochs=settings.epochs,
            verbose=0,
            callbacks=[
                *callbacks,
                *_zeros_kept(masks),
                *([early] if early else []),
                *([mean.callback(model)] if mean else []),
                _told(settings, progress, step),
            ],
        )
    if mean is not None:
        model.set_weights(mean.weights)
    notes = [f"trained on {int(np.count_nonzero(~out))} {lesson.taken} with {aim.said}", *weighing(lesson, settings)]
    if mean is not None:
        notes.append(f"the weights are the mean over the last {mean.epochs} of {settings.epochs} epochs")
    if masks:
        notes.append(f"{sum(int((~mask).sum()) for _, mask in masks)} weights that were zero before stayed so")
    if early is not None:
        model.set_weights(early.best_weights)  # Keras does so only where it stopped before the last epoch
        progress(step, 1.0)
        notes.append(stopping(early, lesson, out))
    require_finite(model, step)
    return tuple(notes)


def _drawn(
    model: Any, settings: Training, lesson: Lesson, aim: Aim, which: NDArray[np.bool_], seed: int
) -> dict[str, Any] | None:
    """Batches that are drawn or blended; None where every row comes once an epoch, as it is."""
    evenly, blended = settings.sampling == "square_root", aim.of_batch is not None
    if not evenly and not blended:
        return None
    taken = lesson if blended else replace(lesson, answers=aim.answers)
    taken = taken if which.all() else taken.take(which)
    weights, answers = taken.weights(settings.balance), aim.of_batch or (lambda _, labels: labels)
    size = settings.batch_size
    return {"x": batches(model, taken, weights, answers, size, seed, evenly=evenly, blended=blended), "shuffle": False}


def _whole(model: Any, settings: Training, lesson: Lesson, aim: Aim, which: NDArray[np.bool_]) -> dict[str, Any]:
    x, answers, weights = _rows(model, settings, lesson, aim, which)
    return {"x": x, "y": answers, "sample_weight": weights, "batch_size": settings.batch_size}


def trained_part(technique: str, settings: Training, lesson: Lesson, notes: Iterable[str]) -> StepPart:
    """A step that trained, as it was carried out.

    Args:
        technique: its name in a recipe.
        settings: the step as the policy writes it.
        lesson: what it trained on.
        notes: what was done, in words.
    """
    kind = "AdamW" if settings.weight_decay else "Adam"
    given = settings.model_dump(mode="json") | {"optimizer": kind, "loss": lesson.objective.loss}
    return StepPart(technique=technique, settings=given, notes=tuple(notes))


def steps(lesson: Lesson, settings: Training, seed: int) -> int:
    """Batches that `fit` runs at most: every epoch's, over everybody who is not held out."""
    return _batches(settings, _held_out(lesson, settings, seed))


def _batches(settings: Training, out: NDArray[np.bool_]) -> int:
    return settings.epochs * math.ceil(np.count_nonzero(~out) / settings.batch_size)


def _rows(model: Any, settings: Training, lesson: Lesson, aim: Aim, which: NDArray[np.bool_]) -> tuple[Any, Any, Any]:
    """Rows as Keras' fit takes them: inputs, answers and weights, which reach over the axes of a loss by element."""
    taken, answers = lesson.take(which), aim.answers[which]
    weights = taken.weights(settings.balance)
    if weights is not None:
        weights = weights.reshape(len(weights), *[1] * (answers.ndim - 2))
    return feed(model, taken.x), answers, weights


def _held_out(lesson: Lesson, settings: Training, seed: int) -> NDArray[np.bool_]:
    if settings.patience is None:
        return np.zeros(len(lesson), bool)
    out = held_out(lesson.split, _HELD_OUT, seed)
    if not out.any():
        raise InputError(
            "compress.nobody-held-out",
            f"the lesson has {len(lesson)} {lesson.taken} of one person, and patience needs another to hold out",
            hint="leave patience out of this step of the recipe",
        )
    return out


def _masks(model: Any) -> list[tuple[Any, NDArray[np.bool_]]]:
    """The kernels that were pruned, each with what is left of it."""
    values = [(variable, variable.numpy()) for variable in model.trainable_variables]
    return [(variable, value != 0) for variable, value in values if value.ndim > 1 and value.any() and not value.all()]


def _zeros_kept(masks: list[tuple[Any, NDArray[np.bool_]]]) -> list[Any]:
    """A callback that puts zeros back after each batch."""
    if not masks:
        return []

    def restore() -> None:
        for variable, mask in masks:
            variable.assign(variable * mask.astype(variable.dtype.as_numpy_dtype))

    compiled = tensorflow().function(restore)
    return [keras().callbacks.LambdaCallback(on_train_batch_end=lambda *_: compiled())]


def _told(settings: Training, progress: Progress, step: str) -> Any:
    return keras().callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: progress(step, (epoch + 1) / settings.epochs))
