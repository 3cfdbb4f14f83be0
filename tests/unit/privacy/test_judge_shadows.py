"""What the rates of shadow attacks come to: one family of tests, and no pass but of all attacks."""

from __future__ import annotations

import pytest

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import MembershipRule, PrivacyRule, Release
from audit_pipeline.policy.recipe import Quantize, QuantizeStep
from audit_pipeline.privacy.judge import judge
from audit_pipeline.privacy.membership_test import p_leak
from audit_pipeline.privacy_part import Attack, MembershipPart, PrivacyPart, Signal
from audit_pipeline.statistics.intervals import clopper_pearson
from audit_pipeline.statistics.multiplicity import holm

FEMALE, MALE = (GroupKey(by=("sex",), values=(value,)) for value in ("F", "M"))


def rule(**more: object) -> MembershipRule:
    return MembershipRule.model_validate(
        {"attack": "membership", "attacker": "shadows", "fpr": 0.1, "max_tpr": 0.3, **more}, strict=False
    )


def rate(share: float, rows: int) -> Measured:
    low, high = clopper_pearson(share, rows, 0.95)
    return Measured(estimate=share, interval=Interval(low=low, high=high, level=0.95, method="exact"), rows=rows)


def part(
    tpr: float,
    *,
    rows: int = 1000,
    fpr: float = 0.1,
    group: GroupKey = GroupKey(),  # noqa: B008
    attack: Attack = "lira_online",
    signal: Signal = "output",
    **more: object,
) -> MembershipPart:
    return MembershipPart.model_validate(
        {
            "model": "device",
            "group": group,
            "strength": "shadows",
            "attack": attack,
            "signal": signal,
            "fpr_target": 0.1,
            "fpr": rate(fpr, rows),
            "tpr": rate(tpr, rows),
            "auc": 0.5,
            **more,
        }
    )


def found(rules: list[PrivacyRule], *parts: MembershipPart, reasons: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    return judge(rules, parts, None, PrivacyPart(reasons=reasons))


def test_the_worst_of_all_attacks_and_signals_counts() -> None:
    parts = (part(0.2), part(0.6, attack="rmia", signal="logits"), part(0.1, attack="student_t"))
    (finding,) = found([rule()], *parts)
    assert finding.outcome is Outcome.FAIL
    assert finding.value == parts[1].tpr
    assert "RMIA on the logits" in finding.reason
    assert finding.id == "privacy.membership.shadows.fpr=0.1:overall"


def test_one_attack_that_does_not_surely_keep_the_limit_stands_in_the_way_of_a_pass() -> None:
    assert found([rule()], part(0.1), part(0.12, attack="rmia"))[0].outcome is Outcome.PASS
    (finding,) = found([rule()], part(0.1), part(0.29, attack="rmia"))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "more rows to recognise would" in finding.reason
    assert finding.value == part(0.29).tpr


def test_an_attack_without_rates_stands_in_the_way_of_a_pass() -> None:
    silent = NotMeasurable(reason="nobody is named", rows=0)
    (finding,) = found([rule()], part(0.1), part(0.1, attack="rmia").model_copy(update={"tpr": silent, "fpr": silent}))
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_groups_attacks_and_signals_of_all_rules_are_one_family() -> None:
    rules: list[PrivacyRule] = [rule(groups=["overall", "sex"]), rule(unit="people")]
    parts = [
        part(0.36),
        part(0.34, attack="rmia"),
        part(0.2, group=FEMALE),
        part(0.3, group=MALE, signal="logits"),
        part(0.1, unit="people"),
    ]
    findings = found(rules, *parts)
    raw = [p_leak(each, 0.3) for each in parts]
    first = findings[0].breach
    assert first is not None
    assert first.family == 5
    assert first.p == pytest.approx(raw[0])
    assert first.adjusted_p == pytest.approx(holm(raw)[0])
    assert first.level == 0.05


def test_what_is_recognised_as_often_as_strangers_is_no_leak() -> None:
    (finding,) = found([rule()], part(0.6, fpr=0.6))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "unlike the model" in finding.reason


def test_a_rule_is_judged_by_its_own_attacks_alone() -> None:
    release = Release(recipe=(QuantizeStep(quantize=Quantize()),))
    rules: list[PrivacyRule] = [rule(), rule(unit="people"), rule(beside="float"), rule(beside=release), rule(fpr=0.2)]
    words = [each.other_version for each in rules if isinstance(each, MembershipRule)]
    parts = [
        part(0.1),
        part(0.9, model="float"),
        part(0.11, unit="people"),
        part(0.12, model="both", beside=words[2]),
        part(0.13, model="both", beside=words[3]),
        part(0.14, fpr_target=0.2),
        part(0.9, strength="weak", attack="losses"),
    ]
    findings = found(rules, *parts)
    assert [finding.value.estimate for finding in findings if isinstance(finding.value, Measured)] == [
        0.1,
        0.11,
        0.12,
        0.13,
        0.14,
    ]
    assert len({finding.id for finding in findings}) == 5
    assert "the worst on the float model recognises 0.900" in findings[0].reason


def test_a_rule_without_an_attack_says_why_for_every_group_it_names() -> None:
    findings = found([rule(groups=["overall", "sex"])], reasons=("19 training rows are too few",))
    assert [finding.outcome for finding in findings] == [Outcome.INCONCLUSIVE] * 2
    assert [finding.id.rpartition(":")[2] for finding in findings] == ["overall", "sex"]
    assert all("19 training rows are too few" in finding.reason for finding in findings)


def test_strangers_who_are_too_few_to_certify_the_rate_are_told_with_the_rate_that_they_can() -> None:
    few = part(0.05, rows=60, fpr_target=0.01, fpr=0.0)
    instead = part(0.2, rows=60, fpr_target=0.1, fpr=0.05)
    (finding,) = found([rule(fpr=0.01)], few, instead)
    assert "cannot certify a false-positive rate of 0.01" in finding.reason
    assert "at 0.1 it recognises 0.200" in finding.reason


def test_a_threshold_out_of_reach_is_no_pass() -> None:
    strict = part(0.0, fpr=0.0, tpr_at_own_fpr=0.5)
    (finding,) = found([rule()], part(0.1), strict)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "0.500 of them were the threshold set on this model's own strangers, so this is no pass" in finding.reason
    assert found([rule()], part(0.1), strict.model_copy(update={"tpr_at_own_fpr": 0.2}))[0].outcome is Outcome.PASS
