"""The recipe, carried out: a source model and a list of steps become a candidate."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.cluster import cluster
from audit_pipeline.compress.distill import distill
from audit_pipeline.compress.dp_sgd.train import train_private
from audit_pipeline.compress.fine_tune import fine_tune
from audit_pipeline.compress.lesson import Lesson, lesson
from audit_pipeline.compress.neurons.narrow import narrowed
from audit_pipeline.compress.objective import objective
from audit_pipeline.compress.prune_neurons import prune_neurons
from audit_pipeline.compress.prune_weights import prune_weights
from audit_pipeline.compress.quantize import Calibration, quantize
from audit_pipeline.data.population import Development, Split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import CandidatePart, StepPart
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras, loaded_description
from audit_pipeline.model.outputs import check_output
from audit_pipeline.model.predict import output_kind
from audit_pipeline.model.runtime import keras_runtime
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.recipe import (
    ClusterStep,
    Compress,
    DistillStep,
    FineTuneStep,
    PruneNeuronsStep,
    PruneWeightsStep,
    QuantizeStep,
    Recipe,
    RecipeStep,
    TrainPrivateStep,
)
from audit_pipeline.policy.steps import Distill, Quantize
from audit_pipeline.progress import Progress, silent

_HERE = Path()


def compress(
    source: SourceModel, section: Compress, data: Development, progress: Progress = silent, *, folder: Path = _HERE
) -> Candidate:
    """Carry out a recipe: train on the train split, calibrate on the calibration split.

    Equal inputs give equal bytes, in this process or another, on the same machine and library versions.

    Args:
        source: an inspected Keras model.
        section: a recipe and a seed; its last step quantizes.
        data: with a task that the model's output fits.
        progress: told how far each step is.
        folder: that the paths in the recipe are relative to: the policy's.

    Raises:
        InputError: the model is finished already, does not fit the data, or cannot be compressed so.
    """
    shaped = shape(source, section, data, progress, folder=folder)
    return finish(shaped, section, data, progress)


@dataclass(frozen=True, eq=False)
class Shaped:
    """What the steps before quantize left: a float model that can be quantized in more than one way."""

    model: Any
    """Uncompiled tf_keras model."""
    lesson: Lesson | None
    """What it was trained on; None where the recipe trains nothing."""
    parts: tuple[StepPart, ...]
    """The steps as they were carried out."""


def shape(
    source: SourceModel, section: Compress, data: Development, progress: Progress = silent, *, folder: Path = _HERE
) -> Shaped:
    """Carry out all of a recipe but its last step; arguments and errors as `compress`."""
    assert section.recipe is not None, "a search is not a recipe"  # noqa: S101
    _check_rows(source, data.calibration.x)
    keras_runtime(section.seed)
    model, parts = load_keras(source), []
    trains = any(_trains(step) for step in section.recipe)
    taught = _lesson(model, source, data) if trains else None
    for step in section.recipe[:-1]:
        assert taught is not None, "every step but quantize learns from a lesson"  # noqa: S101
        work = _Work(source, data, taught, section.seed, folder, progress)
        model, part = _step(model, step, work)
        parts.append(part.model_copy(update=_size(model)))
    return Shaped(model, taught, tuple(parts))


def finish(shaped: Shaped, section: Compress, data: Development, progress: Progress = silent) -> Candidate:
    """Carry out a recipe's last step on what the others left; arguments and errors as `compress`."""
    assert section.recipe is not None, "a search is not a recipe"  # noqa: S101
    settings = _quantize_settings(section.recipe)
    rows = stratified_sample(data.calibration, settings.calibration_rows, section.seed)
    columns = " × ".join(sorted(data.calibration.groups)) or "none"
    drawn = f"of the calibration split, drawn evenly over groups ({columns}), seed {section.seed}"
    calibration = Calibration(data.calibration.take(rows), drawn)
    tflite, part = quantize(shaped.model, settings, calibration, shaped.lesson, section.seed, progress)
    return _candidate(tflite, section.seed, [*shaped.parts, part])


@dataclass(frozen=True)
class _Work:
    """What a step may need besides the model."""

    source: SourceModel
    data: Development
    lesson: Lesson
    seed: int
    folder: Path
    progress: Progress


def _step(model: Any, step: RecipeStep, work: _Work) -> tuple[Any, StepPart]:
    match step:
        case TrainPrivateStep():
            return train_private(model, step.train_private, work.lesson, work.seed, work.folder, work.progress)
        case PruneWeightsStep():
            return prune_weights(model, step.prune_weights, work.lesson, work.seed, work.progress)
        case PruneNeuronsStep():
            return prune_neurons(model, step.prune_neurons, work.lesson, work.seed, work.progress)
        case FineTuneStep():
            return fine_tune(model, step.fine_tune, work.lesson, work.seed, work.progress)
        case ClusterStep():
            return cluster(model, step.cluster, work.lesson, work.seed, work.progress)
        case DistillStep():
            teacher = load_keras(work.source)
            student = _student(model, step.distill, work)
            return distill(student, step.distill, teacher, work.lesson, work.seed, work.progress)
    raise AssertionError("quantize is the last step and stands alone")


def _student(model: Any, settings: Distill, work: _Work) -> Any:
    """Who learns: a model from a file, the source made narrower, or the model as it stands."""
    if settings.width is not None:
        return narrowed(load_keras(work.source), settings.width, work.seed)
    if settings.student is None:
        return model
    source = inspect_model(work.folder / settings.student)
    check_output(source, work.data)
    _check_rows(source, work.data.calibration.x)
    return load_keras(source)


def _trains(step: RecipeStep) -> bool:
    return not isinstance(step, QuantizeStep) or step.quantize.aware is not None


def _lesson(model: Any, source: SourceModel, data: Development) -> Lesson:
    check_output(source, data)
    units = source.part.output_shape[-1]
    kind = output_kind(model, str(source.path), data.reading)
    return lesson(data, objective(loaded_description(source).loss, kind, units, data.reading), units)


def _size(model: Any) -> dict[str, int]:
    weights = model.get_weights()
    return {
        "parameters": sum(int(weight.size) for weight in weights),
        "zeros": sum(int(np.count_nonzero(weight == 0)) for weight in weights),
    }


def compress_on(
    source: SourceModel,
    section: Compress,
    representative: NDArray[np.float32],
    drawn: str,
    progress: Progress = silent,
) -> Candidate:
    """Carry out a recipe that only quantizes, without a population.

    Args:
        source: an inspected Keras model; its output does not matter.
        section: a recipe of the one step `quantize`; its `calibration_rows` does not apply.
        representative: [rows, *input_shape] rows to calibrate on.
        drawn: in words, where those rows come from, as "of random numbers": the candidate bears it as a note.
        progress: told how far each step is.

    Raises:
        InputError: `compress.needs-data` for other steps, or as `compress`.
    """
    if section.recipe is None or len(section.recipe) != 1 or _trains(section.recipe[0]):
        raise InputError(
            "compress.needs-data",
            "the recipe fine-tunes the model, which needs a data set",
            hint="give a policy with a data section, or a recipe of quantize alone",
        )
    _check_rows(source, representative)
    keras_runtime(section.seed)
    settings = _quantize_settings(section.recipe)
    tflite, part = quantize(load_keras(source), settings, _bare(representative, drawn), None, section.seed, progress)
    return _candidate(tflite, section.seed, [part])


def random_rows(source: SourceModel, rows: int, seed: int) -> NDArray[np.float32]:
    """Standard normal rows to calibrate on where there are no data: sizes will be right, accuracy will not.

    Returns:
        [rows, *input_shape].
    """
    random = np.random.default_rng(seed)
    return random.standard_normal((rows, *source.part.input_shape), dtype=np.float32)


def from_tflite(source: SourceModel) -> Candidate:
    """Take a finished .tflite as the candidate, byte for byte.

    Raises:
        InputError: `model.not-finished` or `model.changed`.
    """
    if not source.is_finished:
        raise InputError(
            "model.not-finished",
            "only a .tflite can be taken as it is",
            where=str(source.path),
            hint="give a recipe to compress it by",
        )
    tflite = source.path.read_bytes()
    if sha256_hex(tflite) != source.part.sha256:
        raise InputError("model.changed", "the model changed on disk after it was inspected", where=str(source.path))
    return _candidate(tflite, 0, [])


def _bare(representative: NDArray[np.float32], drawn: str) -> Calibration:
    """Rows of nobody."""
    return Calibration(Split(representative, np.zeros(len(representative), np.int64), {}, None), drawn)


def _check_rows(source: SourceModel, rows: NDArray[np.float32]) -> None:
    if tuple(source.part.input_shape) != rows.shape[1:] or not len(rows):
        raise InputError(
            "model.input-shape",
            f"the model takes rows of shape {source.part.input_shape}, calibration has {len(rows)} of {rows.shape[1:]}",
            where=str(source.path),
            hint="prepare the data as the model was trained",
        )


def _quantize_settings(recipe: Recipe) -> Quantize:
    last = recipe[-1]
    assert isinstance(last, QuantizeStep), "the policy's model lets no other recipe through"  # noqa: S101
    return last.quantize


def _candidate(tflite: bytes, seed: int, steps: list[StepPart]) -> Candidate:
    sizes = {"size_bytes": len(tflite), "zipped_bytes": len(zlib.compress(tflite, level=9))}
    told = [*steps[:-1], *(last.model_copy(update=sizes) for last in steps[-1:])]
    part = CandidatePart(sha256=sha256_hex(tflite), **sizes, seed=seed, steps=tuple(told))
    return Candidate(tflite=tflite, part=part)
