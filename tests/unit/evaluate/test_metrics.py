"""Which metrics are measured: what every report of such data shows, and what rules ask for besides."""

from __future__ import annotations

from typing import Any

import pytest
from stage import every_rule, population_of, rule, split_of

from audit_pipeline.evaluate.metrics import Metric, metrics_for
from audit_pipeline.measurement import Scale
from audit_pipeline.policy.catalogue import BETWEEN_GROUPS, METRICS, Speaks
from audit_pipeline.policy.schema import FairnessRule
from audit_pipeline.predictions import Task

SPLIT = split_of([0, 1, 2])


def metrics(*rules: FairnessRule, **said: Any) -> tuple[Metric, ...]:
    return metrics_for(population_of(SPLIT, **said), rules)


def labels_of(found: tuple[Metric, ...]) -> list[str]:
    return [metric.key.label for metric in found]


def test_classes_are_shown_by_accuracy_recall_and_alarm_rates() -> None:
    assert labels_of(metrics()) == [
        "accuracy",
        "recall of N",
        "recall of S",
        "recall of V",
        "false alarm rate",
        "missed alarm rate",
    ]
    assert labels_of(metrics(alarms=())) == ["accuracy", "recall of N", "recall of S", "recall of V"]
    assert labels_of(metrics(row_seconds=2))[-1] == "false alarms per hour"


def test_an_anomaly_is_shown_by_its_ranking_and_alarms() -> None:
    found = metrics(classes=("ok", "odd"), alarms=("odd",), task="anomaly", threshold=0.5)
    assert labels_of(found) == ["accuracy", "AUC", "false alarm rate", "missed alarm rate"]
    assert [metric.needs_scores for metric in found] == [False, True, False, False]


def test_a_regression_is_shown_by_its_errors() -> None:
    found = metrics(classes=(), alarms=(), task="regression")
    assert labels_of(found) == ["mean absolute error", "root mean squared error"]
    assert all(metric.key.scale is Scale.LABEL and not metric.key.higher_is_better for metric in found)


def test_what_a_rule_asks_for_comes_once_and_last() -> None:
    rules = [rule(metric="recall", class_="V", min=0.5), *[rule(metric="f1", class_="S", min=0.1 * n) for n in (1, 2)]]
    assert labels_of(metrics(*rules)) == [*labels_of(metrics()), "F1 of S"]


@pytest.mark.parametrize(
    ("name", "of_alarms", "of_v"),
    [
        ("demographic_parity_ratio", ["selection rate"], ["selection rate of V"]),
        ("equal_opportunity_difference", ["true positive rate"], []),
        ("equalized_odds_difference", ["true positive rate"], ["false alarm rate of V"]),
    ],
)
def test_a_named_difference_brings_the_rates_behind_it_but_none_twice(
    name: str, of_alarms: list[str], of_v: list[str]
) -> None:
    """The true-positive rate of V is its recall, the false-positive rate of the alarms that of false alarms."""
    limit = {"max" if name.endswith("difference") else "min": 0.1}
    shown = labels_of(metrics())
    assert labels_of(metrics(rule(metric=name, groups=("sex",), **limit))) == [*shown, *of_alarms]
    assert labels_of(metrics(rule(metric=name, class_="V", groups=("sex",), **limit))) == [*shown, *of_v]


def test_alarm_metrics_speak_of_the_rules_class_or_else_of_all_that_raise_an_alarm() -> None:
    found = metrics(rule(metric="false_alarm_rate", class_="N", max=0.1))
    assert [metric.concerned for metric in found if metric.definition == "false_alarm_rate"] == [(1, 2), (0,)]


def test_events_per_hour_follow_from_the_time_of_a_row() -> None:
    (metric,) = [each for each in metrics(row_seconds=0.5) if each.key.scale is Scale.PER_HOUR]
    assert metric.factor == 7200


def test_every_metric_knows_whether_higher_is_better_and_why_it_may_be_missing() -> None:
    rules = every_rule(Task.CLASSIFICATION, ("N", "S", "V"), ("overall", "sex"))
    for metric in metrics(*rules):
        kind = METRICS.get(metric.key.name)
        if kind is not None:
            assert metric.key.name not in BETWEEN_GROUPS
            assert metric.key.higher_is_better == kind.higher_is_better
            assert bool(metric.concerned) == (kind.speaks is not Speaks.ALL)
        assert metric.not_measurable(3).reason == f"{metric.empty} in this group"
        assert metric.empty.startswith(("there is no row", "no row was taken for", "there are not both rows of"))
