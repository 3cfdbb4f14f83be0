"""Whether one group is more exposed than another by more than a policy allows.

- FAIL where the test of "no two groups differ by more" is rejected after Holm's adjustment over the signals and group
  columns of all these rules of the policy.
- PASS where every group could be compared and the whole interval keeps the limit, by every signal.
- INCONCLUSIVE otherwise.

The F-test over pseudo-targets says whether this way of training exposes groups unlike; the rule is about the model that
ships, so it stands beside the finding and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit_pipeline.findings import Breach, Finding
from audit_pipeline.measurement import GroupKey, Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import DisparityRule
from audit_pipeline.policy.schema import Statistics
from audit_pipeline.privacy.finding import columns_of, group_id, interval, unanswered
from audit_pipeline.privacy_part import DisparityPart, GroupExposure, PrivacyPart
from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.wording import UNDECIDED, behind, interval_of, number, p_is


@dataclass(frozen=True)
class _Test:
    """One signal's comparison of one column's groups."""

    part: DisparityPart
    breach: Breach | None
    """None where fewer than two groups could be measured."""
    limit: float

    @property
    def outcome(self) -> Outcome:
        gap = self.part.gap
        if self.breach is None or not isinstance(gap, Measured):
            return Outcome.INCONCLUSIVE
        if self.breach.adjusted_p <= self.breach.level:
            return Outcome.FAIL
        return Outcome.PASS if interval(gap).high <= self.limit and not self.left_out else Outcome.INCONCLUSIVE

    @property
    def left_out(self) -> tuple[GroupKey, ...]:
        """Groups that could not be measured."""
        return tuple(each.group for each in self.part.groups if isinstance(each.advantage, NotMeasurable))

    @property
    def badness(self) -> tuple[int, float]:
        """Sort key: the signal that shows most comes last."""
        order = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL).index(self.outcome)
        return order, self.part.gap.estimate if isinstance(self.part.gap, Measured) else -1.0


def judge_disparity(
    rules: Sequence[tuple[str, DisparityRule]], found: PrivacyPart, statistics: Statistics
) -> Mapping[str, Sequence[Finding]]:
    """Apply all disparity rules, which are tested as one family.

    Args:
        rules: with the place of each, as `privacy[0]`.
        found: gives the comparisons, and why one could not be made.
        statistics: gives the confidence.

    Returns:
        Findings by the place of their rule: one for each of its group columns, of the signal that shows most on the
        device.
    """
    asked = [(where, rule, part) for where, rule in rules for part in found.disparities if _is_asked(rule, part)]
    family = [part.gap_p for _, _, part in asked if part.gap_p is not None]
    adjusted = iter(holm(family))
    level = round(1 - statistics.confidence, 12)  # 0.05, not 0.050000000000000044
    tests: dict[str, list[_Test]] = {where: [] for where, _ in rules}
    for where, rule, part in asked:
        breach = None
        if part.gap_p is not None:
            breach = Breach(p=part.gap_p, adjusted_p=float(next(adjusted)), family=len(family), level=level)
        tests[where].append(_Test(part, breach, rule.max_gap))
    return {where: tuple(_findings(rule, where, tests[where], found)) for where, rule in rules}


def _is_asked(rule: DisparityRule, part: DisparityPart) -> bool:
    same = (part.fpr_target, part.gap_limit) == (rule.fpr, rule.max_gap)
    return same and part.model == "device" and "*".join(part.by) in rule.groups


def _findings(rule: DisparityRule, where: str, tests: Sequence[_Test], found: PrivacyPart) -> Iterator[Finding]:
    for spec in rule.groups:
        of_spec = [test for test in tests if "*".join(test.part.by) == spec]
        if of_spec:
            yield _finding(rule, where, max(of_spec, key=lambda test: test.badness), found.disparities)
        else:
            group = columns_of(spec)
            yield unanswered(_identifier(rule, group), where, _claim(rule, group), rule.max_gap, found.reasons, group)


def _finding(rule: DisparityRule, where: str, test: _Test, parts: Sequence[DisparityPart]) -> Finding:
    group = GroupKey(by=test.part.by)
    return Finding(
        id=_identifier(rule, group),
        stage="privacy",
        rule=where,
        claim=_claim(rule, group),
        group=group,
        value=test.part.gap,
        limit=rule.max_gap,
        limit_kind="at_most",
        outcome=test.outcome,
        reason=f"{group.label}: {_reason(test, parts)}",
        breach=test.breach,
        left_out=test.left_out,
    )


def _reason(test: _Test, parts: Sequence[DisparityPart]) -> str:
    part, gap = test.part, test.part.gap
    if isinstance(gap, NotMeasurable):
        return f"exposure cannot be compared: {gap.reason}"
    most, least = _ends(part)
    said = (
        f"by the {part.signal}, {most.group.label} is the most exposed ({_value(most)}), {least.group.label} the least "
        f"({_value(least)}); they differ by {number(gap.estimate)} {interval_of(gap)} in {behind(gap)}, and at most "
        f"{test.limit:g} is allowed"
    )
    if test.outcome is Outcome.FAIL and test.breach is not None:
        said += f"; {p_is(test.breach.adjusted_p)} after adjustment for {test.breach.family} tests"
    elif test.left_out:
        said += f"; too small to be compared: {', '.join(key.label for key in test.left_out)}"
    elif test.outcome is Outcome.INCONCLUSIVE:
        said += UNDECIDED
    if part.p is not None:
        said += f"; over repeated trainings, groups exposed alike would differ so with {p_is(part.p)} (F-test)"
    return said + _on_float(part, parts)


def _ends(part: DisparityPart) -> tuple[GroupExposure, GroupExposure]:
    """The most and the least exposed of the groups that could be measured."""
    measured = [each for each in part.groups if isinstance(each.advantage, Measured)]
    ordered = sorted(measured, key=lambda each: each.advantage.estimate if isinstance(each.advantage, Measured) else 0)
    return ordered[-1], ordered[0]


def _value(exposure: GroupExposure) -> str:
    assert isinstance(exposure.advantage, Measured), "chosen among those that are"  # noqa: S101
    return number(exposure.advantage.estimate)


def _on_float(part: DisparityPart, parts: Sequence[DisparityPart]) -> str:
    for other in parts:
        same = (other.attack, other.signal, other.fpr_target, other.by, other.gap_limit)
        if other.model == "float" and same == (part.attack, part.signal, part.fpr_target, part.by, part.gap_limit):
            return f"; on the float model by {number(other.gap.estimate)}" if isinstance(other.gap, Measured) else ""
    return ""


def _identifier(rule: DisparityRule, group: GroupKey) -> str:
    return f"privacy.disparity.fpr={rule.fpr:g}:{group_id(group)}"


def _claim(rule: DisparityRule, group: GroupKey) -> str:
    return (
        f"{group.label}: whoever holds the device's blob and has trained models of the same kind recognises no group's "
        f"training rows more often than another's by more than {rule.max_gap:g}, in TPR \N{MINUS SIGN} FPR at a "
        f"false-positive rate of {rule.fpr:g}"
    )
