"""What a candidate does to groups, on the rows a search chooses by, in the device's own integer arithmetic.

The same table and the same questions as a release's verdict, but of other rows, and of the point estimates alone: a
search compares candidates, and a verdict decides about one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.data.population import Development, Population
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.answers import GroupTable
from audit_pipeline.evaluate.before_after import before_after
from audit_pipeline.evaluate.questions import Question, ask
from audit_pipeline.measurement import GroupKey, NotMeasurable, Part, Scale
from audit_pipeline.model.predict import predict_float
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.catalogue import METRICS, MetricName
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.predictions import Predictions, Task
from audit_pipeline.progress import Progress
from audit_pipeline.search.selection import Selection

_KERNEL_SAMPLE_ROWS = 64
"""Rows on which the faster kernels are held against the device's own; the verdict holds more of them."""
_UNANSWERED = 1.0
"""Violation where a candidate leaves nothing to measure a rule on, as a class that it never predicts: a whole unit."""


class Score(Part):
    """A candidate on the rows a search chooses by."""

    violation: float
    """How far the worst rule is broken, in the rule's unit; negative where all are kept. See `Examiner`."""
    keeps_rules: bool
    """Whether every rule is kept as the policy has it."""
    worst_rule: str
    """The question with the largest violation, as a finding names it."""
    worst_drop: float | None
    worst_group: GroupKey | None


@dataclass(frozen=True)
class Examiner:
    """Asks every candidate the same questions.

    A rule's unit is one of its metric where that is a share, and what the float model itself has over everybody where
    it is not, as events an hour and errors of a regression. Where the float model breaks a rule on these rows already,
    a candidate is only held to what the float model reaches: compression cannot be asked to mend it.
    """

    population: Population
    """The development data, with the rows to choose by where a verdict has its evaluation split."""
    rules: tuple[FairnessRule, ...]
    """The policy's, and last the one behind `Score.worst_drop`."""
    statistics: Statistics
    before: Predictions
    """The float model's."""
    asked: Mapping[str, float]
    """Question → how far beyond its limit the float model is; those with too few rows behind them are not asked."""
    units: Mapping[str, float]
    """Place of a rule → its unit."""

    def score(self, candidate: Candidate, progress: Progress) -> Score:
        """Run a candidate over all the rows and ask.

        Args:
            candidate: one that was measured.
            progress: told the share of rows that are done.

        Raises:
            InputError: as `predict_device`.
        """
        rows = self.population.evaluation
        sample = stratified_sample(rows, _KERNEL_SAMPLE_ROWS, candidate.part.seed)
        after, _ = predict_device(candidate, rows.x, sample, self.population.reading, progress)
        return self.judge(after)

    def judge(self, after: Predictions) -> Score:
        """What predictions of these rows come to."""
        *rules, minded = self.rules
        table = _table(self.population, self.rules, self.before, after)
        asked = [each for each in ask(rules, table, self.statistics) if each.identifier in self.asked]
        excess = {each.identifier: _excess(each, table) for each in asked}
        violations = {each.identifier: self._violation(each, excess[each.identifier]) for each in asked}
        worst = max(violations, key=violations.__getitem__)
        drop, group = _worst(ask([minded], table, self.statistics), table)
        return Score(
            violation=violations[worst],
            keeps_rules=all(beyond is not None and beyond <= 0 for beyond in excess.values()),
            worst_rule=worst,
            worst_drop=drop,
            worst_group=group,
        )

    def _violation(self, question: Question, beyond: float | None) -> float:
        if beyond is None:
            return _UNANSWERED
        return (beyond - max(self.asked[question.identifier], 0.0)) / self.units[question.place]


def examiner(
    source: SourceModel,
    data: Development,
    selection: Selection,
    rules: Sequence[FairnessRule],
    statistics: Statistics,
    progress: Progress,
) -> Examiner:
    """Predict the rows to choose by with the float model, once, and find out what can be asked of them.

    Args:
        source: the float model.
        data: whose rows these are.
        selection: the rows to choose by.
        rules: the policy's.
        statistics: the policy's, for the rows and people below which a rule is not asked.
        progress: told the share of rows that are done.

    Raises:
        InputError: `search.nothing-to-ask`, or as `predict_float`.
    """
    population = Population(data.part, data.train, data.calibration, selection.rows)
    before = predict_float(source, selection.rows.x, data.reading, progress)
    found = prepare(population, before, rules, statistics)
    if not found.asked:
        raise InputError(
            "search.nothing-to-ask",
            f"no fairness rule has enough rows behind it in what the search chooses by: {selection.said}",
            hint="enlarge the calibration split, or lower the policy's min_group_size and min_people",
        )
    return found


def prepare(
    population: Population, before: Predictions, rules: Sequence[FairnessRule], statistics: Statistics
) -> Examiner:
    """Find out what can be asked of rows, and how the float model answers.

    Args:
        population: with the rows to choose by in the place of the evaluation split.
        before: the float model's predictions of them.
        rules: the policy's.
        statistics: the policy's.
    """
    every = (*rules, _minded(population))
    table = _table(population, every, before, before)
    asked = {
        question.identifier: excess
        for question in ask(rules, table, statistics)
        if not question.is_too_small and (excess := _excess(question, table)) is not None
    }
    units = {f"fairness[{number}]": _unit(rule, table) for number, rule in enumerate(rules)}
    return Examiner(population, every, statistics, before, asked, units)


def _minded(population: Population) -> FairnessRule:
    """The question behind a trial's worst drop, asked of every group column by itself."""
    groups = tuple(sorted(population.evaluation.groups)) or (OVERALL,)
    if population.task is Task.REGRESSION:
        return FairnessRule(metric="mae", max_rise=0, groups=groups)
    metric: MetricName = "auc" if population.task is Task.ANOMALY else "balanced_accuracy"
    return FairnessRule(metric=metric, max_drop=0, groups=groups)


def _table(
    population: Population, rules: Sequence[FairnessRule], before: Predictions, after: Predictions
) -> GroupTable:
    specs = tuple(dict.fromkeys(spec for rule in rules for spec in rule.groups))
    return before_after(population, rules, specs, before, after)[1]


def _excess(question: Question, table: GroupTable) -> float | None:
    """How far a value is beyond its limit, negative inside; None where there is no value."""
    value = _value(question, table)
    if value is None:
        return None
    return value - question.limit if question.at_most else question.limit - value


def _value(question: Question, table: GroupTable) -> float | None:
    """A point value, also of a change that has no interval: one person's, or one that is the same for everybody."""
    if not isinstance(question.estimate, NotMeasurable):
        return question.estimate.value
    if question.kind not in ("max_drop", "max_rise"):
        return None
    group = next(each for each in table.groups if each.group == question.group)
    answers = group.of(question.rule.metric, question.rule.class_)
    before, after = answers.before, answers.after
    if before is None or isinstance(before, NotMeasurable) or isinstance(after, NotMeasurable):
        return None
    change = before.value - after.value
    return change if answers.metric.higher_is_better else -change


def _unit(rule: FairnessRule, table: GroupTable) -> float:
    if METRICS[rule.metric].scale is Scale.SHARE:
        return 1.0
    before = table.by_spec[OVERALL][0].of(rule.metric, rule.class_).before
    return 1.0 if before is None or isinstance(before, NotMeasurable) else before.value or 1.0


def _worst(questions: Sequence[Question], table: GroupTable) -> tuple[float | None, GroupKey | None]:
    values = {each.group: _value(each, table) for each in questions if not each.is_too_small}
    drops = {group: value for group, value in values.items() if value is not None}
    if not drops:
        return None, None
    group = max(drops, key=drops.__getitem__)
    return drops[group], group
