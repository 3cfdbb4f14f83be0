"""Whether a recipe asks for what a population cannot have: told with its line, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

from audit_pipeline.data.population import Population
from audit_pipeline.policy.recipe import Compress, QuantizeStep, RecipeStep, TrainPrivateStep, trainings
from audit_pipeline.predictions import Task
from audit_pipeline.strict_yaml import Loc


def impossible_steps(section: Compress, population: Population) -> Iterator[tuple[Loc, str, str]]:
    """Settings that the task or the data do not allow: place under `compress`, kind, and what it is."""
    labels = population.task is not Task.REGRESSION and not population.reading.reconstructs
    for place, training in trainings(section):
        if training.label_smoothing and not labels:
            text = f"a model for {population.task} is not trained towards labels, so none can be smoothed"
            yield (*place, "label_smoothing"), "smoothing-of-other-task", text
    for number, step in enumerate(section.recipe or ()):
        if _takes_top(step) and population.task is not Task.CLASSIFICATION:
            text = f"a model for {population.task} has no top class"
            yield ("recipe", number, "quantize", "outputs", "top"), "outputs-of-other-task", text
        if _protects_people(step) and population.train.subjects is None:
            text = "the data set does not say whose rows they are: name `subject` in the manifest, or give rows"
            yield ("recipe", number, "train_private", "unit"), "no-people", text


def _takes_top(step: RecipeStep) -> bool:
    outputs = step.quantize.outputs if isinstance(step, QuantizeStep) else None
    return outputs is not None and outputs.top is not None


def _protects_people(step: RecipeStep) -> bool:
    return isinstance(step, TrainPrivateStep) and step.train_private.unit == "people"
