"""Fairness rules become findings with three-valued outcomes and sentences that stand alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audit_pipeline.data.population import Split
from audit_pipeline.evaluate.counts import count
from audit_pipeline.evaluate.judge import judge, outcome_within
from audit_pipeline.evidence import Finding
from audit_pipeline.measurement import Interval, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.predictions import Predictions


def predictions(labels: np.ndarray) -> Predictions:
    return Predictions(np.eye(2, dtype=np.float32)[labels], 0.0, "float")


def findings(
    rule: dict[str, Any],
    *,
    right_before: dict[str, float] | None,
    right_after: dict[str, float],
    rows: int = 400,
    people: int | None = None,
    smallest: int = 30,
) -> tuple[Finding, ...]:
    """Rows of class "alarm" alone; in each group the given share is recognised, the first rows of each person."""
    names = list(right_after)
    y = np.ones(rows * len(names), dtype=np.int64)
    group = np.repeat(names, rows)
    number = np.tile(np.arange(rows), len(names))
    share = (number * 7 % rows) / rows
    subjects = None if people is None else np.char.add(group, (number % people).astype(str))

    def labels(right: dict[str, float]) -> np.ndarray:
        return (share < np.array([right[name] for name in group])).astype(np.int64)

    split = Split(np.zeros((len(y), 1), np.float32), y, {"sex": group}, subjects)
    rules = [FairnessRule.model_validate(rule)]
    counts = count(
        None if right_before is None else predictions(labels(right_before)),
        predictions(labels(right_after)),
        split,
        ("calm", "alarm"),
        ("alarm",),
        rules=rules,
    )
    return judge(rules, counts, Statistics(min_group_size=smallest))


DROP = {"metric": "recall", "class": "alarm", "max_drop": 0.05, "groups": ("sex",)}
GAP = {"metric": "recall", "class": "alarm", "max_gap": 0.1, "groups": ("sex",)}
BOTH = {"female": 0.9, "male": 0.9}


@pytest.mark.parametrize(
    ("low", "high", "at_most", "at_least"),
    [
        (0.1, 0.2, Outcome.PASS, Outcome.FAIL),
        (0.1, 0.3, Outcome.PASS, Outcome.INCONCLUSIVE),
        (0.2, 0.4, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        (0.3, 0.4, Outcome.INCONCLUSIVE, Outcome.PASS),
        (0.4, 0.5, Outcome.FAIL, Outcome.PASS),
    ],
)
def test_the_interval_against_the_limit_decides(low: float, high: float, at_most: Outcome, at_least: Outcome) -> None:
    interval = Interval(low=low, high=high, level=0.95, method="")
    assert outcome_within(interval, 0.3, at_most=True) is at_most
    assert outcome_within(interval, 0.3, at_most=False) is at_least


def test_a_fall_in_one_group_fails_that_group_alone() -> None:
    female, male = findings(DROP, right_before=BOTH, right_after={"female": 0.6, "male": 0.9})
    assert (female.outcome, male.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert female.id == "fairness.recall.alarm.max_drop:sex=female"
    assert female.rule == "fairness[0]"
    assert female.claim == "sex=female: recall of alarm falls by at most 0.05 against the float model"
    assert female.reason == (
        "sex=female: recall of alarm fell by 0.300 (95 % interval 0.257 to 0.347) on 400 rows; at most 0.05 is allowed"
    )


def test_people_are_named_in_the_reason() -> None:
    female, _ = findings(DROP, right_before=BOTH, right_after={"female": 0.6, "male": 0.9}, people=10)
    assert "on 400 rows of 10 people" in female.reason


def test_a_gain_is_told_as_a_gain() -> None:
    female, _ = findings(DROP, right_before=BOTH, right_after={"female": 0.95, "male": 0.9})
    assert female.outcome is Outcome.PASS
    assert "recall of alarm rose by 0.050 (95 % interval 0.0" in female.reason


def test_too_few_rows_or_people_decide_nothing() -> None:
    few_rows = findings(DROP, right_before=BOTH, right_after={"female": 0.1, "male": 0.9}, rows=20)[0]
    assert few_rows.outcome is Outcome.INCONCLUSIVE
    assert "20 rows are fewer than the 30" in few_rows.reason
    one_person = findings(DROP, right_before=BOTH, right_after={"female": 0.85, "male": 0.9}, people=1)[0]
    assert one_person.outcome is Outcome.INCONCLUSIVE


def test_max_drop_without_a_float_model_decides_nothing() -> None:
    (female, _) = findings(DROP, right_before=None, right_after=BOTH)
    assert female.outcome is Outcome.INCONCLUSIVE
    assert isinstance(female.value, NotMeasurable)
    assert "there is no float model" in female.reason


def test_a_class_without_rows_decides_nothing() -> None:
    rule = {"metric": "recall", "class": "calm", "min": 0.5}
    (finding,) = findings(rule, right_before=None, right_after=BOTH)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "there is no row of class calm in this group" in finding.reason


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ({"metric": "recall", "class": "alarm", "min": 0.8}, Outcome.PASS),
        ({"metric": "recall", "class": "alarm", "min": 0.9}, Outcome.INCONCLUSIVE),
        ({"metric": "recall", "class": "alarm", "min": 0.95}, Outcome.FAIL),
        ({"metric": "missed_alarm_rate", "max": 0.2}, Outcome.PASS),
        ({"metric": "missed_alarm_rate", "max": 0.05}, Outcome.FAIL),
        ({"metric": "missed_alarm_rate", "max_rise": 0.1}, Outcome.PASS),
    ],
)
def test_every_kind_of_limit(rule: dict[str, Any], outcome: Outcome) -> None:
    (finding,) = findings(rule, right_before=BOTH, right_after=BOTH)
    assert finding.outcome is outcome
    assert finding.limit_kind == ("at_least" if "min" in rule else "at_most")


@pytest.mark.parametrize(
    ("female", "outcome"), [(0.5, Outcome.FAIL), (0.82, Outcome.INCONCLUSIVE), (0.9, Outcome.PASS)]
)
def test_a_gap_is_one_finding_that_names_the_pair(female: float, outcome: Outcome) -> None:
    (finding,) = findings(GAP, right_before=None, right_after={"female": female, "male": 0.9})
    assert finding.outcome is outcome
    assert finding.id == "fairness.recall.alarm.max_gap:sex"
    assert finding.group.label == "between groups of sex"
    assert isinstance(finding.value, Measured)
    if outcome is Outcome.FAIL:
        assert finding.reason.startswith(
            "recall of alarm of sex=male is 0.400 above that of sex=female (95 % interval "
        )


def test_a_gap_cannot_pass_while_a_group_is_too_small_to_be_compared() -> None:
    y = np.ones(810, dtype=np.int64)
    sex = np.repeat(["female", "male", "unknown"], [400, 400, 10])
    split = Split(np.zeros((810, 1), np.float32), y, {"sex": sex}, None)
    rules = [FairnessRule.model_validate(GAP)]
    counts = count(None, predictions(y), split, ("calm", "alarm"), ("alarm",), rules=rules)
    (finding,) = judge(rules, counts, Statistics())
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "not compared, for fewer than the 30 rows that the policy asks for: sex=unknown" in finding.reason


def test_a_gap_needs_two_groups() -> None:
    (finding,) = findings(GAP, right_before=None, right_after={"female": 0.9}, rows=100)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert isinstance(finding.value, NotMeasurable)
