"""DP-SGD: training that no single row, or person, can have moved by much (Abadi et al. 2016, algorithm 1).

Noise and draws come from a pseudo-random generator, PCG64DXSM, in floats: the budget is the mechanism's on paper, not
proof against somebody who can predict the generator or who exploits how floats are rounded (Mironov 2012).
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.compress.dp_sgd.accountant import epsilon, noise_for
from audit_pipeline.compress.dp_sgd.draw import samples, units_of
from audit_pipeline.compress.dp_sgd.gradient import ClippedSum, clipped_sum
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.training import copied, fresh, require_finite
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.model.feed import feeds
from audit_pipeline.model.runtime import keras, quiet, tensorflow
from audit_pipeline.policy.protection import TrainPrivate
from audit_pipeline.progress import Progress

_STEP = "train with differential privacy"
_AT_ONCE = 64
"""Units whose gradients are computed together: one compiled shape, padded with units that add nothing."""
_LEAST_SECRET = 32
_REPORTS = 200


@dataclass(frozen=True)
class Plan:
    """How the training runs, and what that spends."""

    units: int
    rate: float
    """Chance of a unit to be in a step."""
    steps: int
    noise: float
    """Standard deviation of the noise, in units of the clipping norm."""
    epsilon: float


def train_private(
    model: Any, settings: TrainPrivate, lesson: Lesson, seed: int, folder: Path, progress: Progress
) -> tuple[Any, StepPart]:
    """Train a model's architecture from fresh weights with differential privacy, by Adam on the noisy gradients.

    Neighbouring train splits differ by one row, or one person, more or less. Weights of classes are the manifest's as
    they stand; losses of a layer's regulariser are left out.

    Args:
        model: an uncompiled tf_keras model, whose weights are not used; it is not changed.
        settings: the step as the policy writes it.
        lesson: what to train on, and the loss.
        seed: of the fresh weights; of draws and noise too where there is no secret.
        folder: that the secret's path is relative to.
        progress: told the share of steps that are done.

    Returns:
        The trained model, and the step as it was carried out, with what it spent.

    Raises:
        InputError: `compress.private-state`: a layer bears what was measured on data without privacy;
            `compress.private-batch`, `compress.private-delta` or `compress.private-budget`: the settings do not fit so
            few units, or nothing keeps the budget; `compress.no-people`; `compress.no-secret`;
            `compress.no-private-gradient`: TensorFlow has no gradients of single rows for a layer; `compress.diverged`.
    """
    normalised = _batch_normalisations(model)
    units = units_of(lesson.split, settings.unit == "people")
    plan = plan_of(settings, len(units))
    draws, noise = _generators(settings, seed, folder)
    trained = fresh(model, seed)
    optimizer = keras().optimizers.Adam(settings.learning_rate)
    with quiet():
        total = clipped_sum(trained, lesson.objective.instance(), settings.clip)
        most = settings.rows_each if settings.unit == "people" else 1
        _try(trained, total, lesson, [units[0][:most]], most)
        drawn = samples(units, plan.rate, most, draws)
        for step in range(plan.steps):
            summed = _summed(trained, total, lesson, next(drawn), most)
            noisy = [_noisy(each, settings.clip * plan.noise, noise) / (plan.rate * plan.units) for each in summed]
            optimizer.apply_gradients(zip(map(tensorflow().constant, noisy), trained.trainable_variables, strict=True))
            if (step + 1) % max(1, plan.steps // _REPORTS) == 0:
                progress(_STEP, (step + 1) / plan.steps)
    require_finite(trained, _STEP)
    return copied(trained, seed), _part(settings, plan, lesson, normalised)


def plan_of(settings: TrainPrivate, units: int) -> Plan:
    """Steps, noise and budget for so many rows, or people.

    Raises:
        InputError: as `train_private`.
    """
    if settings.batch_size > units:
        raise InputError(
            "compress.private-batch",
            f"a batch of {settings.batch_size} {settings.unit} cannot be expected of {units}",
            hint="lower batch_size in train_private",
        )
    if settings.delta >= 1 / units:
        raise InputError(
            "compress.private-delta",
            f"a delta of {settings.delta:g} lets one of {units} {settings.unit} be given away whole",
            hint=f"set delta well below {1 / units:.2g}",
        )
    rate, steps = settings.batch_size / units, math.ceil(settings.epochs * units / settings.batch_size)
    noise = settings.noise
    if noise is None:
        assert settings.epsilon is not None, "the policy has one of both"  # noqa: S101
        noise = noise_for(settings.epsilon, rate, steps, settings.delta)
        if noise is None:
            raise InputError(
                "compress.private-budget",
                f"no noise keeps an epsilon of {settings.epsilon:g} over {steps} steps",
                hint="raise epsilon, or train for fewer epochs",
            )
    return Plan(units, rate, steps, noise, epsilon(rate, noise, steps, settings.delta))


def _summed(
    model: Any, total: ClippedSum, lesson: Lesson, drawn: list[NDArray[np.int64]], most: int
) -> list[NDArray[np.float64]]:
    """Clipped gradients of a sample, added up over its units."""
    sums = [np.zeros(variable.shape) for variable in model.trainable_variables]
    for at in range(0, len(drawn), _AT_ONCE):
        rows, weights = _padded(drawn[at : at + _AT_ONCE], most, lesson)
        x = [part.reshape(_AT_ONCE, most, *part.shape[1:]) for part in feeds(model, lesson.x[rows])]
        answers = lesson.answers[rows].reshape(_AT_ONCE, most, *lesson.answers.shape[1:])
        chunk = total(x[0] if len(x) == 1 else x, answers, weights)
        sums = [kept + each.numpy() for kept, each in zip(sums, chunk, strict=True)]
    return sums


def _try(model: Any, total: ClippedSum, lesson: Lesson, drawn: list[NDArray[np.int64]], most: int) -> None:
    """Compile the gradients, which not every layer has; what comes out is thrown away."""
    logging.disable(logging.ERROR)  # TensorFlow logs, with its whole stack, what is told in one sentence here
    try:
        _summed(model, total, lesson, drawn, most)
    except Exception as error:  # as many classes as there are operators that cannot be mapped over rows
        reason = next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "no reason given")
        raise InputError(
            "compress.no-private-gradient",
            f"TensorFlow computes no gradients of single rows for this model ({reason[:200]})",
            hint="set unroll=True in recurrent layers, and leave out grouped convolutions",
        ) from error
    finally:
        logging.disable(logging.NOTSET)


def _padded(drawn: list[NDArray[np.int64]], most: int, lesson: Lesson) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Row numbers of so many units with so many rows each, and [units, rows] weights, 0 where there is no row."""
    rows, weights = np.zeros((_AT_ONCE, most), np.int64), np.zeros((_AT_ONCE, most), np.float32)
    for number, those in enumerate(drawn):
        counts = 1.0 if lesson.class_weights is None else lesson.class_weights[lesson.split.y[those]]
        rows[number, : len(those)] = those
        weights[number, : len(those)] = counts / len(those)
    return rows.reshape(-1), weights


def _noisy(summed: NDArray[np.float64], deviation: float, random: np.random.Generator) -> NDArray[np.float32]:
    return (summed + deviation * random.standard_normal(summed.shape)).astype(np.float32)


def _generators(settings: TrainPrivate, seed: int, folder: Path) -> list[np.random.Generator]:
    """One for draws, one for noise."""
    said = f"train_private {seed} ".encode() + (b"" if settings.secret is None else _secret(folder / settings.secret))
    sequence = np.random.SeedSequence(int(sha256_hex(said), 16))
    return [np.random.Generator(np.random.PCG64DXSM(each)) for each in sequence.spawn(2)]


def _secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise _no_secret(f"the secret cannot be read ({error.strerror})", path) from error
    if len(secret) < _LEAST_SECRET:
        raise _no_secret(f"the secret has {len(secret)} bytes", path)
    return secret


def _no_secret(what: str, path: Path) -> InputError:
    hint = f"put {_LEAST_SECRET} random bytes there, and keep them as private as the data"
    return InputError("compress.no-secret", what, where=str(path), hint=hint)


def _batch_normalisations(model: Any) -> list[str]:
    """Names of the layers that run as a fixed affine map; nothing else may hold what is not trained."""
    found = []
    for layer in model._flatten_layers(include_self=False, recursive=True):
        kind = type(layer).__name__
        if kind in ("Normalization", "SpectralNormalization") or not layer.trainable:
            raise InputError(
                "compress.private-state",
                f"layer {layer.name!r} ({kind}) holds values that are not trained, which may come from the data",
                hint="normalise the data before the model, and let every layer be trainable",
            )
        if kind == "BatchNormalization":
            found.append(layer.name)
    return found


def _part(settings: TrainPrivate, plan: Plan, lesson: Lesson, normalised: list[str]) -> StepPart:
    given = settings.model_dump(mode="json") | {"optimizer": "Adam", "loss": lesson.objective.loss}
    spent = {
        "epsilon_spent": plan.epsilon,
        "noise_used": plan.noise,
        "rate": plan.rate,
        "steps": plan.steps,
        "units": plan.units,
    }
    return StepPart(
        technique="train_private", settings=given | spent, notes=tuple(_notes(settings, plan, lesson, normalised))
    )


def _notes(settings: TrainPrivate, plan: Plan, lesson: Lesson, normalised: list[str]) -> list[str]:
    notes = [
        f"epsilon {plan.epsilon:.4g} at delta {settings.delta:g} for one of {plan.units} {settings.unit} more or less: "
        f"{plan.steps} steps, each on a Poisson sample at a rate of {plan.rate:.4g}, noise {plan.noise:.4g} × clip "
        f"{settings.clip:g} (Rényi accounting)",
        f"trained from fresh weights on {lesson.taken} with {lesson.objective.loss}; the source's weights are not used",
        "not protected: the calibration split, whose rows give ranges, and every choice of settings that was made by "
        "looking at the data; any later training on the train split would void the budget",
    ]
    if settings.secret is None:
        notes.append(
            "noise and draws follow from the recipe's seed, which this evidence names: the budget holds against those "
            "alone who do not know it; give `secret`"
        )
    if settings.unit == "rows" and lesson.split.subjects is not None:
        notes.append("a row is protected, not a person: the rows of one person together give away more; see `unit`")
    if lesson.class_weights is not None:
        notes.append("the manifest's class_weights count as public: where they come from the labels, they spend more")
    if normalised:
        notes.append(f"batch normalisation would mix rows, so it runs as a fixed affine map: {', '.join(normalised)}")
    return notes
