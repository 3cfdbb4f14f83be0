"""The metrics: each is the share of some rows (the denominator) in which the prediction did something (the hit)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import InputError
from audit_pipeline.measurement import MetricKey
from audit_pipeline.policy.schema import LOWER_IS_BETTER, FairnessRule

Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Metric:
    """One metric over one set of classes."""

    key: MetricKey
    concerned: frozenset[int]
    """Index of the class it speaks of; for an alarm rate without one, of all classes that raise an alarm."""
    empty: str
    """Why it cannot be measured where no row is in its denominator, as the rest of "… in this group"."""

    def denominator(self, true: Labels) -> Mask:
        """[rows] whether a row counts, by its true class."""
        if self.key.name == "accuracy":
            return np.ones(len(true), dtype=bool)
        concerned = self._concerned(true)
        return ~concerned if self.key.name == "false_alarm_rate" else concerned

    def hit(self, true: Labels, predicted: Labels) -> Mask:
        """[rows] whether that happened which the metric counts; only meaningful within the denominator."""
        if self.key.name == "accuracy":
            return np.asarray(true == predicted)
        raised = self._concerned(predicted)
        return ~raised if self.key.name == "missed_alarm_rate" else raised

    def value(self, true: Labels, predicted: Labels, sample_weight: NDArray[np.int64]) -> float:
        """The metric as a number, rows counted by weight; NaN without rows. The signature is MetricFrame's."""
        weights = np.asarray(sample_weight) * self.denominator(np.asarray(true))
        if not weights.any():
            return float("nan")
        return float(weights[self.hit(np.asarray(true), np.asarray(predicted))].sum() / weights.sum())

    def _concerned(self, labels: Labels) -> Mask:
        return np.isin(labels, sorted(self.concerned))


def metrics_for(
    classes: Sequence[str], alarm_classes: Sequence[str], rules: Sequence[FairnessRule] = ()
) -> tuple[Metric, ...]:
    """The metrics every report shows, then those that only a rule asks for.

    Accuracy; recall of each class; false-alarm and missed-alarm rate over the alarm classes, where there are any. An
    alarm rate of one class takes that class as the only alarm.

    Raises:
        InputError: a rule names a class the data do not have, or asks for alarm rates where no class is an alarm.
    """
    asked: list[tuple[str, str | None]] = [("accuracy", None), *(("recall", name) for name in classes)]
    if alarm_classes:
        asked += [("false_alarm_rate", None), ("missed_alarm_rate", None)]
    for number, rule in enumerate(rules):
        _refuse_unknown(rule, f"fairness[{number}]", classes, alarm_classes)
        asked.append((rule.metric, rule.class_))
    return tuple(_metric(name, class_, classes, alarm_classes) for name, class_ in dict.fromkeys(asked))


def _metric(name: str, class_: str | None, classes: Sequence[str], alarm_classes: Sequence[str]) -> Metric:
    concerned = alarm_classes if class_ is None else (class_,)
    words = "an alarm class" if class_ is None else f"class {class_}"
    return Metric(
        key=MetricKey(name=name, class_=class_, higher_is_better=name not in LOWER_IS_BETTER),
        concerned=frozenset(classes.index(one) for one in concerned),
        empty=f"there is no row outside {words}" if name == "false_alarm_rate" else f"there is no row of {words}",
    )


def _refuse_unknown(rule: FairnessRule, where: str, classes: Sequence[str], alarm_classes: Sequence[str]) -> None:
    if rule.class_ is not None and rule.class_ not in classes:
        raise InputError(
            "policy.unknown-class",
            f"the data have no class {rule.class_!r}",
            where=where,
            hint=f"the manifest's classes are {', '.join(classes)}",
        )
    if rule.class_ is None and rule.metric in LOWER_IS_BETTER and not alarm_classes:
        raise InputError(
            "policy.no-alarm-classes",
            f"{rule.metric} needs to know which classes are alarms",
            where=where,
            hint="name a class in the rule, or alarm_classes in the dataset manifest",
        )
