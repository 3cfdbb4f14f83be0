"""From questions to findings: every verdict of a policy, given together.

- FAIL where the test of "the limit is kept" is rejected after Holm's adjustment over all that the policy asks: one
  false FAIL refuses a release, and with many groups there is always one that looks bad by chance.
- PASS where the whole unadjusted interval keeps the limit. A release passes only if every finding does, so no
  adjustment is needed for that (intersection-union test: Berger 1982).
- INCONCLUSIVE otherwise, with what the group could have shown and what it would take to decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from audit_pipeline.evaluate import wording
from audit_pipeline.evaluate.answers import GroupTable
from audit_pipeline.evaluate.gap import Gap, Ratio
from audit_pipeline.evaluate.named import Worst
from audit_pipeline.evaluate.questions import Question, Smallest, ask
from audit_pipeline.findings import Breach, ByChance, Finding, Prospect
from audit_pipeline.measurement import Interval, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.statistics.estimate import Estimate, measure
from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.power import POWER, outlook


def judge(
    rules: Sequence[FairnessRule],
    table: GroupTable,
    statistics: Statistics,
    by_chance: Mapping[str, ByChance] = MappingProxyType({}),
) -> tuple[Finding, ...]:
    """Apply every rule to every group it names.

    Args:
        rules: the policy's, in its order; their place gives `Finding.rule`.
        table: what `tabulate` gave for these rules.
        statistics: confidence level and smallest group.
        by_chance: what `gaps_by_chance` gave; it stands beside the findings and changes none.
    """
    questions = ask(rules, table, statistics)
    raw = [None if question.tested is None else question.p_broken(question.tested) for question in questions]
    breaches = adjust(raw, statistics.confidence)
    return tuple(
        _finding(question, breach, by_chance.get(question.identifier), statistics.confidence)
        for question, breach in zip(questions, breaches, strict=True)
    )


def adjust(raw: Sequence[float | None], confidence: float) -> tuple[Breach | None, ...]:
    """The tests of a policy, adjusted for one another.

    Args:
        raw: one-sided p-value of each question in order; None where nothing was tested.
        confidence: of the policy's intervals, of which a test has one tail.
    """
    family = [p for p in raw if p is not None]
    adjusted = iter(holm(family))
    level = round((1 - confidence) / 2, 12)  # 0.025, not 0.025000000000000022
    return tuple(
        None if p is None else Breach(p=p, adjusted_p=next(adjusted), family=len(family), level=level) for p in raw
    )


def outcome_of(interval: Interval, limit: float, breach: Breach, *, at_most: bool) -> Outcome:
    """Where a test and an interval stand against a limit; touching the limit keeps it."""
    if breach.adjusted_p <= breach.level:
        return Outcome.FAIL
    return Outcome.PASS if _lies_within(interval, limit, at_most=at_most) else Outcome.INCONCLUSIVE


def shows_that_it_keeps(limit: float, value: Measurement, statistics: Statistics, *, at_most: bool) -> bool:
    """Whether a number as evidence has it shows by itself that a limit is kept.

    A PASS follows from the interval alone, so it can be decided again for any limit; a FAIL needs a test of its own.

    Args:
        limit: that it is held against; touching it keeps it.
        value: with the rows and people behind it.
        statistics: the policy's: what must stand behind a number, and how sure its interval must be.
        at_most: whether values above the limit break it.
    """
    if not isinstance(value, Measured) or value.interval is None or value.interval.level != statistics.confidence:
        return False
    kept = value.estimate <= limit if at_most else value.estimate >= limit
    enough = Smallest(statistics.min_group_size, statistics.min_people).is_met_by(value)
    return enough and kept and _lies_within(value.interval, limit, at_most=at_most)


def _lies_within(interval: Interval, limit: float, *, at_most: bool) -> bool:
    return interval.high <= limit if at_most else interval.low >= limit


def _finding(question: Question, breach: Breach | None, by_chance: ByChance | None, confidence: float) -> Finding:
    value: Measurement
    shown, prospect = Outcome.INCONCLUSIVE, None
    if isinstance(question.estimate, NotMeasurable):
        value = question.estimate
        reason = wording.not_measurable(question.group, question.metric, value)
    else:
        value = measure(question.estimate, confidence)
        if breach is not None and value.interval is not None:
            shown = outcome_of(value.interval, question.limit, breach, at_most=question.at_most)
            if shown is Outcome.INCONCLUSIVE:
                prospect = _prospect(question, question.estimate, breach)
        reason = _reason(question, question.estimate, value, shown, breach, prospect, by_chance)
    return Finding(
        id=question.identifier,
        stage="fairness",
        rule=question.place,
        claim=wording.claim(question.metric, question.kind, question.limit, question.group),
        group=question.group,
        value=value,
        limit=question.limit,
        limit_kind="at_most" if question.at_most else "at_least",
        outcome=Outcome.INCONCLUSIVE if shown is Outcome.PASS and question.left_out else shown,
        reason=reason,
        breach=breach,
        prospect=prospect,
        by_chance=by_chance,
        left_out=question.left_out if question.rule.compares_groups else None,
    )


def _prospect(question: Question, estimate: Estimate, breach: Breach) -> Prospect:
    seen = outlook(
        estimate,
        question.limit,
        at_most=question.at_most,
        level=breach.level,
        family=breach.family,
        reach=question.reach,
    )
    never_passes = seen.settles is Outcome.PASS and question.left_out
    return Prospect(
        power=POWER,
        detectable=seen.detectable,
        settles=seen.settles,
        more=None if never_passes else seen.more,
        of="rows" if estimate.subjects is None else "people",
    )


def _reason(
    question: Question,
    estimate: Estimate,
    value: Measured,
    shown: Outcome,
    breach: Breach | None,
    prospect: Prospect | None,
    by_chance: ByChance | None,
) -> str:
    """What was seen, what is allowed, the decision, and last what it would take: that is kept where room is short."""
    kind, limit = question.kind, question.limit
    if isinstance(estimate, Gap | Ratio | Worst):
        said = wording.compared(question.metric, kind, limit, value, estimate, shown)
    else:
        said = wording.measured(question.group, question.metric, kind, limit, value)
    if by_chance is not None:
        said += wording.by_chance(by_chance, question.metric.scale)
    if breach is None:
        return said + wording.too_few(value, question.smallest.label)
    interval = value.interval
    said += wording.why(shown, breach, straddles=interval is None or interval.low <= limit <= interval.high)
    if question.left_out:
        said += wording.left_out(question.left_out, question.smallest.label)
    if prospect is not None:
        said += wording.prospect(kind, prospect, question.metric.scale)
    return said
