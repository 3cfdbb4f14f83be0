"""The verdicts of a policy are given together: one family of tests, and prospects for what stays undecided."""

from __future__ import annotations

import numpy as np
import pytest
from judged import DROP, GAP, LEVEL, MISSED, findings

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Measured, Outcome
from audit_pipeline.statistics.multiplicity import holm


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


def test_people_who_lose_alike_do_not_fail_while_others_may_lose_nothing() -> None:
    (finding,) = findings(DROP, right_before={"a": 0.9}, right_after={"a": 0.84}, rows=16_000, people=8)
    assert isinstance(finding.value, Measured)
    assert finding.value.interval is not None
    assert finding.value.interval.low > finding.limit
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "the interval breaks the limit, but the stricter test does not (p = 0.23)" in finding.reason
