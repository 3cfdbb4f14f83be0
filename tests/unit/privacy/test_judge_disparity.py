"""Whether one group is more exposed than another by more than a policy allows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Interval, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import DisparityRule
from audit_pipeline.policy.schema import Statistics
from audit_pipeline.privacy.judge_disparity import judge_disparity
from audit_pipeline.privacy_part import DisparityPart, GroupExposure, PrivacyPart

RULE = DisparityRule(attack="disparity", fpr=0.1, max_gap=0.1, groups=("sex", "age"))
SMALL = NotMeasurable(reason="too small", rows=12)


def share(value: float, low: float, high: float) -> Measured:
    interval = Interval(low=low, high=high, level=0.95, method="bootstrap")
    return Measured(estimate=value, interval=interval, rows=400, subjects=40)


def part(
    gap: Measurement, gap_p: float | None, *more: GroupExposure, by: str = "sex", **changed: object
) -> DisparityPart:
    groups = [
        GroupExposure(
            group=GroupKey(by=(by,), values=(value,)), advantage=share(at, at - 0.1, at + 0.1), pseudo_targets=at
        )
        for value, at in (("a", 0.05), ("b", 0.15))
    ]
    made = DisparityPart(
        model="device",
        attack="student_t",
        signal="output",
        fpr_target=0.1,
        by=(by,),
        groups=(*groups, *more),
        gap=gap,
        gap_limit=0.1,
        gap_p=gap_p,
        f=3.2,
        p=0.04,
    )
    return made.model_copy(update=changed)


def judged(*parts: DisparityPart, rules: Sequence[DisparityRule] = (RULE,)) -> dict[str, Finding]:
    found = PrivacyPart(disparities=parts, reasons=("no shadow models could be trained",))
    placed = [(f"privacy[{place + 2}]", rule) for place, rule in enumerate(rules)]
    by_rule = judge_disparity(placed, found, Statistics())
    return {finding.id.rpartition(":")[2]: finding for of_rule in by_rule.values() for finding in of_rule}


@pytest.mark.parametrize(
    ("gap", "p", "outcome"),
    [
        (share(0.30, 0.20, 0.40), 0.001, Outcome.FAIL),
        (share(0.12, 0.02, 0.30), 0.30, Outcome.INCONCLUSIVE),
        (share(0.04, 0.00, 0.10), 1.00, Outcome.PASS),
    ],
)
def test_the_test_fails_and_the_whole_interval_passes(gap: Measured, p: float, outcome: Outcome) -> None:
    finding = judged(part(gap, p))["sex"]
    assert finding.outcome is outcome
    assert (finding.rule, finding.stage, finding.limit, finding.limit_kind) == ("privacy[2]", "privacy", 0.1, "at_most")
    assert finding.value == gap
    assert finding.group == GroupKey(by=("sex",))
    assert finding.compares_groups
    assert "sex=b is the most exposed (0.150), sex=a the least (0.050)" in finding.reason
    assert "p = 0.04 (F-test)" in finding.reason


def test_a_group_left_out_is_no_pass() -> None:
    small = GroupExposure(group=GroupKey(by=("sex",), values=("c",)), advantage=SMALL, pseudo_targets=None)
    finding = judged(part(share(0.04, 0.0, 0.08), 1.0, small))["sex"]
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.left_out == (small.group,)
    assert "too small to be compared: sex=c" in finding.reason


def test_the_worst_signal_counts() -> None:
    quiet, loud = share(0.02, 0.0, 0.05), share(0.4, 0.3, 0.5)
    finding = judged(part(quiet, 1.0), part(loud, 0.001, signal="logits"))["sex"]
    assert (finding.outcome, finding.value) == (Outcome.FAIL, loud)
    assert "by the logits" in finding.reason


def test_the_questions_of_a_rule_are_adjusted_for_each_other() -> None:
    gap = share(0.2, 0.1, 0.3)
    alone = judged(part(gap, 0.03))["sex"]
    together = judged(part(gap, 0.03), part(gap, 0.5, by="age"))["sex"]
    assert alone.breach is not None
    assert together.breach is not None
    assert (alone.outcome, alone.breach.adjusted_p, alone.breach.family) == (Outcome.FAIL, 0.03, 1)
    assert together.outcome is Outcome.INCONCLUSIVE
    assert (together.breach.adjusted_p, together.breach.family, together.breach.level) == (0.06, 2, 0.05)


def test_all_disparity_rules_of_a_policy_are_one_family() -> None:
    gap = share(0.2, 0.1, 0.3)
    rules = [RULE.model_copy(update={"groups": (by,)}) for by in ("sex", "age")]
    findings = judged(part(gap, 0.03), part(gap, 0.5, by="age"), rules=rules)
    assert [findings[by].rule for by in ("sex", "age")] == ["privacy[2]", "privacy[3]"]
    assert findings["sex"].breach is not None
    assert (findings["sex"].breach.adjusted_p, findings["sex"].breach.family) == (0.06, 2)


def test_only_the_device_at_the_rules_own_rate_and_limit_is_judged() -> None:
    loud = share(0.4, 0.3, 0.5)
    others = [part(loud, 0.001, model="float"), part(loud, 0.001, fpr_target=0.01), part(loud, 0.001, gap_limit=0.3)]
    assert judged(*others)["sex"].outcome is Outcome.INCONCLUSIVE
    finding = judged(*others, part(share(0.04, 0.0, 0.08), 1.0))["sex"]
    assert finding.outcome is Outcome.PASS
    assert "on the float model by 0.400" in finding.reason


def test_a_column_that_was_not_compared_is_inconclusive_with_its_reason() -> None:
    findings = judged(part(share(0.04, 0.0, 0.08), 1.0))
    assert list(findings) == ["sex", "age"]
    assert findings["age"].outcome is Outcome.INCONCLUSIVE
    assert "no shadow models could be trained" in findings["age"].reason


def test_groups_that_are_all_too_small_are_inconclusive() -> None:
    finding = judged(part(SMALL, None))["sex"]
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.breach is None
    assert finding.reason == "between groups of sex: exposure cannot be compared: too small"
