"""The policy's `compress` section: a recipe of steps, or a search for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from audit_pipeline.policy.protection import Outputs, TrainPrivate
from audit_pipeline.policy.terms import OVERALL, GroupSpec, OpenProportion, Proportion, Text, given
from audit_pipeline.strict_yaml import Loc, Strict


class Training(Strict):
    """How a step trains; the manifest's class weights apply to every step that does."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 2
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    batch_size: Annotated[int, Field(ge=1, le=65536)] = 128
    balance: GroupSpec = Field(
        default=OVERALL, description="rows are weighted so that every group of this spec counts the same"
    )
    sampling: Literal["rows", "square_root"] = Field(
        default="rows",
        description="rows: every row once an epoch; square_root: as many draws, a class and, within it, a person drawn "
        "by the square root of the number of its rows",
    )
    decay: Literal["none", "cosine"] = Field(
        default="none", description="of the learning rate: none, or along half a cosine to zero at the last step"
    )
    average: bool | None = Field(
        default=False,
        description="keep the mean of the weights after each epoch of the second half of the run; null: unless "
        "patience keeps the best one",
    )
    patience: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description="epochs without a lower loss on held-out people of the train split after which training stops; the "
        "best epoch's weights are kept; left out: every epoch is run, on everybody",
    )
    weight_decay: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="share of every kernel that goes at each step, times the learning rate (AdamW: Loshchilov & Hutter "
        "2019)",
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="share of every label that is spread evenly over the classes (Szegedy et al. 2016)"
    )

    @model_validator(mode="after")
    def _keeps_one_thing(self) -> Training:
        if self.average and self.patience is not None:
            raise ValueError("average keeps the mean of epochs, patience the best one: give one of them")
        return self

    @property
    def averages(self) -> bool:
        """Whether the mean of epochs is kept."""
        return self.patience is None if self.average is None else self.average


class PruneWeights(Training):
    """Magnitude pruning of single weights (Zhu & Gupta 2017), fine-tuned on the train split."""

    sparsity: OpenProportion | None = Field(
        default=None, description="share of weights set to zero in every prunable layer; 2:4 sets half by itself"
    )
    schedule: Literal["constant", "polynomial"] = "polynomial"
    pattern: Literal["single", "2:4", "block"] = Field(
        default="single", description="which weights go together: none, two of every four, or whole blocks"
    )
    block: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(min_length=2, max_length=2)] = Field(
        default=(1, 4), description="height and width of a block, over a layer's weights as a matrix"
    )

    @model_validator(mode="after")
    def _is_possible(self) -> PruneWeights:
        if self.pattern == "2:4" and self.sparsity is not None:
            raise ValueError("2:4 keeps two of every four weights: leave sparsity out")
        if self.pattern != "2:4" and self.sparsity is None:
            raise ValueError("sparsity: missing key")
        return self


class PruneNeurons(Strict):
    """Removal of whole filters and units: tensors become smaller. Fine-tune or distill afterwards."""

    ratio: OpenProportion = Field(description="share of the filters and units that can go which do go")
    importance: Literal["l1", "taylor", "worst_group"] = Field(
        default="worst_group",
        description="what makes a filter worth keeping: its size, what the loss would change without it (Molchanov et "
        "al. 2019), or the same in the group that needs it most",
    )
    groups: GroupSpec = Field(default=OVERALL, description="the groups that importance: worst_group asks")
    scope: Literal["layer", "model"] = Field(
        default="layer", description="whether the ratio holds in every layer, or over all of them together"
    )
    rows: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=2048, description="rows of the train split, drawn evenly over groups, that importance is measured on"
    )


class FineTune(Training):
    """Training of the model as it stands, towards the labels."""


class Distill(Training):
    """Training towards the float source model's answers (Hinton et al. 2015) and the labels.

    Without `student` and `width` the model as it stands is the student. What the defaults are worth on heart beats
    stands in docs/compression.md.
    """

    epochs: Annotated[int, Field(ge=1, le=1000)] = 8
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    sampling: Literal["rows", "square_root"] = "square_root"
    decay: Literal["none", "cosine"] = "cosine"
    average: bool | None = None
    student: Text | None = Field(default=None, description="model file of the student, relative to the policy")
    width: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="student: the source with this share of its filters and units, trained from scratch"
    )
    temperature: Annotated[float, Field(ge=1, le=100)] = 2.0
    weight: Proportion = Field(default=1.0, description="of the teacher's answers; the labels have the rest")
    blend: bool = Field(
        default=True,
        description="every row is mixed with another, and the teacher answers the mixture (Beyer et al. 2022)",
    )

    @model_validator(mode="after")
    def _has_one_student(self) -> Distill:
        if self.student is not None and self.width is not None:
            raise ValueError("give student or width, not both")
        return self

    @model_validator(mode="after")
    def _smooths_what_counts(self) -> Distill:
        if self.label_smoothing and self.weight == 1:
            raise ValueError("label_smoothing: labels do not count at weight 1")
        return self


class Cluster(Training):
    """Weight sharing: every layer's weights take a few values (Han et al. 2016), fine-tuned on the train split."""

    clusters: Annotated[int, Field(ge=2, le=256)] = 16


class Quantize(Strict):
    """Integers only: weights, activations, input and output."""

    scheme: Literal["int8", "int16x8", "mixed"] = Field(
        default="int8",
        description="int8; int16 activations over int8 weights; or int8 with some operators lifted to int16x8",
    )
    calibration_rows: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=500, description="rows of the calibration split, drawn evenly over groups"
    )
    aware: Training | None = Field(
        default=None, description="train with int8's rounding in the loop before converting; int8 only"
    )
    lift: Annotated[int, Field(ge=1, le=1000)] | Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="mixed: the operators to lift, by their output tensors' names, or how many of those that cost the "
        "worst group most",
    )
    groups: GroupSpec = Field(default=OVERALL, description="mixed: the groups among which the worst is looked for")
    outputs: Outputs | None = Field(
        default=None, description="make the device's outputs coarser; left out: they are as the model gives them"
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Quantize:
        if (self.scheme == "mixed") != (self.lift is not None):
            raise ValueError("mixed needs lift, and only mixed takes it")
        if self.aware is not None and self.scheme != "int8":
            raise ValueError("aware: only int8 is trained with its rounding in the loop")
        if self.outputs is not None and self.outputs.top and self.scheme == "int16x8":
            raise ValueError("outputs: tflite-micro takes the top class of int8 scores only; give round")
        return self


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
