"""Claims and reasons of fairness findings: plain sentences that can be read without the table beside them."""

from __future__ import annotations

from audit_pipeline.evaluate.gap import Gap, Pair, Ratio
from audit_pipeline.evaluate.named import Worst
from audit_pipeline.findings import Breach, ByChance, Prospect
from audit_pipeline.measurement import GroupKey, Measured, MetricKey, NotMeasurable, Outcome, Scale
from audit_pipeline.statistics.wording import UNDECIDED, behind, interval_of, more_of, number, p_is

_ALLOWED = {
    "min": "is at least {} on the device",
    "max": "is at most {} on the device",
    "max_drop": "falls by at most {} against the float model",
    "max_rise": "rises by at most {} against the float model",
    "max_gap": "differs by at most {} on the device",
}
_MOST_NAMED = 3
"""Groups that one sentence names."""
_VERBS = {"max_drop": ("fell", "rose"), "max_rise": ("rose", "fell")}
_DETECTABLE = {
    "min": "a value of {}",
    "max": "a value of {}",
    "max_drop": "a fall of {}",
    "max_rise": "a rise of {}",
    "max_gap": "a difference of {}",
}


def claim(metric: MetricKey, kind: str, limit: float, group: GroupKey) -> str:
    """A rule in words, for one group or between the groups of a column."""
    return f"{group.label}: {metric.label} {_ALLOWED[kind].format(f'{limit:g}')}"


def measured(group: GroupKey, metric: MetricKey, kind: str, limit: float, value: Measured) -> str:
    """What was seen in one group, and what is allowed."""
    allowed = f"at least {limit:g} is asked for" if kind == "min" else f"at most {limit:g} is allowed"
    return f"{group.label}: {metric.label} {_seen(kind, value, metric.scale)} on {behind(value)}; {allowed}"


def compared(
    metric: MetricKey, kind: str, limit: float, value: Measured, estimate: Gap | Ratio | Worst, outcome: Outcome
) -> str:
    """The difference or ratio of groups, the two groups behind it, and what is allowed."""
    level = value.interval.level if value.interval else 0.95
    seen = estimate.seen
    verb = "differs by" if kind == "max_gap" else "is"
    allowed = f"at least {limit:g} is asked for" if kind == "min" else f"at most {limit:g} is allowed"
    said = f"{metric.label} {verb} {number(value.estimate, metric.scale)} {interval_of(value, metric.scale)}"
    said += f" between {_pair(seen)} on {behind(value)}; {allowed}"
    if outcome is Outcome.FAIL and (surest := estimate.surest(level)) != seen:
        said += f"; surest is that between {_pair(surest)}"
    if outcome is Outcome.INCONCLUSIVE and (widest := estimate.widest(level)) != seen:
        said += f"; the interval reaches furthest between {_pair(widest)}"
    return said


def why(outcome: Outcome, breach: Breach, *, straddles: bool) -> str:
    """The test behind an outcome that is not a pass.

    Args:
        outcome: what was decided.
        breach: the test.
        straddles: whether the limit lies inside the interval.
    """
    family = f"{breach.family} tests of this policy"
    if outcome is Outcome.FAIL:
        raw, adjusted = p_is(breach.p), p_is(breach.adjusted_p)
        return f"; the limit is broken ({raw}, {adjusted} after Holm over the {family})"
    if outcome is Outcome.INCONCLUSIVE and breach.p <= breach.level:
        return (
            f"; alone this would break it ({p_is(breach.p)}), but not among the {family} "
            f"({p_is(breach.adjusted_p)} after Holm)"
        )
    if outcome is Outcome.PASS:
        return ""
    return (
        UNDECIDED
        if straddles
        else f"; the interval breaks the limit, but the stricter test does not ({p_is(breach.p)})"
    )


def prospect(kind: str, found: Prospect, scale: Scale) -> str:
    """What an undecided group could have shown, and what it would take to decide."""
    parts = []
    power = f"{found.power * 100:g} %"
    if found.detectable is None:
        parts.append(f"no value, however bad, would have been found with {power} power")
    else:
        parts.append(
            f"{_DETECTABLE[kind].format(number(found.detectable, scale))} would have been found with {power} power"
        )
    if found.more and found.settles is not None:
        more = more_of(found.more, found.of)
        parts.append(f"{more} would settle it as {found.settles} if it stays as measured")
    return "".join(f"; {part}" for part in parts)


def by_chance(found: ByChance, scale: Scale) -> str:
    """The yardstick beside a gap."""
    return (
        f"; were all groups alike, chance would show about {number(found.expected, scale)}, and less than "
        f"{number(found.high, scale)} in {found.share * 100:g} % of samples"
    )


def too_few(value: Measured, asked: str) -> str:
    """Added where a group is not judged for its size."""
    be = "is" if value.rows == 1 else "are"
    return f"; {behind(value)} {be} fewer than the {asked} that the policy asks for, so this is not judged"


def left_out(groups: tuple[GroupKey, ...], asked: str) -> str:
    """Added where groups could not be compared with the others: how many, and the first of them."""
    named = " | ".join(group.label for group in groups[:_MOST_NAMED])
    more = f" and {len(groups) - _MOST_NAMED} more" if len(groups) > _MOST_NAMED else ""
    return f"; not compared, as they cannot be measured on the {asked} that the policy asks for: {named}{more}"


def not_measurable(group: GroupKey, metric: MetricKey, value: NotMeasurable) -> str:
    """Why there is no number."""
    return f"{group.label}: {metric.label} cannot be judged: {value.reason}"


def _pair(pair: Pair) -> str:
    return f"{pair.higher.label} (higher) and {pair.lower.label}"


def _seen(kind: str, value: Measured, scale: Scale) -> str:
    if kind not in _VERBS:
        return f"is {number(value.estimate, scale)} {interval_of(value, scale)}"
    harm, relief = _VERBS[kind]
    if value.estimate == 0:
        return f"did not change {interval_of(value, scale)}"
    verb = harm if value.estimate > 0 else relief
    size = number(abs(value.estimate), scale)
    by = "less than 0.001" if size == "0.000" else size
    return f"{verb} by {by} {interval_of(value, scale, turned=value.estimate < 0)}"
