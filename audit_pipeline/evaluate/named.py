"""fairlearn's named differences and ratios between groups, with intervals.

Demographic parity compares selection rates; equal opportunity true-positive rates; equalized odds true-positive and
false-positive rates, and takes the worse of the two (Agarwal et al. 2018; `fairlearn.metrics`). Positive is the class
of the rule, or any class that raises an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit_pipeline.evaluate.gap import Gap, Pair, Ratio


def rates_behind(metric: str, class_: str | None) -> tuple[str, ...]:
    """The rates that a named difference or ratio compares; any other metric is compared by itself.

    A rate that has a name here is called by it, so that no number stands in a table twice: the true-positive rate of a
    class is its recall, the false-positive rate is the rate of false alarms.
    """
    true_positive = "true_positive_rate" if class_ is None else "recall"
    compares = {
        "demographic_parity": ("selection_rate",),
        "equal_opportunity": (true_positive,),
        "equalized_odds": (true_positive, "false_alarm_rate"),
    }
    return compares.get(metric.removesuffix("_difference").removesuffix("_ratio"), (metric,))


@dataclass(frozen=True)
class Worst:
    """The worse of several gaps, or the smaller of several ratios: an `Estimate`.

    The end that claims a breach holds for all of them together (Bonferroni); the end that claims there is none is the
    worst of the unadjusted ones, as in `Gap`.
    """

    parts: tuple[Gap, ...] | tuple[Ratio, ...]

    @property
    def value(self) -> float:
        """The worst that was seen."""
        return self._worst([part.value for part in self.parts])

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def subjects(self) -> int | None:
        """People behind the part that has most of them."""
        return max((part.subjects for part in self.parts if part.subjects is not None), default=None)

    @property
    def method(self) -> str:
        """How the interval is made."""
        return self.parts[0].method if len(self.parts) == 1 else f"worst of {len(self.parts)}: {self.parts[0].method}"

    @property
    def seen(self) -> Pair:
        """The groups with the highest and the lowest value, in the part where they are furthest apart."""
        return self._decisive.seen

    @property
    def _is_ratio(self) -> bool:
        return isinstance(self.parts[0], Ratio)

    def _worst(self, values: Sequence[float]) -> float:
        return min(values) if self._is_ratio else max(values)

    def bounds(self, level: float) -> tuple[float, float]:
        """Two-sided confidence interval of the worst."""
        together = 1 - (1 - level) / len(self.parts)
        sure, open_ = (1, 0) if self._is_ratio else (0, 1)
        breach = self._worst([part.bounds(together)[sure] for part in self.parts])
        none = self._worst([part.bounds(level)[open_] for part in self.parts])
        return (none, breach) if self._is_ratio else (breach, none)

    def p_broken(self, limit: float) -> float:
        """p-value of "every part keeps the limit" (Bonferroni)."""
        return min(len(self.parts) * min(part.p_broken(limit) for part in self.parts), 1.0)

    def surest(self, level: float) -> Pair:
        """The pair whose inequality is shown best, in the part where it is worst."""
        return self._decisive.surest(level)

    def widest(self, level: float) -> Pair:
        """The pair whose inequality is ruled out least, in the part where it is worst."""
        return self._decisive.widest(level)

    @property
    def _decisive(self) -> Gap | Ratio:
        return next(part for part in self.parts if part.value == self.value)
