"""How the rules of two policies differ, question by question.

A rule asks one question of each group it names: a fairness rule by metric, class and kind of limit, a privacy rule by
its attack and by who makes it. Questions are matched by that, not by where they stand, so a raised limit is told from
a rule that was dropped, and rules in another order or cut into other lists of groups are no change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit_pipeline.policy.privacy import Release, rules_of
from audit_pipeline.policy.schema import LIMITS
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.policy_part import Effect, PolicyEdit

_RATE = ".fpr"
_LIMITED_BY = {
    "membership": "max_tpr",
    "disparity": "max_gap",
    "attribute": "max_gain",
    "canaries": "max_epsilon",
    "blob_scan": "max_hits",
}
"""The limit of a privacy rule, by its attack."""


def rule_edits(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PolicyEdit]:
    """The questions whose limit was changed, that are asked no more, or that are new.

    Args:
        before: the sections `fairness` and `privacy` of the earlier policy, as JSON values.
        after: those of the later one.
    """
    several = _asked_at_several_rates(before) | _asked_at_several_rates(after)
    first, second = _questions(before, several), _questions(after, several)
    found: dict[tuple[str, float | None, float | None, Effect], list[str]] = {}
    for question in dict.fromkeys((*first, *second)):
        one, other = first.get(question), second.get(question)
        is_of_rate = question[0].endswith(_RATE)
        if (one and other and one.value == other.value) or (is_of_rate and not (one and other)):
            continue
        values = (one.value if one else None), (other.value if other else None)
        group = next(limit.group for limit in (other, one) if limit)
        found.setdefault((question[0], *values, effect(*values, looser=_looser(question[0]))), []).append(group)
    for (path, was, now, way), groups in found.items():
        yield PolicyEdit(path=path, groups=tuple(groups), before=was, after=now, effect=way)


def effect(before: float | None, after: float | None, *, looser: int) -> Effect:
    """What a limit's change does.

    Args:
        before: the limit; None where there was none.
        after: the same now.
        looser: 1 where a higher limit lets more pass, -1 where a lower one does.
    """
    if after is None or before is None:
        return "loosened" if after is None else "tightened"
    return "loosened" if (after - before) * looser > 0 else "tightened"


@dataclass(frozen=True)
class _Limit:
    value: float
    group: str
    """As the policy spells it."""


_Question = tuple[str, frozenset[str]]
"""What is asked, and the columns that make the group, in whatever order."""


def _looser(path: str) -> int:
    """A lower false-positive rate is easier to keep: fewer people are recognised at it."""
    return -1 if path.endswith((_RATE, ".min")) else 1


def _questions(rules: Mapping[str, Any], several: frozenset[tuple[str, str]]) -> dict[_Question, _Limit]:
    found: dict[_Question, _Limit] = {}
    for rule in (*rules.get("fairness", ()), *rules_of(rules)):
        for group in rule.get("groups", (OVERALL,)):
            for path, value in _limits(rule, (_asks(rule), group) in several):
                found[path, _columns(group)] = _Limit(value, group)
    return found


def _limits(rule: Mapping[str, Any], by_rate: bool) -> Iterator[tuple[str, float]]:
    if "attack" in rule:
        rate = f"[fpr {rule['fpr']:g}]" if by_rate else ""
        key = _LIMITED_BY[rule["attack"]]
        yield f"{_asks(rule)}{rate}.{key}", rule[key]
        if "fpr" in rule and not by_rate:
            yield f"{_asks(rule)}{_RATE}", rule["fpr"]
    else:
        name = f"[{rule['class']}]" if "class" in rule else ""
        yield from ((f"fairness.{rule['metric']}{name}.{key}", rule[key]) for key in LIMITS if key in rule)


def _asks(rule: Mapping[str, Any]) -> str:
    """What a privacy rule asks, apart from its rate: an older version's had one attacker, and recognised rows."""
    asked = f"privacy.{rule.get('attack')}"
    if "column" in rule:
        asked += f"[{rule['column']}]"
    if rule.get("attacker", "losses") != "losses":
        asked += f".{rule['attacker']}"
    if rule.get("unit", "rows") != "rows":
        asked += f".{rule['unit']}"
    if (beside := rule.get("beside")) is not None:
        asked += f".beside[{beside if isinstance(beside, str) else Release.digest_of(beside)}]"
    return asked


def _asked_at_several_rates(rules: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Questions and groups that are limited at more than one false-positive rate: there the rate tells rules apart."""
    attacks = (rule for rule in rules_of(rules) if "fpr" in rule)
    asked = Counter((_asks(rule), group) for rule in attacks for group in rule.get("groups", (OVERALL,)))
    return frozenset(question for question, times in asked.items() if times > 1)


def _columns(group: str) -> frozenset[str]:
    return frozenset(group.split("*"))
