"""Stages 1 to 3 together: everything a run is given, read and checked against each other before any work starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.data.load import load_population
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.entrances import check_inputs
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.outputs import check_output, shape_text
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.load import LoadedPolicy, check_against, load_policy
from audit_pipeline.policy.recipe import students
from audit_pipeline.progress import Progress, silent


@dataclass(frozen=True)
class Inputs:
    """A policy, the population it speaks of, the model to ship, and the float model behind it."""

    policy: LoadedPolicy
    population: Population
    source: SourceModel
    baseline: SourceModel | None
    """Float model to compare with: given beside a finished .tflite; None where there is none."""

    @property
    def float_model(self) -> SourceModel | None:
        """The model "before": the source itself, or the baseline of a finished .tflite."""
        return self.baseline if self.source.is_finished else self.source


def read_inputs(
    model: Path, policy: Path, baseline: Path | None, progress: Progress = silent, *, now: str | None = None
) -> Inputs:
    """Read everything, the cheapest first.

    Args:
        model: to ship.
        policy: to ship it by.
        baseline: the float model behind a finished .tflite.
        progress: told how far reading is.
        now: as for `load_population`.

    Raises:
        InputError: something cannot be used, or the parts do not fit each other.
    """
    loaded = load_policy(policy)
    source = inspect_model(model)
    before = inspect_model(baseline) if baseline is not None else None
    _check_models(loaded, source, before)
    taught = tuple(_students(loaded))
    population = load_population(loaded.manifest, progress, now=now)
    check_against(loaded, population)
    for each in (source, before, *taught):
        if each is not None:
            _check_shapes(each, population)
            _check_weights(each)
    return Inputs(policy=loaded, population=population, source=source, baseline=before)


def _students(policy: LoadedPolicy) -> Iterator[SourceModel]:
    """The models that the recipe names: what is wrong with one is told before the steps ahead of it have trained."""
    section = policy.value.compress
    for loc, name in () if section is None else students(section):
        path, where = policy.path.parent / name, policy.where(("compress", *loc))
        if not path.exists():
            raise InputError(
                "compress.no-student",
                f"there is no file {name} to take the student from",
                where=where,
                hint="its path is relative to the policy",
            )
        student = inspect_model(path)
        if student.is_finished:
            raise InputError(
                "compress.finished-student",
                f"the student {name} is a .tflite, which no step can train",
                where=where,
                hint="give the .h5 or .keras that it was made from",
            )
        yield student


def _check_models(policy: LoadedPolicy, source: SourceModel, baseline: SourceModel | None) -> None:
    if not source.is_finished and policy.value.compress is None:
        raise InputError(
            "policy.no-recipe",
            f"{source.path.name} is not compressed yet and the policy has no compress section",
            where=str(policy.path),
            hint="add, for example: compress: {recipe: [{quantize: {scheme: int8}}]}",
        )
    if baseline is not None and not source.is_finished:
        raise InputError(
            "model.needless-baseline",
            "a baseline goes with a finished .tflite only; a Keras model is its own",
            where=str(baseline.path),
            hint="leave --baseline out",
        )
    if baseline is not None and baseline.is_finished:
        raise InputError(
            "model.baseline-not-float",
            "the baseline must be the float model, a .tflite is not",
            where=str(baseline.path),
            hint="give the .h5 or .keras that the .tflite was made from",
        )


def _check_shapes(source: SourceModel, population: Population) -> None:
    check_inputs(source, population)
    rows = population.evaluation.x.shape[1:]
    if tuple(source.part.input_shape) != rows:
        raise InputError(
            "model.input-shape",
            f"the model takes rows of shape {shape_text(source.part.input_shape)}, the data set has {shape_text(rows)}",
            where=str(source.path),
            hint="set `shape` in the manifest, or prepare the data as the model was trained",
        )
    check_output(source, population)


def _check_weights(source: SourceModel) -> None:
    """Load a float model once, for the errors: weights that are missing, do not fit, or are not finite."""
    if not source.is_finished:
        load_keras(source)
