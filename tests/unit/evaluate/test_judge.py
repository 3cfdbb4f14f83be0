"""Every verdict of a policy, given together: three outcomes, one family of tests, sentences that stand alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from stage import evaluate, labels, population_of, rule, split_of, values

from audit_pipeline.evaluate import wording
from audit_pipeline.evaluate.judge import outcome_of
from audit_pipeline.evaluate.questions import Smallest
from audit_pipeline.findings import Breach, Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, NotMeasurable, Outcome
from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally

DROP = {"metric": "recall", "class_": "alarm", "max_drop": 0.05, "groups": ("sex",)}
GAP = {"metric": "recall", "class_": "alarm", "max_gap": 0.1, "groups": ("sex",)}
MISSED = {"metric": "missed_alarm_rate", "max": 0.1, "groups": ("sex",)}
BOTH = {"female": 0.9, "male": 0.9}
LEVEL = 0.025


def findings(
    *rules: dict[str, Any],
    right_after: dict[str, float],
    right_before: dict[str, float] | None = None,
    rows: int | dict[str, int] = 400,
    people: int | None = None,
    smallest: int = 30,
) -> tuple[Finding, ...]:
    """Rows of class "alarm" alone; in each group the given share is recognised, the first rows of each person."""
    names = list(right_after)
    each = [rows if isinstance(rows, int) else rows[name] for name in names]
    group = np.repeat(names, each)
    number = np.concatenate([np.arange(count) for count in each])
    share = np.concatenate([(np.arange(count) + 0.5) / count for count in each])
    if people is not None:  # the same share of everybody's rows
        share = np.concatenate([(np.arange(count) // people + 0.5) / (count // people) for count in each])
    subjects = None if people is None else np.char.add(group, (number % people).astype(str))

    def made(right: dict[str, float]) -> Any:
        return labels(share < np.array([right[name] for name in group]), 2)

    split = split_of(np.ones(len(group), int), subjects, sex=group)
    before = None if right_before is None else made(right_before)
    asked = [rule(**each) for each in rules]
    population = population_of(split, ("calm", "alarm"), ("alarm",))
    return evaluate(before, made(right_after), population, asked, smallest=smallest).findings


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


def many(bad: float, groups: int, rows: int = 200) -> tuple[Finding, ...]:
    """One group misses more than the others, which keep the limit."""
    after = {f"g{number:02}": 0.97 for number in range(groups)} | {"g00": bad}
    return findings(MISSED, right_after=after, rows=rows)


def test_what_would_fail_alone_may_not_among_fifty_and_its_reason_says_so() -> None:
    (alone,) = many(0.845, 1)
    among, *others = many(0.845, 50)
    assert alone.outcome is Outcome.FAIL
    assert among.outcome is Outcome.INCONCLUSIVE
    assert alone.breach is not None
    assert among.breach is not None
    assert (alone.breach.family, among.breach.family) == (1, 50)
    assert alone.breach.p == among.breach.p == alone.breach.adjusted_p < LEVEL < among.breach.adjusted_p
    assert "alone this would break it (p = 0.0" in among.reason
    assert "not among the 50 tests of this policy" in among.reason
    assert {finding.outcome for finding in others} == {Outcome.PASS}


def test_what_is_bad_enough_fails_among_fifty_too() -> None:
    assert many(0.6, 50)[0].outcome is Outcome.FAIL


def test_p_values_are_adjusted_over_all_rules_of_the_policy() -> None:
    asked = (DROP, GAP, MISSED, {"metric": "accuracy", "min": 0.85})
    after = {"female": 0.87, "male": 0.8, "x": 0.9}
    found = findings(*asked, right_before=dict.fromkeys(after, 0.9), right_after=after, rows=150)
    breaches = [finding.breach for finding in found]
    raw = [each.p for each in breaches if each is not None]
    assert len(raw) == len(found) == 8
    assert [each.adjusted_p for each in breaches if each is not None] == pytest.approx(holm(raw).tolist())
    assert all(each.family == 8 and each.level == pytest.approx(LEVEL) for each in breaches if each is not None)
    assert all(each.adjusted_p >= each.p for each in breaches if each is not None)


def test_only_what_is_judged_counts_as_a_test() -> None:
    rows = {"female": 400, "male": 400, "few": 5}
    found = findings(MISSED, DROP, right_after={"female": 0.8, "male": 0.95, "few": 0.1}, rows=rows)
    assert [finding.breach.family for finding in found if finding.breach is not None] == [2, 2]
    assert [finding.breach is None for finding in found] == [False, True, False, True, True, True]


def test_only_an_undecided_finding_has_a_prospect() -> None:
    found = findings(MISSED, right_after={"a": 0.5, "b": 0.99, "c": 0.92}, rows=200)
    assert [finding.outcome for finding in found] == [Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE]
    assert [finding.prospect is None for finding in found] == [True, True, False]
    prospect = found[2].prospect
    assert prospect is not None
    assert prospect.detectable is not None
    assert 0.1 < prospect.detectable < 0.3
    assert (prospect.settles, prospect.of) == (Outcome.PASS, "rows")
    assert prospect.more is not None
    assert f"a value of {prospect.detectable:.3f} would have been found with 80 % power" in found[2].reason
    assert "more rows would settle it as PASS if it stays as measured" in found[2].reason


def test_a_prospect_counts_people_where_they_are_named() -> None:
    (finding,) = findings(MISSED, right_after={"a": 0.9}, rows=200, people=20)
    assert finding.prospect is not None
    assert finding.prospect.of == "people"


@pytest.mark.parametrize("kind", ["min", "max", "f1", "max_gap", "drop"])
def test_failing_alone_and_an_interval_wholly_beyond_the_limit_are_one(kind: str) -> None:
    """Of a change and of a gap the test is stricter than the interval; it is never laxer."""
    asked = {
        "min": {"metric": "recall", "class_": "alarm", "min": 0.8, "groups": ("sex",)},
        "max": MISSED | {"max": 0.2},
        "f1": {"metric": "f1", "class_": "alarm", "min": 0.9, "groups": ("sex",)},
        "max_gap": GAP,
        "drop": DROP,
    }[kind]
    outcomes = set()
    for share in np.linspace(0.6, 0.95, 15):
        after = {"a": float(share)} if kind != "max_gap" else {"a": float(share), "b": 0.9}
        (finding,) = findings(asked, right_before=dict.fromkeys(after, 0.9), right_after=after, rows=120)
        assert isinstance(finding.value, Measured)
        interval = finding.value.interval
        assert interval is not None
        beyond = interval.low > finding.limit if finding.limit_kind == "at_most" else interval.high < finding.limit
        if kind in ("max_gap", "drop"):
            assert beyond or finding.outcome is not Outcome.FAIL
        else:
            assert (finding.outcome is Outcome.FAIL) == beyond
        outcomes.add(finding.outcome)
    assert outcomes == set(Outcome)


def test_a_policy_can_ask_for_people_as_well_as_rows() -> None:
    asked = Smallest(rows=30, people=8)
    few, many = (Share(Tally(np.full(people, 90), np.full(people, 100), named=True)) for people in (7, 8))
    assert not asked.is_met_by(few)
    assert asked.is_met_by(many)
    assert asked.label == "30 rows and 8 people"
    assert Smallest(rows=30, people=8).is_met_by(Share(Tally(np.array([20]), np.array([30]), named=False)))
