"""What a finding's rule says in the policy the evidence carries: which metric it speaks of, and in which unit."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Measured
from audit_pipeline.report.quantity import SHARES, Quantity, quantity_of
from audit_pipeline.report.wording import SENTENCE_CELLS, brief, count, limit

_PLACE = re.compile(r"^(fairness|privacy)\[(\d{1,6})\]$")
_DIFFERENCES = ("max_drop", "max_rise", "max_gap", "max_gain")
_CLAIM_CELLS = 200


class Unit(StrEnum):
    """What a finding's number is."""

    VALUE = "value"
    DIFFERENCE = "difference"
    COUNT = "count"


def rule_of(evidence: Evidence, finding: Finding) -> dict[str, Any]:
    """The policy's own text of the rule behind a finding; empty where it has none, as for the board's limits."""
    place = _PLACE.match(finding.rule)
    rules = evidence.policy.document.get(place[1]) if place else None
    if isinstance(rules, dict):
        rules = rules.get("rules")
    if place is None or not isinstance(rules, list) or int(place[2]) >= len(rules):
        return {}
    rule = rules[int(place[2])]
    return rule if isinstance(rule, dict) else {}


def unit_of(evidence: Evidence, finding: Finding) -> Unit:
    """What a finding's value and limit are."""
    rule = rule_of(evidence, finding)
    if finding.stage == "device" or rule.get("attack") == "blob_scan":
        return Unit.COUNT
    return Unit.DIFFERENCE if any(rule.get(key) is not None for key in _DIFFERENCES) else Unit.VALUE


def quantity_of_rule(evidence: Evidence, finding: Finding) -> Quantity:
    """How the values of a finding's metric are written; shares where the group table does not hold that metric."""
    name = rule_of(evidence, finding).get("metric")
    metrics = (comparison.metric for row in evidence.groups[:1] for comparison in row.metrics)
    metric = next((metric for metric in metrics if metric.name == name), None)
    return SHARES if metric is None else quantity_of(evidence.data, metric)


def claim_of(finding: Finding) -> str:
    """The rule a finding applies, without the name of the group it is applied to."""
    return brief(_without_group(finding, finding.claim), _CLAIM_CELLS)


def reason_of(finding: Finding) -> str:
    """Why a finding came out as it did, without the name of its group."""
    return brief(_without_group(finding, finding.reason), SENTENCE_CELLS)


def _without_group(finding: Finding, sentence: str) -> str:
    return sentence.removeprefix(f"{finding.group.label}: ")


def is_between_groups(finding: Finding) -> bool:
    """Whether a finding compares the groups of its columns with each other, instead of judging one."""
    return bool(finding.group.by) and not finding.group.values


def is_weak_attack(evidence: Evidence, finding: Finding) -> bool:
    """Whether a finding rests on the membership attack by losses alone, which is weak and must be called so."""
    rule = rule_of(evidence, finding)
    return rule.get("attack") == "membership" and rule.get("attacker", "losses") == "losses"


def excess(finding: Finding) -> float:
    """How far a finding's value lies beyond its limit; negative within it, −∞ where there is no value."""
    if not isinstance(finding.value, Measured):
        return float("-inf")
    beyond = finding.value.estimate - finding.limit
    return beyond if finding.limit_kind == "at_most" else -beyond


def value_in_words(evidence: Evidence, finding: Finding) -> tuple[str, str]:
    """A finding's value and its interval, in the finding's unit; the interval is empty where there is none."""
    if not isinstance(finding.value, Measured):
        return f"not measurable: {brief(finding.value.reason, SENTENCE_CELLS)}", ""
    return number_in_words(evidence, finding, finding.value.estimate), _range_in_words(evidence, finding, finding.value)


def number_in_words(evidence: Evidence, finding: Finding, value: float) -> str:
    """A value that a finding's own could have been, in its unit."""
    unit, quantity = unit_of(evidence, finding), quantity_of_rule(evidence, finding)
    if unit is Unit.COUNT:
        return count(value)
    return quantity.with_unit(quantity.change(value) if unit is Unit.DIFFERENCE else quantity.value(value))


def _range_in_words(evidence: Evidence, finding: Finding, value: Measured) -> str:
    unit, quantity = unit_of(evidence, finding), quantity_of_rule(evidence, finding)
    if unit is Unit.COUNT:
        return ""
    return quantity.change_range(value.interval) if unit is Unit.DIFFERENCE else quantity.range(value.interval)


def limit_in_words(evidence: Evidence, finding: Finding) -> str:
    """A finding's limit as a phrase: `at most 0.02`."""
    how = finding.limit_kind.replace("_", " ")
    if unit_of(evidence, finding) is Unit.COUNT:
        return f"{how} {count(finding.limit)}"
    return f"{how} {quantity_of_rule(evidence, finding).with_unit(limit(finding.limit))}"
