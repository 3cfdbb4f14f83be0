"""Whether an attacker who has trained shadow models recognises more members than a policy allows.

- FAIL where the test of "no more are recognised than the limit, or than strangers are mistaken for members" is
  rejected after Holm's adjustment over groups, attacks and signals of all these rules of the policy.
- PASS where the upper bound of every attack keeps the limit: nobody is protected from one attack by another that is
  weaker (intersection-union test: Berger 1982), so no adjustment is needed.
- INCONCLUSIVE otherwise, with what it would take to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from audit_pipeline.findings import Breach, Finding
from audit_pipeline.measurement import GroupKey, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import MembershipRule, Release
from audit_pipeline.policy.schema import Statistics
from audit_pipeline.privacy.finding import columns_of, group_id, interval, spec_of, unanswered
from audit_pipeline.privacy.membership_test import certified_fpr, holds_below, p_leak, rows_needed
from audit_pipeline.privacy_part import Attack, MembershipPart, PrivacyPart, Signal
from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.wording import behind, interval_of, more_of, number, p_is

ATTACKS: Mapping[Attack, str] = {
    "losses": "one threshold on the loss",
    "losses_by_class": "a threshold on the loss for each class",
    "lira_online": "LiRA, online",
    "lira_offline": "LiRA, offline",
    "rmia": "RMIA",
    "student_t": "a Student-t likelihood ratio",
    "student_t_shared": "a Student-t likelihood ratio, shared within people",
}
"""The attacks as a sentence names them."""
SIGNALS: Mapping[Signal, str] = {"output": "the output", "logits": "the logits"}
"""What is read of a model, as a sentence names it."""


@dataclass(frozen=True)
class _Test:
    """One attack on one group under one rule."""

    part: MembershipPart
    breach: Breach | None
    """None where the attack has no rates."""


def judge_shadows(
    rules: Sequence[tuple[str, MembershipRule]],
    parts: Sequence[MembershipPart],
    found: PrivacyPart,
    statistics: Statistics,
) -> Mapping[str, Sequence[Finding]]:
    """Apply all rules of attacker `shadows`, which are tested as one family.

    Args:
        rules: with the place of each, as `privacy[0]`.
        parts: of every membership attack.
        found: gives the number of shadow models, and why an attack could not be made.
        statistics: gives the confidence.

    Returns:
        Findings by the place of their rule: one for each group, or for each spec of which no group was attacked.
    """
    tests = _tests(rules, parts, statistics.confidence)
    return {where: tuple(_findings(rule, where, tests[where], parts, found)) for where, rule in rules}


def _tests(
    rules: Sequence[tuple[str, MembershipRule]], parts: Sequence[MembershipPart], confidence: float
) -> dict[str, list[_Test]]:
    asked = [(where, rule, part) for where, rule in rules for part in parts if _is_asked(rule, part)]
    raw = [p_leak(part, rule.max_tpr) if _has_rates(part) else None for _, rule, part in asked]
    family = [p for p in raw if p is not None]
    adjusted = iter(holm(family))
    level = round(1 - confidence, 12)  # 0.05, not 0.050000000000000044
    tests: dict[str, list[_Test]] = {where: [] for where, _ in rules}
    for (where, _, part), p in zip(asked, raw, strict=True):
        breach = None
        if p is not None:
            breach = Breach(p=p, adjusted_p=float(next(adjusted)), family=len(family), level=level)
        tests[where].append(_Test(part, breach))
    return tests


def _is_asked(rule: MembershipRule, part: MembershipPart) -> bool:
    return (
        part.strength == "shadows"
        and part.model == ("device" if rule.beside is None else "both")
        and part.beside == rule.other_version
        and part.unit == rule.unit
        and part.fpr_target == rule.fpr
        and spec_of(part.group) in rule.groups
    )


def _has_rates(part: MembershipPart) -> bool:
    return isinstance(part.tpr, Measured) and isinstance(part.fpr, Measured)


def _findings(
    rule: MembershipRule, where: str, tests: Sequence[_Test], parts: Sequence[MembershipPart], found: PrivacyPart
) -> Iterator[Finding]:
    by_group: dict[GroupKey, list[_Test]] = {}
    for test in tests:
        by_group.setdefault(test.part.group, []).append(test)
    for group, attacks in by_group.items():
        yield _finding(rule, where, group, attacks, parts, found)
    for spec in rule.groups:
        if not any(spec_of(group) == spec for group in by_group):
            group = columns_of(spec)
            yield unanswered(_identifier(rule, group), where, _claim(rule, group), rule.max_tpr, found.reasons, group)


def _finding(
    rule: MembershipRule,
    where: str,
    group: GroupKey,
    tests: Sequence[_Test],
    parts: Sequence[MembershipPart],
    found: PrivacyPart,
) -> Finding:
    outcome = _outcome(rule, tests)
    worst = max(tests, key=lambda test: _badness(rule, test))
    reason = _reason(rule, worst, outcome, len(tests), found)
    reason += _elsewhere(rule, worst.part, parts)
    return Finding(
        id=_identifier(rule, group),
        stage="privacy",
        rule=where,
        claim=_claim(rule, group),
        group=group,
        value=worst.part.tpr if isinstance(worst.part.fpr, Measured) else worst.part.fpr,
        limit=rule.max_tpr,
        limit_kind="at_most",
        outcome=outcome,
        reason=f"{group.label}: {reason}",
        breach=worst.breach,
    )


def _outcome(rule: MembershipRule, tests: Sequence[_Test]) -> Outcome:
    if any(_is_broken(test) for test in tests):
        return Outcome.FAIL
    kept = all(test.breach is not None and holds_below(test.part, rule.max_tpr) for test in tests)
    return Outcome.PASS if kept else Outcome.INCONCLUSIVE


def _is_broken(test: _Test) -> bool:
    return test.breach is not None and test.breach.adjusted_p <= test.breach.level


def _badness(rule: MembershipRule, test: _Test) -> tuple[bool, float, bool, float]:
    """Sort key: what shows the leak most surely, then what keeps the limit least; what has no rates comes last."""
    part = test.part
    if test.breach is None or not isinstance(part.tpr, Measured):
        return False, float("-inf"), False, float("-inf")
    sure = -test.breach.p if _is_broken(test) else -1.0
    return (
        _is_broken(test),
        sure,
        not holds_below(part, rule.max_tpr),
        max(interval(part.tpr).high, part.tpr_with_coin or 0.0, part.tpr_at_own_fpr or 0.0),
    )


def _reason(rule: MembershipRule, worst: _Test, outcome: Outcome, attacks: int, found: PrivacyPart) -> str:
    part, tpr, fpr = worst.part, worst.part.tpr, worst.part.fpr
    if isinstance(tpr, NotMeasurable):
        return f"membership cannot be attacked: {tpr.reason}"
    if isinstance(fpr, NotMeasurable):
        return f"membership cannot be attacked: {fpr.reason}"
    shadows = f" with {found.shadows.count} shadow models" if found.shadows is not None else ""
    who = "training people" if rule.unit == "people" else "training rows"
    said = (
        f"of {attacks} attacks{shadows} the worst, by {ATTACKS[part.attack]} on {SIGNALS[part.signal]}, recognises "
        f"{number(tpr.estimate)} {interval_of(tpr)} of the {who} ({_behind(rule, tpr)}) and takes "
        f"{number(fpr.estimate)} {interval_of(fpr)} of strangers ({_behind(rule, fpr)}) for such; at most "
        f"{rule.max_tpr:g} may be recognised"
    )
    if outcome is Outcome.FAIL and worst.breach is not None:
        said += f"; {p_is(worst.breach.adjusted_p)} after adjustment for {worst.breach.family} tests"
    if outcome is Outcome.INCONCLUSIVE:
        said += _undecided(rule, worst)
    certified = certified_fpr(part)
    if certified != part.fpr_target:
        better = "" if certified is None else f"; {certified:g} is the lowest that they can"
        said += f"; so few strangers cannot certify a false-positive rate of {rule.fpr:g}{better}"
    return said


def _behind(rule: MembershipRule, rate: Measured) -> str:
    return f"{rate.rows} people" if rule.unit == "people" else behind(rate)


def _undecided(rule: MembershipRule, test: _Test) -> str:
    part, breach = test.part, test.breach
    assert isinstance(part.tpr, Measured) and breach is not None, "what has no rates is told otherwise"  # noqa: S101
    coin, bound = part.tpr_with_coin, interval(part.tpr).high
    if coin is not None and coin > rule.max_tpr >= bound:
        return f"; but {number(coin)} of them by a coin among equal scores, so this is no pass"
    own = part.tpr_at_own_fpr
    if own is not None and own > rule.max_tpr >= bound:
        return (
            f"; but {number(own)} of them were the threshold set on this model's own strangers, so this is no pass: "
            "the shadow models may be unlike the model, or the strangers too few"
        )
    unit: Literal["people", "rows"] = "rows" if part.tpr.subjects is None else "people"
    if isinstance(part.fpr, Measured) and interval(part.fpr).low > part.fpr_target:
        return (
            "; strangers are taken for members more often than by the shadow models, so these are unlike the model: "
            "train them as it was"
        )
    needed = rows_needed(part, rule.max_tpr, breach.level / breach.family)
    would = f"no number of {unit} would" if needed is None else f"{more_of(needed, unit)} to recognise would"
    return f"; the data do not decide, {would}"


def _elsewhere(rule: MembershipRule, part: MembershipPart, parts: Sequence[MembershipPart]) -> str:
    """What the same attack reaches at a rate that can be certified, and what any reaches on the float model."""
    certified = certified_fpr(part) if _has_rates(part) else None
    instead = None if certified == rule.fpr else certified
    same = [other for other in parts if (other.group, other.unit, other.strength) == (part.group, part.unit, "shadows")]
    said = ""
    for other in same:
        is_it = (other.model, other.beside, other.attack, other.signal) == (
            part.model,
            part.beside,
            part.attack,
            part.signal,
        )
        if is_it and other.fpr_target == instead and isinstance(other.tpr, Measured):
            said += f"; at {instead:g} it recognises {number(other.tpr.estimate)} {interval_of(other.tpr)}"
    on_float = [
        other.tpr.estimate
        for other in same
        if other.model == "float" and other.fpr_target == rule.fpr and isinstance(other.tpr, Measured)
    ]
    return f"{said}; the worst on the float model recognises {number(max(on_float))}" if on_float else said


def _identifier(rule: MembershipRule, group: GroupKey) -> str:
    people = ".people" if rule.unit == "people" else ""
    held = rule.beside.digest if isinstance(rule.beside, Release) else rule.beside
    beside = "" if held is None else f".beside={held}"
    return f"privacy.membership.shadows{people}{beside}.fpr={rule.fpr:g}:{group_id(group)}"


def _claim(rule: MembershipRule, group: GroupKey) -> str:
    held = "the device's blob" if rule.other_version is None else f"the device's blob and {rule.other_version}"
    return (
        f"{group.label}: whoever holds {held} and has trained models of the same kind recognises at most "
        f"{rule.max_tpr:g} of the training {rule.unit} at a false-positive rate of {rule.fpr:g}"
    )
