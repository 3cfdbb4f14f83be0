"""The settings of a recipe that protect the people a model is trained on: private training, and coarser outputs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from audit_pipeline.policy.terms import OpenProportion, Text, given
from audit_pipeline.strict_yaml import Strict


class TrainPrivate(Strict):
    """DP-SGD (Abadi et al. 2016): the source's architecture, trained from fresh weights with differential privacy.

    The weights that the source was given with were trained without, so none of them is used. The step comes first, and
    nothing that follows may train on the train split.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [given("noise", "number"), given("epsilon", "number")]})

    epochs: Annotated[int, Field(ge=1, le=1000)] = 20
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    batch_size: Annotated[int, Field(ge=1, le=65536)] = Field(
        default=256, description="expected rows, or people, of a batch: each is drawn for itself (Poisson sampling)"
    )
    clip: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=1.0, description="largest Euclidean norm of what one row, or one person, adds to a step"
    )
    noise: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        default=None, description="standard deviation of the noise in units of clip"
    )
    epsilon: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        default=None, description="instead of noise: the budget; the least noise that keeps it is found"
    )
    delta: OpenProportion = Field(description="of the budget; well below one by the number of rows, or people")
    unit: Literal["rows", "people"] = Field(
        default="rows", description="who is protected: a row, or a person with all of their rows"
    )
    rows_each: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=16, description="of people: rows that a person who was drawn brings to a step, drawn anew each time"
    )
    secret: Text | None = Field(
        default=None,
        description="file of 32 random bytes or more, relative to the policy and as private as the data, that draws "
        "and noise follow from; left out: they follow from the recipe's seed, which the evidence names",
    )

    @model_validator(mode="after")
    def _has_one_measure(self) -> TrainPrivate:
        if (self.noise is None) == (self.epsilon is None):
            raise ValueError("give either noise or epsilon")
        return self


class Outputs(Strict):
    """What the device gives away of its outputs. Whoever holds the .tflite can still read what they are made of."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [given("round", "integer"), given("top", "integer")]})

    round: Annotated[int, Field(ge=1, le=128)] | None = Field(
        default=None,
        description="probabilities in this many steps from 0 to 1; other outputs in as many over their whole range",
    )
    top: Literal[1] | None = Field(
        default=None, description="1: the first of the highest classes alone, as 1 where the others are 0"
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Outputs:
        if (self.round is None) == (self.top is None):
            raise ValueError("give either round or top")
        return self
