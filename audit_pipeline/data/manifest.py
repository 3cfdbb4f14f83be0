"""The data set's manifest: where the rows are, and what stands in which column."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from audit_pipeline.data.claimed_privacy import ClaimedPrivacy
from audit_pipeline.data.features import Column, Features, Shape
from audit_pipeline.data.population import SPLITS
from audit_pipeline.data.retention import Retention
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.strict_yaml import Strict

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
ClassName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
GroupName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][\w-]*$", max_length=200), Field(examples=["age_band"])
]

_Value = TypeVar("_Value")

RESERVED = frozenset({"overall"})
"""Group names that a policy gives another meaning."""


ClassWeights = Annotated[
    Annotated[Literal["balanced"], Tag("word")]
    | Annotated[
        dict[ClassName, Annotated[float, Field(gt=0, le=1e6)]],
        Field(min_length=1),
        Tag("numbers"),
    ],
    Discriminator(
        lambda given: "word" if isinstance(given, str) else "numbers" if isinstance(given, dict) else None,
        custom_error_type="class_weights",
        custom_error_message="must be the word balanced, or a positive number for each class that counts other than 1",
    ),
]


class Group(Strict):
    """A column that cuts the population into groups."""

    column: Column
    bins: Annotated[tuple[float, ...], Field(min_length=2)] | None = Field(
        default=None, description="edges of half-open bins [a, b), for a column of numbers"
    )

    @field_validator("bins")
    @classmethod
    def _rise(cls, bins: tuple[float, ...] | None) -> tuple[float, ...] | None:
        for low, high in pairwise(bins or ()):
            if low >= high:
                raise ValueError(f"bins must rise: {high:g} follows {low:g}")
        return bins


class Splits(Strict):
    """The three parts of the data set, each a .npz, .parquet or .csv file, relative to the manifest."""

    train: Text
    calibration: Text
    evaluation: Text


_LARGEST_FLOAT32 = 3.4028234663852886e38
_TASK = "what a model of these data is for: a class, how odd a row is, or a number"


class Manifest(Strict):
    """A whole manifest file."""

    version: Literal[1]
    name: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$"), Field(examples=["mit-bih-arrhythmia"])
    ]
    description: Text
    source: Text = Field(description="where the data come from, and their licence")
    synthetic: bool = Field(description="whether the rows were generated")
    lawful_basis: Text | None = Field(
        default=None,
        description="why the data may be used for this: a consent, a contract, a law by its article",
        examples=["consent of each wearer to research, form 3 of 2024-02-01"],
    )
    retention: Retention | None = None
    differential_privacy: ClaimedPrivacy | None = Field(
        default=None, description="claimed of the training; held against planted canaries where a policy names them"
    )
    features: Features = Field(
        description="an array of a .npz, a pattern of columns (f_*), or a list of columns; for a model with several "
        "inputs, one of these by the name of each, in the model's order",
        examples=["x", {"beat": "ecg_*", "patient": ["age", "sex01"]}],
    )
    shape: Shape | None = Field(
        default=None, description="each row is reshaped to it; for several inputs, by the name of each"
    )
    task: Literal["classification", "anomaly", "regression"] = Field(default="classification", description=_TASK)
    label: Column = Field(description="class names or indices into classes; finite numbers for a regression")
    classes: Annotated[tuple[ClassName, ...], Field(min_length=2, max_length=1000)] = Field(
        default=(), description="in the order of the outputs; normal, then odd, for an anomaly; none for a regression"
    )
    alarm_classes: tuple[ClassName, ...] = Field(
        default=(), description="predictions that raise an alarm on the device; the second class for an anomaly"
    )
    threshold: float | None = Field(
        default=None, description="score above which a row is of the second class; an anomaly needs one"
    )
    score: Literal["output", "reconstruction_error"] = Field(
        default="output", description="an anomaly's score: the one output, or an autoencoder's mean squared error"
    )
    unit: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] | None = Field(
        default=None, description="of a regression's labels", examples=["mg/dL"]
    )
    row_seconds: Annotated[float, Field(gt=0)] | None = Field(default=None, description="time that a row covers")
    class_weights: ClassWeights | None = Field(
        default=None, description="how much a row of a class counts in training; balanced: every class the same in all"
    )
    subject: Column | None = Field(default=None, description="the person each row came from")
    groups: dict[GroupName, Group] = Field(default_factory=dict)
    splits: Splits

    @field_validator("classes", "alarm_classes")
    @classmethod
    def _differ(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice")
        return names

    @field_validator("shape")
    @classmethod
    def _shape_fits(cls, shape: Any, info: ValidationInfo) -> Any:
        features = info.data.get("features")
        if shape is None or features is None:  # which is refused by itself
            return shape
        if isinstance(features, dict) != isinstance(shape, dict):
            several = "several inputs need a shape by the name of each" if isinstance(features, dict) else "one input"
            raise ValueError(f"features and shape differ in form: {several}")
        for name in shape if isinstance(shape, dict) else ():
            if name not in features:
                raise ValueError(f"{name} is not one of features{did_you_mean(name, features)}")
        return shape

    @field_validator("groups")
    @classmethod
    def _are_free(cls, groups: dict[str, Group]) -> dict[str, Group]:
        taken = RESERVED & set(groups)
        if taken:
            raise ValueError(f"{', '.join(taken)} stands for everybody: give the group another name")
        return groups

    @field_validator("classes")
    @classmethod
    def _classes_fit(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        task = info.data.get("task")
        if task == "regression":
            raise ValueError("a regression predicts a number: leave classes out")
        if task == "anomaly" and len(names) != 2:
            raise ValueError(f"an anomaly has 2 classes, normal first and odd second, not {len(names)}")
        return names

    @field_validator("alarm_classes")
    @classmethod
    def _alarms_fit(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if names and info.data.get("task") == "regression":
            raise ValueError("a regression predicts a number: leave alarm_classes out")
        classes = info.data.get("classes")
        if not classes:  # which is refused by itself
            return names
        for name in names:
            if name not in classes:
                raise ValueError(f"{name} is not one of classes{did_you_mean(name, classes)}")
        if info.data.get("task") == "anomaly" and names and names != classes[1:]:
            raise ValueError(f"a score above the threshold is the alarm, so only {classes[1]} can stand here")
        return names

    @field_validator("class_weights")
    @classmethod
    def _weights_fit(cls, weights: ClassWeights | None, info: ValidationInfo) -> ClassWeights | None:
        if weights is not None and info.data.get("task") == "regression":
            raise ValueError("a regression has no classes: leave class_weights out")
        classes: tuple[str, ...] = info.data.get("classes", ())
        for name in weights if isinstance(weights, dict) and classes else ():
            if name not in classes:
                raise ValueError(f"{name} is not one of classes{did_you_mean(name, classes)}")
        return weights

    @field_validator("threshold")
    @classmethod
    def _threshold_fits(cls, threshold: float | None, info: ValidationInfo) -> float | None:
        if threshold is not None and abs(threshold) > _LARGEST_FLOAT32:
            raise ValueError(f"must be a number that firmware's float32 holds, not {threshold:g}")
        if threshold is None or info.data.get("task") == "anomaly" or not {"task", "classes"} <= info.data.keys():
            return threshold
        if len(info.data["classes"]) != 2:
            raise ValueError("a threshold parts two classes: leave it out")
        if not 0 <= threshold < 1:
            raise ValueError(f"must be at least 0 and below 1, as it is held against a probability, not {threshold:g}")
        return threshold

    @field_validator("score")
    @classmethod
    def _score_fits(cls, score: str, info: ValidationInfo) -> str:
        if score == "reconstruction_error" and isinstance(info.data.get("features"), dict):
            raise ValueError("an autoencoder gives back one input: features has several")
        return _only("anomaly", score, info)

    @field_validator("unit")
    @classmethod
    def _unit_fits(cls, unit: str | None, info: ValidationInfo) -> str | None:
        return _only("regression", unit, info)

    @model_validator(mode="after")
    def _agree(self) -> Manifest:
        if self.task != "regression" and not self.classes:
            raise ValueError("classes: missing key")
        if self.task == "anomaly" and self.threshold is None:
            raise ValueError("threshold: missing key: give the score above which the device raises the alarm")
        files = [getattr(self.splits, split) for split in SPLITS]
        if len(set(files)) < len(files):
            raise ValueError(f"splits: {max(files, key=files.count)} stands twice; every split needs rows of its own")
        return self

    @property
    def inputs(self) -> dict[str, tuple[str | tuple[str, ...], tuple[int, ...] | None]]:
        """Features and shape of each input by its name; of one input, by the empty name."""
        if not isinstance(self.features, dict):
            return {"": (self.features, self.shape if isinstance(self.shape, tuple) else None)}
        shapes = self.shape if isinstance(self.shape, dict) else {}
        return {name: (features, shapes.get(name)) for name, features in self.features.items()}

    @property
    def alarms(self) -> tuple[str, ...]:
        """Classes that raise an alarm: as they are given, and the second of an anomaly in any case."""
        return self.classes[1:] if self.task == "anomaly" else self.alarm_classes


def _only(task: str, value: _Value, info: ValidationInfo) -> _Value:
    """Refuse a key that means nothing for the task of the manifest."""
    if value is not None and info.data.get("task", task) != task:
        raise ValueError(f"only for task: {task}: leave it out")
    return value
