"""Which metrics a run measures, and of which classes each speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit_pipeline.data.population import Population
from audit_pipeline.evaluate.named import rates_behind
from audit_pipeline.measurement import MetricKey, NotMeasurable, Scale
from audit_pipeline.policy.catalogue import METRICS, Speaks
from audit_pipeline.policy.schema import FairnessRule
from audit_pipeline.predictions import Task

SECONDS_PER_HOUR = 3600
_TRUE_POSITIVE = "true_positive_rate"
"""fairlearn's name for the recall of all classes that raise an alarm together."""
_BY_SCORE = frozenset({"auc", "expected_calibration_error", "mae", "rmse"})

Wanted = tuple[str, str | None]


@dataclass(frozen=True)
class Metric:
    """One metric over one set of classes."""

    key: MetricKey
    concerned: tuple[int, ...]
    """Index of each class it speaks of; empty where it speaks of none or of all."""
    definition: str
    """Its name among the definitions of `confusion` and `scores`."""
    factor: float = 1.0
    """What the defined value is multiplied by: events a row become events an hour."""
    empty: str = "there is no row"
    """Why it cannot be measured where nothing is in its denominator, as the rest of "… in this group"."""

    @property
    def needs_scores(self) -> bool:
        """Whether classes alone do not give it."""
        return self.definition in _BY_SCORE

    def not_measurable(self, subjects: int | None) -> NotMeasurable:
        """The answer where the metric has no row to stand on."""
        return NotMeasurable(reason=f"{self.empty} in this group", rows=0, subjects=subjects)


def metrics_for(population: Population, rules: Sequence[FairnessRule] = ()) -> tuple[Metric, ...]:
    """The metrics every report of such data shows, then those that only a rule asks for.

    Of classes: accuracy; recall of each class; false-alarm and missed-alarm rate over the alarm classes, where there
    are any, and false alarms per hour where the time of a row is known; AUC of an anomaly score. Of a regression: MAE
    and RMSE. The rules must agree with the population (`policy.agreement`).
    """
    wanted = dict.fromkeys(
        (
            *_shown(population),
            *((rate, rule.class_) for rule in rules for rate in rates_behind(rule.metric, rule.class_)),
        )
    )
    return tuple(_metric(name, class_, population) for name, class_ in wanted)


def _shown(population: Population) -> Iterator[Wanted]:
    if population.task is Task.REGRESSION:
        yield from (("mae", None), ("rmse", None))
        return
    yield "accuracy", None
    if population.task is Task.ANOMALY:
        yield "auc", None
    else:
        yield from (("recall", name) for name in population.classes)
    if population.alarm_classes:
        yield from (("false_alarm_rate", None), ("missed_alarm_rate", None))
        if population.row_seconds is not None:
            yield "false_alarms_per_hour", None


def _metric(name: str, class_: str | None, population: Population) -> Metric:
    known = "recall" if name == _TRUE_POSITIVE else name
    kind = METRICS[known]
    names: Sequence[str] = () if class_ is None else (class_,)
    if class_ is None and (kind.speaks is Speaks.ALARMS or name == _TRUE_POSITIVE):
        names = population.alarm_classes
    factor = 1.0
    definition = known
    if kind.scale is Scale.PER_HOUR and population.row_seconds is not None:
        definition, factor = "false_alarms_per_row", SECONDS_PER_HOUR / population.row_seconds
    return Metric(
        key=MetricKey(name=name, class_=class_, higher_is_better=kind.higher_is_better, scale=kind.scale),
        concerned=tuple(population.classes.index(each) for each in names),
        definition=definition,
        factor=factor,
        empty=_empty(known, "an alarm class" if class_ is None else f"class {class_}"),
    )


def _empty(name: str, words: str) -> str:
    if name in ("false_alarm_rate", "specificity"):
        return f"there is no row outside {words}"
    if name == "precision":
        return f"no row was taken for {words}"
    if name == "auc":
        return f"there are not both rows of {words} and others"
    if name in ("recall", "missed_alarm_rate", "f1"):
        return f"there is no row of {words}"
    return "there is no row"
