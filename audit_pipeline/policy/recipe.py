"""The policy's `compress` section: a recipe of steps, or a search for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from audit_pipeline.policy.protection import TrainPrivate
from audit_pipeline.policy.steps import (
    Cluster,
    Distill,
    FineTune,
    PruneNeurons,
    PruneWeights,
    Quantize,
    Training,
)
from audit_pipeline.policy.terms import GroupSpec, Proportion, given
from audit_pipeline.strict_yaml import Loc, Strict


class TrainPrivateStep(Strict):
    """A recipe step: train with differential privacy; always the first one."""

    train_private: TrainPrivate


class PruneWeightsStep(Strict):
    """A recipe step: prune weights."""

    prune_weights: PruneWeights


class PruneNeuronsStep(Strict):
    """A recipe step: prune neurons."""

    prune_neurons: PruneNeurons


class FineTuneStep(Strict):
    """A recipe step: fine-tune."""

    fine_tune: FineTune


class DistillStep(Strict):
    """A recipe step: distill."""

    distill: Distill


class ClusterStep(Strict):
    """A recipe step: cluster."""

    cluster: Cluster


class QuantizeStep(Strict):
    """A recipe step: quantize; always the last one."""

    quantize: Quantize


def _technique(step: Any) -> str | None:
    keys = list(step) if isinstance(step, dict) else list(type(step).model_fields)
    return keys[0] if len(keys) == 1 else None


TECHNIQUES = ("train_private", "prune_weights", "prune_neurons", "fine_tune", "distill", "cluster", "quantize")

RecipeStep = Annotated[
    Annotated[TrainPrivateStep, Tag("train_private")]
    | Annotated[PruneWeightsStep, Tag("prune_weights")]
    | Annotated[PruneNeuronsStep, Tag("prune_neurons")]
    | Annotated[FineTuneStep, Tag("fine_tune")]
    | Annotated[DistillStep, Tag("distill")]
    | Annotated[ClusterStep, Tag("cluster")]
    | Annotated[QuantizeStep, Tag("quantize")],
    Discriminator(
        _technique,
        custom_error_type="recipe_step",
        custom_error_message=f"a step names one technique: {', '.join(TECHNIQUES)}",
    ),
]


def reads_train_split(step: RecipeStep) -> bool:
    """Whether what a step makes of a model depends on rows of the train split."""
    match step:
        case QuantizeStep():
            return step.quantize.aware is not None
        case PruneNeuronsStep():
            return step.prune_neurons.importance != "l1"
        case _:
            return True


def _private_to_the_end(recipe: tuple[RecipeStep, ...]) -> tuple[RecipeStep, ...]:
    """What was trained with differential privacy keeps it under all that never sees the data again."""
    if not any(isinstance(step, TrainPrivateStep) for step in recipe):
        return recipe
    if not isinstance(recipe[0], TrainPrivateStep):
        raise ValueError("train_private starts from fresh weights: it must be the first step")
    for number, step in enumerate(recipe[1:], start=1):
        if reads_train_split(step):
            raise ValueError(
                f"step {number + 1} ({_technique(step)}) learns from the train split without privacy, which voids what "
                "train_private promises: leave it out"
            )
    return recipe


Recipe = Annotated[tuple[RecipeStep, ...], Field(min_length=1), AfterValidator(_private_to_the_end)]


class Search(Strict):
    """A search for the smallest model that keeps the policy's fairness rules in every group.

    It sees the train and calibration splits only; the evaluation split judges the one candidate that it gives.
    """

    trials: Annotated[int, Field(ge=1, le=1000)] = Field(default=24, description="recipes that are tried")
    seconds: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="stop trying new recipes after this time; the result then depends on the machine"
    )
    epochs: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=8, description="of training that a recipe gets in the last round; earlier rounds get fewer"
    )
    groups: GroupSpec | None = Field(
        default=None, description="groups whose worst is minded in pruning, training and lifting; left out: all columns"
    )
    holdout: Annotated[float, Field(ge=0, le=0.5)] = Field(
        default=0.0,
        description="share of the train split's people that no trial trains on, to choose by besides the calibration "
        "split; only where the float model was not trained on them either: what it remembers of them looks like a loss",
    )
    margin: Proportion = Field(
        default=0.0, description="how far inside its limit a rule must be kept on the people the search chooses by"
    )
    most_lifted: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=4, description="operators that may be lifted from int8 to int16x8 to save a trial"
    )


class Compress(Strict):
    """How the candidate is made from the source model: by a recipe, or by a search for one."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [given("recipe", "array"), given("search", "object")]})

    recipe: Recipe | None = None
    search: Search | None = None
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Compress:
        if (self.recipe is None) == (self.search is None):
            raise ValueError("give either a recipe or a search")
        if self.recipe is not None:
            quantizing = [isinstance(step, QuantizeStep) for step in self.recipe]
            if quantizing.count(True) != 1 or not quantizing[-1]:
                raise ValueError("the recipe must quantize exactly once, as its last step")
        return self


def group_specs(section: Compress) -> Iterator[tuple[Loc, str]]:
    """Every group spec that a section names, with its place under `compress`."""
    if section.search is not None and section.search.groups is not None:
        yield ("search", "groups"), section.search.groups
    for number, step in enumerate(section.recipe or ()):
        for technique, settings in step:
            for place, value in _settings(settings):
                if place[-1] in ("balance", "groups"):
                    yield ("recipe", number, technique, *place), value


def trainings(section: Compress) -> Iterator[tuple[Loc, Training]]:
    """Every set of training settings that a section has, with its place under `compress`."""
    for number, step in enumerate(section.recipe or ()):
        for technique, settings in step:
            if isinstance(settings, Training):
                yield ("recipe", number, technique), settings
            elif isinstance(settings, Quantize) and settings.aware is not None:
                yield ("recipe", number, technique, "aware"), settings.aware


def students(section: Compress) -> Iterator[tuple[Loc, str]]:
    """Every model file that a section names as a student, with its place under `compress`."""
    for number, step in enumerate(section.recipe or ()):
        if isinstance(step, DistillStep) and step.distill.student is not None:
            yield ("recipe", number, "distill", "student"), step.distill.student


def _settings(settings: Strict) -> Iterator[tuple[Loc, Any]]:
    for key, value in settings:
        if isinstance(value, Strict):
            yield from (((key, *place), inner) for place, inner in _settings(value))
        else:
            yield (key,), value
