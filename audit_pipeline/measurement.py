"""The vocabulary of a result: a number with its interval and what stands behind it, of a metric, in a group.

"Not measurable" is a type with a reason, never a NaN.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """Base of every part: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def to_json(self) -> dict[str, Any]:
        """The part as JSON values, as evidence.json holds it."""
        return self.model_dump(mode="json", by_alias=True)


class Outcome(StrEnum):
    """The three answers to "does it hold?"."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Scale(StrEnum):
    """What a metric's value counts."""

    SHARE = "share"
    """A share of rows, or another number between 0 and 1."""
    PER_HOUR = "per-hour"
    """Events in an hour of use."""
    LABEL = "label"
    """The unit of the labels of a regression."""


class Interval(Part):
    """A two-sided confidence interval and how it was made."""

    low: float
    high: float
    level: float
    method: str


class Measured(Part):
    """A number, with its interval and what stands behind it. An exact quantity (bytes) has no interval."""

    kind: Literal["measured"] = "measured"
    estimate: float
    interval: Interval | None = None
    rows: Count = Field(description="rows in the denominator")
    subjects: Count | None = Field(default=None, description="people behind those rows; null where none were named")


class NotMeasurable(Part):
    """A number that could not be had, and why."""

    kind: Literal["not-measurable"] = "not-measurable"
    reason: str
    rows: Count
    subjects: Count | None = None


Measurement = Annotated[Measured | NotMeasurable, Field(discriminator="kind")]


class GroupKey(Part):
    """A group of the population: the columns it is cut by and its value in each. Overall has none.

    Columns without values stand for all the groups they make, where a finding compares these with each other.
    """

    by: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_a_value_for_each_column(self) -> GroupKey:
        if self.values and len(self.values) != len(self.by):
            raise ValueError(f"{len(self.by)} columns and {len(self.values)} values")
        return self

    @property
    def label(self) -> str:
        """The group as people read it."""
        if self.by and not self.values:
            return f"between groups of {' × '.join(self.by)}"
        return ", ".join(f"{by}={value}" for by, value in zip(self.by, self.values, strict=True)) or "overall"


_SPELLED = {
    "auc": "AUC",
    "f1": "F1",
    "macro_f1": "macro F1",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}


class MetricKey(Part):
    """A metric, of one class where it has one."""

    name: str
    class_: str | None = Field(default=None, alias="class", serialization_alias="class")
    higher_is_better: bool
    scale: Scale = Scale.SHARE

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def label(self) -> str:
        """The metric as people read it."""
        words = _SPELLED.get(self.name, self.name.replace("_", " "))
        return f"{words} of {self.class_}" if self.class_ is not None else words
