"""From findings to the verdict."""

from __future__ import annotations

from typing import Any

import pytest

from audit_pipeline.decide import decide
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.policy.schema import Policy

POLICY: dict[str, Any] = {
    "version": 1,
    "name": "test",
    "human_centred": {
        "intended_use": "a test",
        "affected": ("nobody",),
        "worst_error": {"class": "V", "kind": "missed", "harms": "nobody"},
        "responsible": {"false_alarm": "the maker", "missed_alarm": "the operator"},
        "oversight": {"who_can_stop": "the tester", "how_to_appeal": "ask"},
        "never_record": ("names",),
        "author": {"role": "the tester"},
    },
    "data": {"manifest": "dataset.yaml"},
    "target": {"flash_kib": 100, "ram_kib": 100},
    "fairness": ({"metric": "accuracy", "min": 0.5},),
    "privacy": ({"attack": "blob_scan"},),
}


def finding(outcome: Outcome, rule: str = "fairness[0]", value: float | None = 0.1, **changes: Any) -> Finding:
    measurement: Measurement = NotMeasurable(reason="no rows", rows=0)
    if value is not None:
        measurement = Measured(estimate=value, rows=100)
    fields: dict[str, Any] = {
        "id": f"{rule}:{value}",
        "stage": "fairness",
        "rule": rule,
        "claim": "it holds",
        "group": GroupKey(),
        "value": measurement,
        "limit": 0.05,
        "limit_kind": "at_most",
        "outcome": outcome,
        "reason": f"{outcome.value} {value}",
    }
    return Finding.model_validate(fields | changes)


BLOB = finding(Outcome.PASS, "privacy[0]")


def verdict(*findings: Finding):
    return decide(findings, Policy.model_validate(POLICY))


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Outcome.PASS, Outcome.PASS], Outcome.PASS),
        ([Outcome.PASS, Outcome.INCONCLUSIVE], Outcome.INCONCLUSIVE),
        ([Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.PASS], Outcome.FAIL),
    ],
)
def test_the_worst_finding_decides(outcomes: list[Outcome], expected: Outcome) -> None:
    decided = verdict(BLOB, *(finding(outcome) for outcome in outcomes))
    assert decided.outcome is expected
    assert decided.counts == {each: [*outcomes, Outcome.PASS].count(each) for each in Outcome}


def test_a_pass_needs_no_reasons() -> None:
    assert verdict(BLOB, finding(Outcome.PASS)).reasons == ()


def test_reasons_put_failures_first_and_the_furthest_beyond_its_limit_before_the_rest() -> None:
    decided = verdict(
        BLOB,
        finding(Outcome.INCONCLUSIVE, value=None),
        finding(Outcome.FAIL, value=0.2),
        finding(Outcome.INCONCLUSIVE, value=0.9),
        finding(Outcome.FAIL, value=0.1, limit=0.9, limit_kind="at_least"),
    )
    assert decided.reasons == ("FAIL 0.1", "FAIL 0.2", "INCONCLUSIVE 0.9", "INCONCLUSIVE None")


def test_the_order_of_findings_does_not_matter() -> None:
    findings = [BLOB, finding(Outcome.FAIL, value=0.2), finding(Outcome.FAIL, value=0.3), finding(Outcome.INCONCLUSIVE)]
    assert verdict(*findings) == verdict(*reversed(findings))


def test_nothing_found_out_is_not_a_pass() -> None:
    assert verdict().outcome is Outcome.INCONCLUSIVE


def test_a_rule_that_nobody_judged_is_not_a_pass() -> None:
    decided = verdict(finding(Outcome.PASS))
    assert decided.outcome is Outcome.INCONCLUSIVE
    assert decided.reasons == ("privacy[0]: nothing was found out about this rule",)
