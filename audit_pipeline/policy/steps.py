"""The settings of a recipe's steps: how each trains, what it takes away, and how it quantizes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from audit_pipeline.policy.protection import Outputs
from audit_pipeline.policy.terms import OVERALL, GroupSpec, OpenProportion, Proportion, Text
from audit_pipeline.strict_yaml import Strict


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
