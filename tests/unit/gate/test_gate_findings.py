"""Findings of the sample report, altered by somebody who can sign a verdict about them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.errors import RejectedError
from audit_pipeline.evaluate.judge import adjust
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.findings import check_findings
from audit_pipeline.policy.boards import Board
from audit_pipeline.policy.schema import Policy

SAMPLE = Path(__file__).parents[3] / "reports" / "sample" / "evidence.json"
DOCUMENT: dict[str, Any] = json.loads(SAMPLE.read_bytes())
RECALL = "fairness.recall.V.max_drop:overall"
"""A FAIL: it fell by 0.25, at most 0.05 was allowed."""
UNDECIDED = "fairness.recall.S.max_drop:sex=male"
KEPT = "fairness.accuracy.max_drop:overall"
MEMBERSHIP = "privacy.membership.fpr=0.05:overall"
FLASH = "target:flash:overall"

Change = Callable[[dict[str, Any]], object]


def check(document: dict[str, Any]) -> None:
    evidence = Evidence.model_validate_json(json.dumps(document))
    said = DOCUMENT["footprint"]
    board = Board("b", "b", "b", said["flash_limit"] >> 10, said["arena_limit"] >> 10, "b")
    check_findings(evidence, Policy.model_validate(evidence.policy.document, strict=False), board, said["flash_bytes"])


def finding(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in document["findings"] if each["id"] == name)
    return found


def of_all(change: Change) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return document


def refused(document: dict[str, Any]) -> str:
    with pytest.raises(RejectedError) as caught:
        check(document)
    assert caught.value.code == "gate.finding"
    return caught.value.what


def test_genuine_findings_follow_from_their_numbers() -> None:
    check(DOCUMENT)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        (each["id"], other)
        for each in DOCUMENT["findings"]
        for other in ("PASS", "INCONCLUSIVE", "FAIL")
        if other != each["outcome"]
    ],
)
def test_no_finding_takes_another_outcome(name: str, outcome: str) -> None:
    assert name in refused(of_all(lambda document: finding(document, name).update(outcome=outcome)))


@pytest.mark.parametrize("name", [each["id"] for each in DOCUMENT["findings"]])
def test_no_finding_takes_another_limit(name: str) -> None:
    assert name in refused(of_all(lambda document: finding(document, name).update(limit=1e9, outcome="PASS")))


@pytest.mark.parametrize("name", [RECALL, UNDECIDED, KEPT, MEMBERSHIP, FLASH])
def test_no_finding_is_left_out(name: str) -> None:
    gone = finding(DOCUMENT, name)
    said = refused(of_all(lambda document: document["findings"].remove(gone)))
    assert gone["rule"] in said or "privacy" in said or "target" in said


def interval(name: str, **ends: float) -> Change:
    return lambda document: finding(document, name)["value"]["interval"].update(ends)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (KEPT, interval(KEPT, high=0.0501)),
        (KEPT, interval(KEPT, level=0.5)),
        (KEPT, lambda document: finding(document, KEPT)["value"].update(estimate=0.0501)),
        (KEPT, lambda document: finding(document, KEPT)["value"].update(interval=None)),
        (KEPT, lambda document: finding(document, KEPT)["value"].update(rows=3)),
        (KEPT, lambda document: finding(document, KEPT).update(breach=None)),
        (KEPT, lambda document: finding(document, KEPT).update(limit_kind="at_least")),
        (KEPT, lambda document: finding(document, KEPT).update(rule="fairness[99]")),
        (MEMBERSHIP, interval(MEMBERSHIP, high=0.2)),
        (FLASH, lambda document: finding(document, FLASH)["value"].update(estimate=1.0)),
    ],
)
def test_a_pass_needs_the_numbers_of_one(name: str, change: Change) -> None:
    what = refused(of_all(change))
    assert name in what or "accuracy" in what or "fairness" in what


def test_a_p_value_is_adjusted_over_all_that_were_tested() -> None:
    def alone(document: dict[str, Any]) -> None:
        finding(document, UNDECIDED)["breach"].update(adjusted_p=0.01, family=1)

    def surer(document: dict[str, Any]) -> None:
        finding(document, RECALL)["breach"].update(p=0.5)

    for change in (alone, surer):
        refused(of_all(change))


def test_the_model_and_the_board_are_not_what_the_footprint_says_of_them() -> None:
    assert FLASH in refused(of_all(lambda document: finding(document, FLASH)["value"].update(estimate=2.0)))

    def wider(document: dict[str, Any]) -> None:
        document["footprint"]["flash_limit"] *= 2
        finding(document, FLASH)["limit"] *= 2

    assert FLASH in refused(of_all(wider))


def test_a_rate_of_the_attack_without_an_interval_is_no_rate() -> None:
    assert "interval" in refused(of_all(lambda document: document["membership"][1]["tpr"].update(interval=None)))


GAP = "fairness.accuracy.max_gap:sex"


def of_a_gap(outcome: str, left_out: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The sample with a rule that compares two groups, whose interval keeps its limit."""
    document = copy.deepcopy(DOCUMENT)
    document["policy"]["document"]["fairness"].append({"metric": "accuracy", "max_gap": 0.3, "groups": ["sex"]})
    findings = document["findings"]
    place = findings.index(finding(document, KEPT)) + 1
    said = {"id": GAP, "rule": "fairness[8]", "group": {"by": ["sex"], "values": []}, "limit": 0.3}
    findings.insert(place, {**copy.deepcopy(findings[place - 1]), **said, "outcome": outcome, "left_out": left_out})
    tested = [each for each in findings if each["stage"] == "fairness"]
    for each, test in zip(tested, adjust([each["breach"]["p"] for each in tested], 0.95), strict=True):
        assert test is not None
        each["breach"] = test.model_dump()
    return document


SMALL = [{"by": ["sex"], "values": ["other"]}]


@pytest.mark.parametrize(("outcome", "left_out"), [("PASS", []), ("INCONCLUSIVE", SMALL), ("INCONCLUSIVE", None)])
def test_a_comparison_passes_where_no_group_was_left_out_of_it(outcome: str, left_out: list[Any] | None) -> None:
    check(of_a_gap(outcome, left_out))


@pytest.mark.parametrize(
    ("outcome", "left_out"), [("PASS", SMALL), ("INCONCLUSIVE", []), ("FAIL", []), ("FAIL", SMALL)]
)
def test_a_comparison_says_what_its_groups_allow(outcome: str, left_out: list[Any]) -> None:
    assert GAP in refused(of_a_gap(outcome, left_out))
