"""Every verdict of a policy: three outcomes, and sentences that stand alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from judged import BOTH, DROP, GAP, LEVEL, findings
from stage import evaluate, labels, population_of, rule, split_of, values

from audit_pipeline.evaluate import wording
from audit_pipeline.evaluate.judge import outcome_of
from audit_pipeline.evaluate.questions import Smallest
from audit_pipeline.findings import Breach
from audit_pipeline.measurement import GroupKey, Interval, Measured, NotMeasurable, Outcome
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally


def breach(p: float) -> Breach:
    return Breach(p=p, adjusted_p=p, family=1, level=LEVEL)


@pytest.mark.parametrize(
    ("low", "high", "p", "at_most", "at_least"),
    [
        (0.1, 0.2, 1, Outcome.PASS, Outcome.INCONCLUSIVE),
        (0.1, 0.3, 1, Outcome.PASS, Outcome.INCONCLUSIVE),
        (0.3, 0.4, 0.0251, Outcome.INCONCLUSIVE, Outcome.PASS),
        (0.2, 0.4, 0.5, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        (0.4, 0.5, 0.04, Outcome.INCONCLUSIVE, Outcome.PASS),
        (0.4, 0.5, 0.025, Outcome.FAIL, Outcome.FAIL),
        (0.2, 0.4, 0.001, Outcome.FAIL, Outcome.FAIL),
    ],
)
def test_the_test_decides_on_failing_and_the_interval_on_passing(
    low: float, high: float, p: float, at_most: Outcome, at_least: Outcome
) -> None:
    interval = Interval(low=low, high=high, level=0.95, method="")
    assert outcome_of(interval, 0.3, breach(p), at_most=True) is at_most
    assert outcome_of(interval, 0.3, breach(p), at_most=False) is at_least


def test_a_fall_in_one_group_fails_that_group_alone() -> None:
    female, male = findings(DROP, right_before=BOTH, right_after={"female": 0.6, "male": 0.9})
    assert (female.outcome, male.outcome) == (Outcome.FAIL, Outcome.PASS)
    assert female.id == "fairness.recall.alarm.max_drop:sex=female"
    assert female.rule == "fairness[0]"
    assert female.claim == "sex=female: recall of alarm falls by at most 0.05 against the float model"
    assert female.reason.startswith("sex=female: recall of alarm fell by 0.300 (95 % interval 0.2")
    assert (
        " on 400 rows; at most 0.05 is allowed; the limit is broken (p < 0.001, p < 0.001 after Holm" in female.reason
    )
    assert male.reason.startswith("sex=male: recall of alarm did not change (95 % interval \N{MINUS SIGN}0.0")


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
    assert "20 rows are fewer than the 30 rows that the policy asks for" in few_rows.reason
    assert few_rows.breach is None
    assert few_rows.prospect is None
    one_person = findings(DROP, right_before=BOTH, right_after={"female": 0.85, "male": 0.9}, people=1)[0]
    assert one_person.outcome is Outcome.INCONCLUSIVE
    assert one_person.breach is not None


def test_a_drop_without_a_float_model_decides_nothing() -> None:
    (female, _) = findings(DROP, right_after=BOTH)
    assert female.outcome is Outcome.INCONCLUSIVE
    assert isinstance(female.value, NotMeasurable)
    assert female.value.rows == 400
    assert "there is no float model" in female.reason


def test_a_class_without_rows_decides_nothing() -> None:
    (finding,) = findings({"metric": "recall", "class_": "calm", "min": 0.5}, right_after=BOTH)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "there is no row of class calm in this group" in finding.reason


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        ({"metric": "recall", "class_": "alarm", "min": 0.8}, Outcome.PASS),
        ({"metric": "recall", "class_": "alarm", "min": 0.9}, Outcome.INCONCLUSIVE),
        ({"metric": "recall", "class_": "alarm", "min": 0.95}, Outcome.FAIL),
        ({"metric": "missed_alarm_rate", "max": 0.2}, Outcome.PASS),
        ({"metric": "missed_alarm_rate", "max": 0.05}, Outcome.FAIL),
        ({"metric": "missed_alarm_rate", "max_rise": 0.1}, Outcome.PASS),
        ({"metric": "f1", "class_": "alarm", "min": 0.98}, Outcome.FAIL),
        ({"metric": "f1", "class_": "alarm", "min": 0.8}, Outcome.PASS),
        ({"metric": "selection_rate", "max": 0.8}, Outcome.FAIL),
        ({"metric": "selection_rate", "min": 0.8}, Outcome.PASS),
        ({"metric": "macro_recall", "max_drop": 0.1}, Outcome.PASS),
    ],
)
def test_every_kind_of_limit(asked: dict[str, Any], outcome: Outcome) -> None:
    (finding,) = findings(asked, right_before=BOTH, right_after=BOTH)
    assert finding.outcome is outcome
    assert finding.limit_kind == ("at_least" if "min" in asked else "at_most")


def test_a_limit_in_another_unit_is_judged_in_that_unit() -> None:
    split = split_of(np.zeros(600, int))
    population = population_of(split, row_seconds=10)
    made = labels(np.arange(600) % 20 == 0)  # 18 false alarms an hour
    asked = [rule(metric="false_alarms_per_hour", max=limit) for limit in (9, 17, 40)]
    outcomes = [evaluate(None, made, population, [each]).findings[0].outcome for each in asked]
    assert outcomes == [Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS]
    rise = evaluate(labels(np.zeros(600)), made, population, [rule(metric="false_alarms_per_hour", max_rise=9)])
    assert rise.findings[0].outcome is Outcome.FAIL


def test_errors_of_a_number_are_judged_in_its_unit() -> None:
    rng = np.random.default_rng(2)
    target = rng.normal(100, 20, 400)
    population = population_of(split_of(np.zeros(400, int), target=target), (), (), task="regression")
    before, after = target + rng.normal(0, 5, 400), target + rng.normal(0, 10, 400)
    for asked, outcome in (
        ({"metric": "mae", "max": 12}, Outcome.PASS),
        ({"metric": "mae", "max": 6}, Outcome.FAIL),
        ({"metric": "rmse", "max_rise": 8}, Outcome.PASS),
        ({"metric": "rmse", "max_rise": 2}, Outcome.FAIL),
    ):
        (finding,) = evaluate(values(before), values(after), population, [rule(**asked)]).findings
        assert finding.outcome is outcome


@pytest.mark.parametrize(
    ("female", "outcome"), [(0.5, Outcome.FAIL), (0.82, Outcome.INCONCLUSIVE), (0.9, Outcome.PASS)]
)
def test_a_gap_is_one_finding_that_names_the_pair(female: float, outcome: Outcome) -> None:
    (finding,) = findings(GAP, right_after={"female": female, "male": 0.9})
    assert finding.outcome is outcome
    assert finding.id == "fairness.recall.alarm.max_gap:sex"
    assert finding.group.label == "between groups of sex"
    assert isinstance(finding.value, Measured)
    if outcome is Outcome.FAIL:
        assert finding.reason.startswith("recall of alarm differs by 0.400 (95 % interval 0.")
        assert "between sex=male (higher) and sex=female on 800 rows" in finding.reason


@pytest.mark.parametrize(("female", "outcome"), [(0.9, Outcome.INCONCLUSIVE), (0.3, Outcome.FAIL)])
def test_while_a_group_is_too_small_to_be_compared_a_gap_can_fail_and_not_pass(female: float, outcome: Outcome) -> None:
    rows = {"female": 400, "male": 400, "unknown": 10}
    (finding,) = findings(GAP, right_after={"female": female, "male": 0.9, "unknown": 0.9}, rows=rows)
    assert finding.outcome is outcome
    assert "as they cannot be measured on the 30 rows that the policy asks for: sex=unknown" in finding.reason
    assert finding.prospect is None


def test_no_number_of_people_makes_a_gap_pass_while_a_group_cannot_be_compared() -> None:
    rows = {"female": 200, "male": 200, "unknown": 10}
    (finding,) = findings(GAP, right_after={"female": 0.8, "male": 0.85, "unknown": 0.9}, rows=rows)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.prospect is not None
    assert finding.prospect.more is None
    assert "would settle" not in finding.reason


def test_of_many_groups_that_cannot_be_compared_a_reason_names_three_and_counts_the_rest() -> None:
    groups = tuple(GroupKey(by=("sex", "site"), values=("female", f"{number}")) for number in range(500))
    assert wording.left_out(groups[:2], "1 row") == (
        "; not compared, as they cannot be measured on the 1 row that the policy asks for: "
        "sex=female, site=0 | sex=female, site=1"
    )
    assert wording.left_out(groups, "30 rows").endswith(" | sex=female, site=2 and 497 more")


def test_the_last_clause_of_an_undecided_reason_is_what_it_would_take() -> None:
    (finding,) = findings(GAP, right_after={"female": 0.8, "male": 0.85}, rows=200)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.reason.split("; ")[-1].startswith("about ")


def test_a_gap_needs_two_groups() -> None:
    (finding,) = findings(GAP, right_after={"female": 0.9}, rows=100)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert isinstance(finding.value, NotMeasurable)
    assert "fewer than two groups have the 30 rows" in finding.reason


def test_a_policy_can_ask_for_people_as_well_as_rows() -> None:
    asked = Smallest(rows=30, people=8)
    few, many = (Share(Tally(np.full(people, 90), np.full(people, 100), named=True)) for people in (7, 8))
    assert not asked.is_met_by(few)
    assert asked.is_met_by(many)
    assert asked.label == "30 rows and 8 people"
    assert Smallest(rows=30, people=8).is_met_by(Share(Tally(np.array([20]), np.array([30]), named=False)))
