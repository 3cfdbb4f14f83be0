"""How the rules of two policies differ, question by question.

A rule asks one question of each group it names: a fairness rule by metric, class and kind of limit, a membership rule
by its attack. Questions are matched by that, not by where they stand, so a raised limit is told from a rule that was
dropped, and rules in another order or cut into other lists of groups are no change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit_pipeline.policy.privacy import rules_of
from audit_pipeline.policy.schema import LIMITS
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.policy_part import Effect, PolicyEdit

_FPR = "privacy.membership.fpr"


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
        is_of_rate = question[0] == _FPR
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
    """A membership rate below which nothing is asked is easier to keep: fewer people are recognised at it."""
    return -1 if path == _FPR or path.endswith(".min") else 1


def _questions(rules: Mapping[str, Any], several: frozenset[str]) -> dict[_Question, _Limit]:
    found: dict[_Question, _Limit] = {}
    for rule in (*rules.get("fairness", ()), *rules_of(rules)):
        for group in rule.get("groups", (OVERALL,)):
            for path, value in _limits(rule, group in several):
                found[path, _columns(group)] = _Limit(value, group)
    return found


def _limits(rule: Mapping[str, Any], by_rate: bool) -> Iterator[tuple[str, float]]:
    if rule.get("attack") == "membership":
        rate = f"[fpr {rule['fpr']:g}]" if by_rate else ""
        yield f"privacy.membership{rate}.max_tpr", rule["max_tpr"]
        if not by_rate:
            yield _FPR, rule["fpr"]
    elif "attack" in rule:
        yield f"privacy.{rule['attack']}.max_hits", rule["max_hits"]
    else:
        name = f"[{rule['class']}]" if "class" in rule else ""
        yield from ((f"fairness.{rule['metric']}{name}.{key}", rule[key]) for key in LIMITS if key in rule)


def _asked_at_several_rates(rules: Mapping[str, Any]) -> frozenset[str]:
    """Groups for which membership is limited at more than one false-positive rate: there the rate tells rules apart."""
    attacks = (rule for rule in rules_of(rules) if rule.get("attack") == "membership")
    asked = Counter(group for rule in attacks for group in rule.get("groups", (OVERALL,)))
    return frozenset(group for group, times in asked.items() if times > 1)


def _columns(group: str) -> frozenset[str]:
    return frozenset(group.split("*"))
