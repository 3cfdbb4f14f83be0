"""The interval of a share of rows, as every statistic of `estimate.py` gives it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from audit_pipeline.statistics.design_effect import OUTCOME_CORRELATION, DesignEffect, outcome_effect
from audit_pipeline.statistics.intervals import THREE_QUARTER_P, named_method, three_quarter_p
from audit_pipeline.statistics.tally import Tally


@dataclass(frozen=True)
class Share:
    """How often something was so among the rows of some people."""

    tally: Tally
    """At least one row."""
    correlation: float = OUTCOME_CORRELATION
    """Correlation within a person that is believed in on average before people are seen."""

    @property
    def value(self) -> float:
        """Share of rows in which it was so."""
        return self.tally.proportion

    @property
    def rows(self) -> int:
        """Rows in the denominator."""
        return self.tally.total

    @property
    def subjects(self) -> int | None:
        """People behind those rows; None where they were not named."""
        return self.tally.subjects

    @property
    def method(self) -> str:
        """How the interval is made."""
        return named_method(THREE_QUARTER_P, self.tally.named)

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval at a level between 0 and 1."""
        return three_quarter_p(self.value, self.rows / self._effect.at(level), level)

    @cached_property
    def _effect(self) -> DesignEffect:
        return outcome_effect(self.tally, self.correlation)
