"""How the verdicts were reached, and what stands behind one that its numbers alone do not tell."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Finding, Prospect
from audit_pipeline.measurement import Measured, Outcome
from audit_pipeline.report.rules import (
    claim_of,
    excess,
    is_between_groups,
    is_weak_attack,
    limit_in_words,
    number_in_words,
    reason_of,
)
from audit_pipeline.report.wording import count, level, limit, one_line
from audit_pipeline.statistics.wording import more_of

_BY_INTERVAL = (
    (Outcome.FAIL, "the whole interval lies beyond the limit."),
    (Outcome.INCONCLUSIVE, "the interval straddles the limit, or too few rows stand behind it."),
    (Outcome.PASS, "the whole interval lies within the limit."),
)


def how_decided(evidence: Evidence) -> tuple[tuple[Outcome, str], ...]:
    """What each outcome means in this run; evidence without tests was decided by its intervals alone."""
    breach = next((finding.breach for finding in evidence.findings if finding.breach), None)
    if breach is None:
        return _BY_INTERVAL
    tests = "the one limit on fairness" if breach.family == 1 else f"all {breach.family:,} limits on fairness"
    return (
        (
            Outcome.FAIL,
            f"the limit is broken beyond chance. p is the one-sided p-value of “the limit is kept”; adjusted by Holm "
            f"(1979) for {tests} that this policy tested, it is at most {limit(breach.level)}.",
        ),
        (
            Outcome.INCONCLUSIVE,
            "neither, or too few rows or people to judge. The remarks give the least value whose breach this sample "
            f"would have shown with {_power(evidence)} power, and how many more it takes to settle the matter with "
            "that power, if the truth is what was measured.",
        ),
        (
            Outcome.PASS,
            f"the whole {level(1 - 2 * breach.level)} interval lies within the limit. It needs no adjustment: a "
            "release passes only if every check does, so more checks never make passing easier (intersection-union "
            "test, Berger 1982).",
        ),
    )


def _power(evidence: Evidence) -> str:
    return next((level(each.prospect.power) for each in evidence.findings if each.prospect), "80%")


def remark(evidence: Evidence, finding: Finding) -> str:
    """What to read besides value, limit and p-values, which stand in columns of their own; often nothing."""
    if not isinstance(finding.value, Measured):
        return ""
    if finding.breach is None or is_between_groups(finding):
        return reason_of(finding)
    parts = []
    if finding.outcome is Outcome.INCONCLUSIVE and finding.breach.p <= finding.breach.level:
        parts.append(f"Alone this would break the limit, among {count(finding.breach.family, 'test')} it does not.")
    if finding.prospect is not None:
        parts += [_shown(evidence, finding, finding.prospect), _settled(finding.prospect)]
    return " ".join(parts)


def _shown(evidence: Evidence, finding: Finding, prospect: Prospect) -> str:
    if prospect.detectable is None:
        return "No value, however bad, could have been shown."
    return f"Could have shown {number_in_words(evidence, finding, prospect.detectable)} or worse."


def _settled(prospect: Prospect) -> str:
    if prospect.settles is None:
        return "What was measured lies on the limit: more of the same settles nothing."
    if not prospect.more:
        return f"No number of {prospect.of} would settle it as {prospect.settles.value}."
    more = more_of(prospect.more, prospect.of)
    return f"{more[0].upper()}{more[1:]} would settle it as {prospect.settles.value}."


def chance(evidence: Evidence, finding: Finding) -> str:
    """The yardstick beside what compares groups: what their sizes alone would show; empty where there is none."""
    found = finding.by_chance
    if found is None:
        return ""
    expected, high = (number_in_words(evidence, finding, value) for value in (found.expected, found.high))
    return (
        f"Were all groups alike, chance would show about {expected}, and less than {high} in {level(found.share)} of "
        f"samples ({one_line(found.method)})."
    )


@dataclass(frozen=True)
class Section:
    """The findings that share an outcome, rule by rule."""

    outcome: Outcome
    rules: tuple[RuleFindings, ...]
    is_tested: bool
    """Whether a test stands behind any of them."""
    has_remarks: bool

    @property
    def size(self) -> int:
        """Findings of this outcome."""
        return sum(len(rule.findings) for rule in self.rules)


@dataclass(frozen=True)
class RuleFindings:
    """What came of one rule in the groups that share an outcome."""

    claim: str
    place: str
    """Where the rule stands in the policy."""
    limit: str
    is_weak_attack: bool
    findings: tuple[Finding, ...]
    """The worst first."""


def by_outcome(evidence: Evidence) -> tuple[Section, ...]:
    """The findings as a reader goes through them: failures first, and rule by rule."""
    order = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
    found = {outcome: [f for f in evidence.findings if f.outcome is outcome] for outcome in order}
    return tuple(
        Section(
            outcome=outcome,
            rules=_by_rule(evidence, findings),
            is_tested=any(finding.breach for finding in findings),
            has_remarks=any(remark(evidence, finding) for finding in findings),
        )
        for outcome, findings in found.items()
        if findings
    )


def _by_rule(evidence: Evidence, findings: list[Finding]) -> tuple[RuleFindings, ...]:
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault((finding.rule, claim_of(finding)), []).append(finding)
    return tuple(
        RuleFindings(
            claim=claim,
            place=one_line(place),
            limit=limit_in_words(evidence, found[0]),
            is_weak_attack=is_weak_attack(evidence, found[0]),
            findings=tuple(sorted(found, key=lambda finding: (-excess(finding), finding.group.label))),
        )
        for (place, claim), found in by_rule.items()
    )
