"""Findings that a thief of the verdict's key alters, and signs rightly: the sample report's, which was refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from attack import Attacker, Family, Judgement, View
from genuine import Genuine

from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.findings import check_findings
from audit_pipeline.policy.boards import Board
from audit_pipeline.policy.schema import Policy

FINDINGS = Family("the gate's findings")
_SAMPLE = Path(__file__).parents[4] / "reports" / "sample" / "evidence.json"

_BROKEN = "fairness.recall.V.max_drop:overall"
_UNDECIDED = "fairness.recall.S.max_drop:sex=male"
_KEPT = "fairness.accuracy.max_drop:overall"
_LEAK = "privacy.membership.fpr=0.05:overall"
_FLASH = "target:flash:overall"

Document = dict[str, Any]
Finding = dict[str, Any]


@cache
def _sample() -> Document:
    document: Document = json.loads(_SAMPLE.read_bytes())
    return document


def genuine_findings(change: Callable[[Document], object] = lambda _: None) -> Judgement:
    """The gate's question about the sample's findings, once they are changed."""
    document, size = copy.deepcopy(_sample()), _sample()["footprint"]
    change(document)
    evidence = Evidence.model_validate_json(json.dumps(document))
    policy = Policy.model_validate(evidence.policy.document, strict=False)
    board = Board("board", "a board", "a chip", size["flash_limit"] >> 10, size["arena_limit"] >> 10, "its datasheet")
    return lambda: check_findings(evidence, policy, board, size["flash_bytes"])


def _enter(name: str, hope: str, finding: str, change: Callable[[Finding], object]) -> None:
    def changed(document: Document) -> None:
        change(next(each for each in document["findings"] if each["id"] == finding))

    @FINDINGS.attack(hope, code="gate.finding", view=View.GATE, by=Attacker.INSIDER, name=name)
    def present(_: Genuine) -> Judgement:
        return genuine_findings(changed)


_enter(
    "call a broken limit a PASS",
    "the outcome is believed, the numbers are not looked at",
    _BROKEN,
    lambda each: each.update(outcome="PASS"),
)
_enter(
    "call an undecided limit a PASS",
    "a value near its limit is near enough",
    _UNDECIDED,
    lambda each: each.update(outcome="PASS"),
)
_enter(
    "raise the limit in a finding",
    "the finding keeps a limit that the policy never set",
    _BROKEN,
    lambda each: each.update(outcome="PASS", limit=0.5),
)
_enter(
    "turn a limit round",
    "at least, where the policy says at most",
    _BROKEN,
    lambda each: each.update(outcome="PASS", limit_kind="at_least"),
)
_enter(
    "judge by an interval of another level",
    "a narrower interval keeps the limit",
    _KEPT,
    lambda each: each["value"]["interval"].update(level=0.5),
)
_enter(
    "pass a value beyond its limit",
    "only the interval is looked at",
    _KEPT,
    lambda each: each["value"].update(estimate=0.06),
)
_enter(
    "pass a group that is too small",
    "three rows are as good as thousands",
    _KEPT,
    lambda each: each["value"].update(rows=3),
)
_enter(
    "pass a leak that the attack found",
    "the finding and the attack are not compared",
    _LEAK,
    lambda each: each["value"]["interval"].update(high=0.01),
)
_enter(
    "give a model another size",
    "the size is read in the finding, not from the model",
    _FLASH,
    lambda each: each["value"].update(estimate=1.0),
)


@FINDINGS.attack(
    "what is not there cannot fail, and its rule has other groups",
    code="gate.finding",
    view=View.GATE,
    by=Attacker.INSIDER,
)
def leave_a_broken_group_out(_: Genuine) -> Judgement:
    def without(document: Document) -> None:
        document["findings"] = [each for each in document["findings"] if each["id"] != _BROKEN]

    return genuine_findings(without)
