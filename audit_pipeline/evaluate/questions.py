"""What a policy asks of the table: one question for each rule and group, before anything is decided."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit_pipeline.evaluate.answers import GroupTable
from audit_pipeline.evaluate.gap import Gap, Ratio
from audit_pipeline.evaluate.named import Worst, rates_behind
from audit_pipeline.measurement import GroupKey, MetricKey, NotMeasurable, Scale
from audit_pipeline.policy.catalogue import BETWEEN_GROUPS, METRICS
from audit_pipeline.policy.schema import OVERALL, FairnessRule
from audit_pipeline.statistics.estimate import Estimate, p_above, p_below
from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than
from audit_pipeline.statistics.scaled import Scaled

_AGAINST_FLOAT = ("max_drop", "max_rise")


@dataclass(frozen=True)
class Question:
    """One rule in one group, or between the groups of one spec."""

    rule: FairnessRule
    place: str
    """Where the rule stands in the policy, as `fairness[0]`."""
    identifier: str
    group: GroupKey
    metric: MetricKey
    estimate: Estimate | NotMeasurable
    smallest: int
    """Rows behind a number below which the policy does not judge it."""
    left_out: tuple[GroupKey, ...] = ()
    """Groups that could not be compared with the others: while there are any, nothing passes."""

    @property
    def kind(self) -> str:
        """The key of the rule's limit."""
        return self.rule.limit[0]

    @property
    def limit(self) -> float:
        """The rule's limit."""
        return self.rule.limit[1]

    @property
    def rates(self) -> tuple[str, ...]:
        """The metrics of each group that it rests on: more than one for fairlearn's equalized odds."""
        return rates_behind(self.rule.metric)

    @property
    def at_most(self) -> bool:
        """Whether values above the limit break it."""
        return self.kind != "min"

    @property
    def reach(self) -> tuple[float, float]:
        """The smallest and the largest value that the metric, or its change, could have."""
        change = self.kind in _AGAINST_FLOAT
        if self.metric.scale is Scale.SHARE:
            return (-1.0, 1.0) if change else (0.0, 1.0)
        return (-math.inf, math.inf) if change else (0.0, math.inf)

    @property
    def is_too_small(self) -> bool:
        """Whether it has fewer rows than the policy asks for."""
        return self.estimate.rows < self.smallest

    @property
    def tested(self) -> Estimate | None:
        """The estimate that a verdict may rest on; None where there is none, or too few rows behind it."""
        return None if isinstance(self.estimate, NotMeasurable) or self.is_too_small else self.estimate

    def p_broken(self, estimate: Estimate) -> float:
        """One-sided p-value of "the limit is kept"."""
        if isinstance(estimate, Gap | Ratio | Worst):
            return estimate.p_broken(self.limit)
        if not self.at_most:
            return p_below(estimate, self.limit)
        inner, limit = (
            (estimate.estimate, self.limit / estimate.factor)
            if isinstance(estimate, Scaled)
            else (estimate, self.limit)
        )
        return p_worse_than(inner, limit) if isinstance(inner, PairedShare) else p_above(inner, limit)


def ask(rules: Sequence[FairnessRule], table: GroupTable, smallest: int) -> tuple[Question, ...]:
    """Every question, in the order of the policy.

    Args:
        rules: the policy's; their place gives `Question.place`.
        table: what `tabulate` gave for these rules.
        smallest: rows behind a number below which it is not judged.
    """
    return tuple(
        question
        for number, rule in enumerate(rules)
        for spec in rule.groups
        for question in _of_spec(rule, f"fairness[{number}]", spec, table, smallest)
    )


def _of_spec(rule: FairnessRule, place: str, spec: str, table: GroupTable, smallest: int) -> Iterator[Question]:
    if rule.compares_groups:
        yield _between(rule, place, spec, table, smallest)
        return
    for group in table.by_spec[spec]:
        answers = group.of(rule.metric, rule.class_)
        answer = answers.worsening if rule.limit[0] in _AGAINST_FLOAT else answers.after
        if answer is None:
            reason = "there is no float model to compare the device with"
            answer = NotMeasurable(reason=reason, rows=answers.after.rows, subjects=answers.after.subjects)
        key = group.group
        yield Question(
            rule=rule,
            place=place,
            identifier=_identifier(
                rule, ",".join(f"{by}={_plain(v)}" for by, v in zip(key.by, key.values, strict=True))
            ),
            group=key,
            metric=answers.metric,
            estimate=answer,
            smallest=smallest,
        )


def _between(rule: FairnessRule, place: str, spec: str, table: GroupTable, smallest: int) -> Question:
    """One question of all groups of a spec together; groups with too few rows are named, not compared."""
    columns = GroupKey(by=tuple(spec.split("*")))
    parts: list[list[tuple[GroupKey, Estimate]]] = []
    left_out: dict[GroupKey, None] = {}
    for rate in rates_behind(rule.metric):
        parts.append([])
        for group in table.by_spec[spec]:
            answer = group.of(rate, rule.class_).after
            if isinstance(answer, NotMeasurable) or answer.rows < smallest:
                left_out[group.group] = None
            else:
                parts[-1].append((group.group, answer))
    return Question(
        rule=rule,
        place=place,
        identifier=_identifier(rule, spec),
        group=columns,
        metric=_metric_of(rule, table, spec),
        estimate=_compare(rule, parts, table.people, smallest),
        left_out=tuple(left_out),
        smallest=smallest,
    )


def _compare(
    rule: FairnessRule, parts: Sequence[Sequence[tuple[GroupKey, Estimate]]], people: int | None, smallest: int
) -> Estimate | NotMeasurable:
    rows = sum(estimate.rows for part in parts for _, estimate in part)
    if min(map(len, parts)) < 2:
        reason = f"fewer than two groups have the {smallest} rows that the policy asks for"
        return NotMeasurable(reason=reason, rows=rows)
    if not rule.metric.endswith("_ratio"):
        gaps = tuple(Gap(tuple(part), people) for part in parts)
        return gaps[0] if len(gaps) == 1 else Worst(gaps)
    if any(max(estimate.value for _, estimate in part) == 0 for part in parts):
        return NotMeasurable(reason="a ratio of rates that are zero in every group has no value", rows=rows)
    ratios = tuple(Ratio(tuple(part), people) for part in parts)
    return ratios[0] if len(ratios) == 1 else Worst(ratios)


def _metric_of(rule: FairnessRule, table: GroupTable, spec: str) -> MetricKey:
    if rule.metric not in BETWEEN_GROUPS:
        return table.by_spec[spec][0].of(rule.metric, rule.class_).metric
    return MetricKey(name=rule.metric, class_=rule.class_, higher_is_better=METRICS[rule.metric].higher_is_better)


def _plain(value: str) -> str:
    """A value in a name; in quotes where it holds signs that could make two groups' names alike."""
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ',="\n') else value


def _identifier(rule: FairnessRule, group: str) -> str:
    metric = rule.metric if rule.class_ is None else f"{rule.metric}.{rule.class_}"
    return f"fairness.{metric}.{rule.limit[0]}:{group or OVERALL}"
