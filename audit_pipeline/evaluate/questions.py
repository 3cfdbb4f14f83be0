"""What a policy asks of the table: one question for each rule and group, before anything is decided."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit_pipeline.evaluate.answers import Answer, GroupTable
from audit_pipeline.evaluate.breach import p_broken
from audit_pipeline.evaluate.gap import Gap, Ratio
from audit_pipeline.evaluate.named import Worst, rates_behind
from audit_pipeline.measurement import GroupKey, Measured, MetricKey, NotMeasurable, Scale
from audit_pipeline.policy.catalogue import BETWEEN_GROUPS, METRICS
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.statistics.estimate import Estimate

_AGAINST_FLOAT = ("max_drop", "max_rise")


@dataclass(frozen=True)
class Smallest:
    """What has to stand behind a number before the policy judges it."""

    rows: int
    people: int
    """Where they are named."""

    def is_met_by(self, answer: Answer | Measured) -> bool:
        """Whether enough rows and people stand behind an answer."""
        return answer.rows >= self.rows and (answer.subjects is None or answer.subjects >= self.people)

    @property
    def label(self) -> str:
        """What is asked for, in words."""
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return rows if self.people == 1 else f"{rows} and {self.people} people"


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
    smallest: Smallest
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
        return rates_behind(self.rule.metric, self.rule.class_)

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
        """Whether it has fewer rows or people than the policy asks for."""
        return not self.smallest.is_met_by(self.estimate)

    @property
    def tested(self) -> Estimate | None:
        """The estimate that a verdict may rest on; None where there is none, or too little behind it."""
        return None if isinstance(self.estimate, NotMeasurable) or self.is_too_small else self.estimate

    def p_broken(self, estimate: Estimate) -> float:
        """One-sided p-value of "the limit is kept"."""
        return p_broken(estimate, self.limit, at_most=self.at_most)


def ask(rules: Sequence[FairnessRule], table: GroupTable, statistics: Statistics) -> tuple[Question, ...]:
    """Every question, in the order of the policy.

    Args:
        rules: the policy's; their place gives `Question.place`.
        table: what `tabulate` gave for these rules.
        statistics: the policy's, for the rows and people below which a number is not judged.
    """
    smallest = Smallest(statistics.min_group_size, statistics.min_people)
    return tuple(
        question
        for number, rule in enumerate(rules)
        for spec in rule.groups
        for question in _of_spec(rule, f"fairness[{number}]", spec, table, smallest)
    )


def _of_spec(rule: FairnessRule, place: str, spec: str, table: GroupTable, smallest: Smallest) -> Iterator[Question]:
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


def _between(rule: FairnessRule, place: str, spec: str, table: GroupTable, smallest: Smallest) -> Question:
    """One question of all groups of a spec together; groups with too few rows are named, not compared."""
    columns = GroupKey(by=tuple(spec.split("*")))
    parts: list[list[tuple[GroupKey, Estimate]]] = []
    left_out: dict[GroupKey, None] = {}
    for rate in rates_behind(rule.metric, rule.class_):
        parts.append([])
        for group in table.by_spec[spec]:
            answer = group.of(rate, rule.class_).after
            if isinstance(answer, NotMeasurable) or not smallest.is_met_by(answer):
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
    rule: FairnessRule, parts: Sequence[Sequence[tuple[GroupKey, Estimate]]], people: int | None, smallest: Smallest
) -> Estimate | NotMeasurable:
    rows = sum(estimate.rows for part in parts for _, estimate in part)
    if min(map(len, parts)) < 2:
        reason = f"fewer than two groups have the {smallest.label} that the policy asks for"
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
