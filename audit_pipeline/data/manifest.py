"""The data set's manifest: where the rows are, and what stands in which column."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from audit_pipeline.data.population import SPLITS
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.strict_yaml import Strict

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ClassName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
GroupName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][\w-]*$", max_length=200), Field(examples=["age_band"])
]

RESERVED = frozenset({"overall"})
"""Group names that a policy gives another meaning."""


def _form(features: Any) -> str | None:
    return "name" if isinstance(features, str) else "list" if isinstance(features, list | tuple) else None


Features = Annotated[
    Annotated[Column, Tag("name")] | Annotated[Annotated[tuple[Column, ...], Field(min_length=1)], Tag("list")],
    Discriminator(
        _form,
        custom_error_type="features",
        custom_error_message="must be an array's name, a pattern of column names, or a list of columns",
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


class Manifest(Strict):
    """A whole manifest file."""

    version: Literal[1]
    name: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$"), Field(examples=["mit-bih-arrhythmia"])
    ]
    description: Text
    source: Text = Field(description="where the data come from, and their licence")
    synthetic: bool = Field(description="whether the rows were generated")
    features: Features = Field(description="an array of a .npz, a pattern of columns (f_*), or a list of columns")
    shape: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1, max_length=8)] | None = Field(
        default=None, description="each row is reshaped to it"
    )
    label: Column = Field(description="class names, or indices into classes")
    classes: Annotated[tuple[ClassName, ...], Field(min_length=2, max_length=1000)]
    alarm_classes: tuple[ClassName, ...] = Field(
        default=(), description="predictions that raise an alarm on the device"
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

    @field_validator("groups")
    @classmethod
    def _are_free(cls, groups: dict[str, Group]) -> dict[str, Group]:
        taken = RESERVED & set(groups)
        if taken:
            raise ValueError(f"{', '.join(taken)} stands for everybody: give the group another name")
        return groups

    @model_validator(mode="after")
    def _agree(self) -> Manifest:
        for name in self.alarm_classes:
            if name not in self.classes:
                raise ValueError(f"alarm_classes: {name} is not one of classes{did_you_mean(name, self.classes)}")
        files = [getattr(self.splits, split) for split in SPLITS]
        if len(set(files)) < len(files):
            raise ValueError(f"splits: {max(files, key=files.count)} stands twice; every split needs rows of its own")
        return self
