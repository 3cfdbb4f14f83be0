"""Claims and reasons of fairness findings: plain sentences that can be read without the table beside them."""

from __future__ import annotations

from audit_pipeline.evaluate.gap import Gap
from audit_pipeline.measurement import GroupKey, Measured, MetricKey, NotMeasurable
from audit_pipeline.statistics.wording import behind, interval_of, number

_ALLOWED = {
    "min": "is at least {} on the device",
    "max": "is at most {} on the device",
    "max_drop": "falls by at most {} against the float model",
    "max_rise": "rises by at most {} against the float model",
    "max_gap": "differs by at most {} on the device",
}
_VERBS = {"max_drop": ("fell", "rose"), "max_rise": ("rose", "fell")}


def claim(metric: MetricKey, kind: str, limit: float, group: GroupKey) -> str:
    """A rule in words, for one group or between the groups of a column."""
    return f"{group.label}: {metric.label} {_ALLOWED[kind].format(f'{limit:g}')}"


def measured(group: GroupKey, metric: MetricKey, kind: str, limit: float, value: Measured) -> str:
    """What was seen in one group, and what is allowed."""
    allowed = f"at least {limit:g} is asked for" if kind == "min" else f"at most {limit:g} is allowed"
    return f"{group.label}: {metric.label} {_seen(kind, value)} on {behind(value)}; {allowed}"


def gap(metric: MetricKey, pair: Gap, limit: float) -> str:
    """The difference of two named groups, and what is allowed."""
    value = pair.measured
    return (
        f"{metric.label} of {pair.higher.label} is {number(value.estimate)} above that of {pair.lower.label} "
        f"{interval_of(value)} on {behind(value)}; a difference of at most {limit:g} is allowed"
    )


def too_few(rows: int, smallest: int) -> str:
    """Added where a group is not judged for its size."""
    return f"; {rows} rows are fewer than the {smallest} that the policy asks for, so this is not judged"


def left_out(groups: tuple[GroupKey, ...], smallest: int) -> str:
    """Added where groups could not be compared with the others."""
    names = ", ".join(group.label for group in groups)
    return f"; not compared, for fewer than the {smallest} rows that the policy asks for: {names}"


def not_measurable(group: GroupKey, metric: MetricKey, value: NotMeasurable) -> str:
    """Why there is no number."""
    return f"{group.label}: {metric.label} cannot be judged: {value.reason}"


def _seen(kind: str, value: Measured) -> str:
    if kind not in _VERBS:
        return f"is {number(value.estimate)} {interval_of(value)}"
    harm, relief = _VERBS[kind]
    if value.estimate < 0:
        return f"{relief} by {number(-value.estimate)} {interval_of(value, turned=True)}"
    return f"{harm} by {number(value.estimate)} {interval_of(value)}"
