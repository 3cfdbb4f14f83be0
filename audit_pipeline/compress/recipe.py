"""The recipe, carried out: a source model and a list of steps become a candidate."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.lesson import lesson
from audit_pipeline.compress.objective import objective
from audit_pipeline.compress.prune_weights import prune_weights
from audit_pipeline.compress.quantize import quantize
from audit_pipeline.data.population import Population
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import CandidatePart, StepPart
from audit_pipeline.model.load import load_keras, loaded_description
from audit_pipeline.model.outputs import check_output
from audit_pipeline.model.predict import output_kind
from audit_pipeline.model.runtime import keras_runtime
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.schema import Compress, PruneWeights, PruneWeightsStep, Quantize, QuantizeStep
from audit_pipeline.progress import Progress, silent


def compress(source: SourceModel, section: Compress, population: Population, progress: Progress = silent) -> Candidate:
    """Carry out a recipe on a population: fine-tune on its train split, calibrate on its calibration split.

    Equal inputs give equal bytes, in this process or another, on the same machine and library versions.

    Args:
        source: an inspected Keras model.
        section: the policy's recipe and seed; its last step quantizes.
        population: with a task that the model's output fits.
        progress: told how far each step is.

    Raises:
        InputError: the model is finished already, does not fit the population, or cannot be compressed so.
    """
    _check_rows(source, population.calibration.x)
    keras_runtime(section.seed)
    model, steps = load_keras(source), []
    for step in section.recipe:
        if isinstance(step, PruneWeightsStep):
            model, part = _pruned(model, source, step.prune_weights, population, section.seed, progress)
            steps.append(part)
    settings = _quantize_settings(section)
    rows = stratified_sample(population.calibration, settings.calibration_rows, section.seed)
    columns = " × ".join(sorted(population.calibration.groups)) or "none"
    drawn = f"of the calibration split, drawn evenly over groups ({columns})"
    tflite, part = quantize(model, settings, population.calibration.x[rows], drawn, progress)
    return _candidate(tflite, section.seed, [*steps, part])


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
    if len(section.recipe) != 1:
        raise InputError(
            "compress.needs-data",
            "the recipe fine-tunes the model, which needs a data set",
            hint="give a policy with a data section, or a recipe of quantize alone",
        )
    _check_rows(source, representative)
    keras_runtime(section.seed)
    tflite, part = quantize(load_keras(source), _quantize_settings(section), representative, drawn, progress)
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


def _pruned(
    model: Any, source: SourceModel, settings: PruneWeights, population: Population, seed: int, progress: Progress
) -> tuple[Any, StepPart]:
    check_output(source, population)
    reading, units = population.reading, source.part.output_shape[-1]
    kind = output_kind(model, str(source.path), reading)
    loss = objective(loaded_description(source).loss, kind, units, reading)
    return prune_weights(model, settings, lesson(population, loss, units), seed, progress)


def _check_rows(source: SourceModel, rows: NDArray[np.float32]) -> None:
    if tuple(source.part.input_shape) != rows.shape[1:] or not len(rows):
        raise InputError(
            "model.input-shape",
            f"the model takes rows of shape {source.part.input_shape}, calibration has {len(rows)} of {rows.shape[1:]}",
            where=str(source.path),
            hint="prepare the data as the model was trained",
        )


def _quantize_settings(section: Compress) -> Quantize:
    last = section.recipe[-1]
    assert isinstance(last, QuantizeStep), "the policy's model lets no other recipe through"  # noqa: S101
    return last.quantize


def _candidate(tflite: bytes, seed: int, steps: list[StepPart]) -> Candidate:
    part = CandidatePart(
        sha256=sha256_hex(tflite),
        size_bytes=len(tflite),
        zipped_bytes=len(zlib.compress(tflite, level=9)),
        seed=seed,
        steps=tuple(steps),
    )
    return Candidate(tflite=tflite, part=part)
