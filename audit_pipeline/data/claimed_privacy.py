"""What the training of a model on these data is claimed to have kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from audit_pipeline.privacy_part import PrivacyBudget
from audit_pipeline.strict_yaml import Strict


class ClaimedPrivacy(Strict):
    """(ε, δ)-differential privacy."""

    epsilon: Annotated[float, Field(gt=0)]
    delta: Annotated[float, Field(ge=0, lt=1)] = Field(description="0 for pure differential privacy")
    unit: Literal["rows", "people"] = Field(
        default="rows", description="what may join or leave the training set without its being noticed"
    )

    @property
    def budget(self) -> PrivacyBudget:
        """The claim as evidence holds it."""
        return PrivacyBudget(epsilon=self.epsilon, delta=self.delta, unit=self.unit)
