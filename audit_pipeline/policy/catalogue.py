"""Every metric a rule can name: which way is better, in what unit, for which tasks, and whether it speaks of a class.

The definitions are those of scikit-learn and fairlearn; `evaluate` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from audit_pipeline.measurement import Scale
from audit_pipeline.predictions import Task

MetricName = Literal[
    "accuracy",
    "balanced_accuracy",
    "recall",
    "precision",
    "specificity",
    "f1",
    "macro_recall",
    "macro_precision",
    "macro_specificity",
    "macro_f1",
    "selection_rate",
    "false_alarm_rate",
    "missed_alarm_rate",
    "false_alarms_per_hour",
    "auc",
    "expected_calibration_error",
    "mae",
    "rmse",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "equal_opportunity_difference",
    "equal_opportunity_ratio",
]
"""The names in `METRICS`, spelled out for the type checker and for editors."""


class Speaks(StrEnum):
    """Of which classes a metric speaks."""

    ALL = "all"
    """All of them, or none: a rule must not name one."""
    ONE = "one"
    """The one that a rule must name."""
    ALARMS = "alarms"
    """The one that a rule names, else all that raise an alarm."""


@dataclass(frozen=True)
class MetricKind:
    """What is known of a metric before there are data."""

    name: str
    higher_is_better: bool
    speaks: Speaks
    tasks: frozenset[Task]
    scale: Scale = Scale.SHARE
    limits: tuple[str, ...] = ()
    """The limits a rule may set on it; one each."""


_CLASSES = frozenset({Task.CLASSIFICATION, Task.ANOMALY})
_HIGHER = ("min", "max_drop", "max_gap")
_LOWER = ("max", "max_rise", "max_gap")


def _better_high(name: str, speaks: Speaks) -> MetricKind:
    return MetricKind(name, True, speaks, _CLASSES, limits=_HIGHER)


def _better_low(name: str, speaks: Speaks, tasks: frozenset[Task] = _CLASSES, scale: Scale = Scale.SHARE) -> MetricKind:
    return MetricKind(name, False, speaks, tasks, scale, _LOWER)


def _between(name: str) -> MetricKind:
    is_ratio = name.endswith("_ratio")
    return MetricKind(name, is_ratio, Speaks.ALARMS, _CLASSES, limits=("min",) if is_ratio else ("max",))


_KINDS = (
    _better_high("accuracy", Speaks.ALL),
    _better_high("balanced_accuracy", Speaks.ALL),
    _better_high("recall", Speaks.ONE),
    _better_high("precision", Speaks.ONE),
    _better_high("specificity", Speaks.ONE),
    _better_high("f1", Speaks.ONE),
    _better_high("macro_recall", Speaks.ALL),
    _better_high("macro_precision", Speaks.ALL),
    _better_high("macro_specificity", Speaks.ALL),
    _better_high("macro_f1", Speaks.ALL),
    MetricKind("selection_rate", True, Speaks.ALARMS, _CLASSES, limits=("min", "max", "max_drop", "max_gap")),
    _better_low("false_alarm_rate", Speaks.ALARMS),
    _better_low("missed_alarm_rate", Speaks.ALARMS),
    _better_low("false_alarms_per_hour", Speaks.ALARMS, scale=Scale.PER_HOUR),
    _better_high("auc", Speaks.ALARMS),
    _better_low("expected_calibration_error", Speaks.ALL, frozenset({Task.CLASSIFICATION})),
    _better_low("mae", Speaks.ALL, frozenset({Task.REGRESSION}), Scale.LABEL),
    _better_low("rmse", Speaks.ALL, frozenset({Task.REGRESSION}), Scale.LABEL),
    _between("demographic_parity_difference"),
    _between("demographic_parity_ratio"),
    _between("equalized_odds_difference"),
    _between("equalized_odds_ratio"),
    _between("equal_opportunity_difference"),
    _between("equal_opportunity_ratio"),
)

METRICS = {kind.name: kind for kind in _KINDS}
"""By name, in the order that documents list them."""

BETWEEN_GROUPS = frozenset(kind.name for kind in _KINDS if kind.limits in (("min",), ("max",)))
"""fairlearn's named differences and ratios: one number for all groups of a column together."""
