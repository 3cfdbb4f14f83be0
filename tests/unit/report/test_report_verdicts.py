"""What a reader is told about how verdicts were reached."""

from __future__ import annotations

from typing import Any

import pytest
from report_aged import aged
from report_findings import PROSPECT, TESTED, measured
from report_sample import make_evidence

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Outcome
from audit_pipeline.report.verdicts import by_outcome, how_decided, remark


@pytest.fixture(scope="module")
def undecided() -> Evidence:
    return make_evidence(Outcome.INCONCLUSIVE)


def inconclusive(evidence: Evidence, **changes: Any) -> Finding:
    finding = next(each for each in evidence.findings if each.outcome is Outcome.INCONCLUSIVE)
    return finding.model_copy(update=changes)


def prospect(**changes: Any) -> dict[str, Any]:
    return {"prospect": PROSPECT.model_copy(update=changes)}


def test_each_outcome_is_explained_by_the_test_behind_it(undecided: Evidence) -> None:
    said = dict(how_decided(undecided))
    assert "all 15 limits on fairness that this policy tested, it is at most 0.025" in said[Outcome.FAIL]
    assert "the whole 95% interval" in said[Outcome.PASS]
    assert "intersection-union" in said[Outcome.PASS]
    assert "80% power" in said[Outcome.INCONCLUSIVE]


def test_evidence_without_tests_was_decided_by_intervals() -> None:
    said = dict(how_decided(Evidence.model_validate_json(aged(make_evidence()))))
    assert said[Outcome.FAIL] == "the whole interval lies beyond the limit."
    assert "Holm" not in " ".join(said.values())


def test_an_undecided_finding_says_what_it_could_have_shown_and_what_it_takes(undecided: Evidence) -> None:
    said = remark(undecided, inconclusive(undecided))
    assert "Could have shown +0.213 or worse." in said
    assert "About 12 more people would settle it as FAIL." in said


def test_a_breach_that_the_adjustment_forgives_is_named(undecided: Evidence) -> None:
    assert "Alone this would break the limit, among 15 tests it does not." in remark(undecided, inconclusive(undecided))
    unlikely = inconclusive(undecided, breach=TESTED[Outcome.PASS])
    assert "Alone" not in remark(undecided, unlikely)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (prospect(detectable=None), "No value, however bad, could have been shown."),
        (prospect(settles=None, more=None), "What was measured lies on the limit: more of the same settles nothing."),
        (prospect(more=None), "No number of people would settle it as FAIL."),
        (prospect(more=1), "About 1 more person would settle it as FAIL."),
        (prospect(more=41_200, of="rows", settles=Outcome.PASS), "More than 10,000 more rows would settle it as PASS."),
    ],
)
def test_what_it_takes_may_be_out_of_reach(undecided: Evidence, changes: dict[str, Any], words: str) -> None:
    assert words in remark(undecided, inconclusive(undecided, **changes))


def test_what_stands_in_columns_is_not_said_again(undecided: Evidence) -> None:
    passed = next(each for each in undecided.findings if each.id == "min/accuracy")
    assert remark(undecided, passed) == ""


def test_what_has_no_column_is_said_in_full_without_its_group(undecided: Evidence) -> None:
    gap = next(each for each in undecided.findings if each.id.startswith("max_gap"))
    assert remark(undecided, gap) == "differs by 0.031 between sex=F (higher) and sex=M"
    sex = GroupKey(by=("sex",), values=("F",))
    changes = {
        "breach": None,
        "prospect": None,
        "group": sex,
        "value": measured(0.1),
        "reason": "sex=F: 7 rows are few",
    }
    assert remark(undecided, inconclusive(undecided, **changes)) == "7 rows are few"


def test_findings_stand_by_outcome_and_rule_the_worst_first() -> None:
    sections = by_outcome(make_evidence())
    assert [section.outcome for section in sections] == [Outcome.FAIL, Outcome.PASS]
    failed, passed = sections
    assert failed.size == 6
    assert failed.is_tested
    assert not failed.has_remarks
    [rule] = failed.rules
    assert (rule.place, rule.limit) == ("fairness[0]", "at most 0.02")
    values = [finding.value.estimate for finding in rule.findings]  # type: ignore[union-attr]
    assert values == sorted(values, reverse=True)
    assert [rule.claim for rule in passed.rules if rule.is_weak_attack] == ["weak attack, losses only"]
