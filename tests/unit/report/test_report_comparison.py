"""What picture, tables and terminal show: which metrics, in which order, against which limit."""

from __future__ import annotations

import pytest
from report_sample import BANDS, METRICS, RECALL_OF_V, make_evidence

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Outcome
from audit_pipeline.report.comparison import MetricTable, metric_tables
from audit_pipeline.report.rules import claim_of, limit_in_words, rule_of, value_in_words
from audit_pipeline.report.summary import describe, summarise


def table(evidence: Evidence, label: str) -> MetricTable:
    return next(each for each in metric_tables(evidence) if each.metric.label == label)


def finding(evidence: Evidence, start: str) -> Finding:
    return next(each for each in evidence.findings if each.id.startswith(start))


def test_every_metric_of_every_group_is_in_a_table(sample_evidence: Evidence) -> None:
    tables = metric_tables(sample_evidence)
    of_rows = [each for each in tables if not each.is_of_groups]
    assert {each.metric for each in of_rows} == set(METRICS)
    assert all(len(each.everyone) == len(sample_evidence.groups) for each in of_rows)


def test_a_number_that_only_compares_groups_stands_among_the_metrics(refused: Evidence) -> None:
    odds, parity = table(refused, "equalized odds difference"), table(refused, "demographic parity ratio")
    assert [each.claims for each in (odds, parity)] == [
        ("equalized odds difference is at most 0.1 on the device",),
        ("demographic parity ratio is at least 0.8 on the device",),
    ]
    assert (odds.metric.higher_is_better, parity.metric.higher_is_better) == (False, True)
    assert odds.outcome is parity.outcome is Outcome.PASS
    assert describe(odds).endswith("Between groups of sex: PASS.")


def test_the_metric_that_fails_stands_first_and_the_unruled_last(refused: Evidence) -> None:
    order = [each.metric.label for each in metric_tables(refused)]
    assert order[:3] == ["recall of V", "accuracy", "false alarm rate"]


def test_groups_are_ordered_by_how_far_they_break_the_limit(refused: Evidence) -> None:
    lines = table(refused, "recall of V").lines
    assert lines[0].group == GroupKey(by=("sex", "age_band"), values=("F", BANDS[2]))
    excesses = [line.excess for line in lines]
    assert excesses == sorted(excesses, reverse=True)


def test_without_a_rule_the_group_served_worst_stands_first(refused: Evidence) -> None:
    after = [line.comparison.after.estimate for line in table(refused, "missed alarm rate").lines]  # type: ignore[union-attr]
    assert after == sorted(after, reverse=True)


def test_a_drop_is_limited_at_its_distance_from_the_float_model(refused: Evidence) -> None:
    overall = table(refused, "recall of V").overall
    assert overall is not None
    assert overall.limit == pytest.approx(0.85 - 0.02)


def test_a_minimum_is_limited_where_the_policy_says(refused: Evidence) -> None:
    accuracy = table(refused, "accuracy")
    assert accuracy.overall is not None
    assert accuracy.overall.limit == 0.7
    assert all(line.limit is None for line in accuracy.lines)


def test_a_gap_is_limited_from_the_best_group_of_its_columns_and_judges_no_single_one(refused: Evidence) -> None:
    alarms = table(refused, "false alarm rate")
    limits = {line.group.values: line.limit for line in alarms.lines if line.group.by == ("sex",)}
    assert limits == {("F",): pytest.approx(0.053 + 0.05), ("M",): pytest.approx(0.053 + 0.05)}
    assert all(line.limit is None for line in alarms.lines if line.group.by != ("sex",))
    assert not alarms.is_judged_by_line
    assert alarms.outcome is Outcome.PASS


def test_the_summary_names_overall_and_the_worst_group(refused: Evidence) -> None:
    assert summarise(table(refused, "recall of V")) == (
        "Overall 0.850 → 0.640. Of 11 groups, 5 failed, 6 passed; the worst is sex=F, age_band=65-119: 0.860 → 0.230."
    )
    assert describe(table(refused, "false alarm rate")).endswith("Between groups of sex: PASS.")


def test_values_and_limits_are_put_in_the_unit_of_their_rule(refused: Evidence) -> None:
    def words(start: str) -> tuple[str, str]:
        found = finding(refused, start)
        return value_in_words(refused, found)[0], limit_in_words(refused, found)

    assert words("max_drop/recall/V/sex=F") == ("+0.620", "at most 0.02")
    assert words("min/accuracy") == ("0.752", "at least 0.7")
    assert words("device/flash") == ("27,720", "at most 2,097,152")
    assert words("membership") == ("0.012", "at most 0.05")
    assert words("blob_scan") == ("0", "at most 0")


def test_a_claim_does_not_repeat_its_group(refused: Evidence) -> None:
    assert claim_of(refused.findings[1]) == "recall of V falls by at most 0.02 against the float model"


@pytest.mark.parametrize("place", ["target", "fairness[99]", "fairness[-1]", "privacy", "run[0]", "fairness[0].metric"])
def test_a_rule_that_is_not_in_the_policy_is_empty(refused: Evidence, place: str) -> None:
    assert rule_of(refused, refused.findings[0].model_copy(update={"rule": place})) == {}


def test_a_policy_of_another_shape_is_shown_without_its_rules(refused: Evidence) -> None:
    documents: list[dict[str, object]] = [{}, {"fairness": "none"}, {"fairness": [7]}]
    for document in (*documents, {"fairness": [{"metric": [], "class": {}}]}):
        odd = refused.model_copy(update={"policy": refused.policy.model_copy(update={"document": document})})
        assert all(each.claims == () for each in metric_tables(odd))


def test_the_worst_of_several_rules_on_a_group_counts() -> None:
    evidence = make_evidence(ruled=(RECALL_OF_V, RECALL_OF_V))
    overall = table(evidence, "recall of V").overall
    assert overall is not None
    assert overall.outcome is Outcome.FAIL
