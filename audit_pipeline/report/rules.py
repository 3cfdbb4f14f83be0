"""What a finding's rule says in the policy the evidence carries: which metric it speaks of, and in which unit."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from audit_pipeline.evidence import Evidence, Finding
from audit_pipeline.measurement import Measured
from audit_pipeline.report.wording import (
    count,
    difference,
    difference_range,
    limit,
    one_line,
    proportion,
    proportion_range,
)

_PLACE = re.compile(r"^(fairness|privacy)\[(\d{1,6})\]$")
_DIFFERENCES = ("max_drop", "max_rise", "max_gap")


class Unit(StrEnum):
    """What a finding's number counts."""

    SHARE = "share"
    DIFFERENCE = "difference"
    COUNT = "count"


def rule_of(evidence: Evidence, finding: Finding) -> dict[str, Any]:
    """The policy's own text of the rule behind a finding; empty where it has none, as for the board's limits."""
    place = _PLACE.match(finding.rule)
    rules = evidence.policy.document.get(place[1]) if place else None
    if place is None or not isinstance(rules, list) or int(place[2]) >= len(rules):
        return {}
    rule = rules[int(place[2])]
    return rule if isinstance(rule, dict) else {}


def unit_of(evidence: Evidence, finding: Finding) -> Unit:
    """The unit of a finding's value and limit."""
    rule = rule_of(evidence, finding)
    if finding.stage == "device" or rule.get("attack") == "blob_scan":
        return Unit.COUNT
    return Unit.DIFFERENCE if any(rule.get(key) is not None for key in _DIFFERENCES) else Unit.SHARE


def claim_of(finding: Finding) -> str:
    """The rule a finding applies, without the name of the group it is applied to."""
    return one_line(finding.claim.removeprefix(f"{finding.group.label}: "))


def is_between_groups(finding: Finding) -> bool:
    """Whether a finding compares the groups of its columns with each other, instead of judging one."""
    return bool(finding.group.by) and not finding.group.values


def is_membership(evidence: Evidence, finding: Finding) -> bool:
    """Whether a finding rests on the membership attack, which is weak and must be called so."""
    return rule_of(evidence, finding).get("attack") == "membership"


def value_in_words(evidence: Evidence, finding: Finding) -> tuple[str, str]:
    """A finding's value and its interval, in the finding's unit; the interval is empty where there is none."""
    if not isinstance(finding.value, Measured):
        return f"not measurable: {one_line(finding.value.reason)}", ""
    estimate, interval = finding.value.estimate, finding.value.interval
    unit = unit_of(evidence, finding)
    if unit is Unit.COUNT:
        return count(estimate), ""
    if unit is Unit.DIFFERENCE:
        return difference(estimate), difference_range(interval)
    return proportion(estimate), proportion_range(interval)


def limit_in_words(evidence: Evidence, finding: Finding) -> str:
    """A finding's limit as a phrase: `at most 0.02`."""
    counts = unit_of(evidence, finding) is Unit.COUNT
    return f"{finding.limit_kind.replace('_', ' ')} {count(finding.limit) if counts else limit(finding.limit)}"
