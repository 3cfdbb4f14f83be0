"""The whole stage on small populations: predictions counted, tabulated, tested, written down and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from audit_pipeline.data.population import Population, Split
from audit_pipeline.evaluate.answers import Answers, GroupTable
from audit_pipeline.evaluate.cells import Cells, count_cells
from audit_pipeline.evaluate.changes import Changes, find_changes
from audit_pipeline.evaluate.compare import compare
from audit_pipeline.evaluate.judge import judge
from audit_pipeline.evaluate.metrics import Metric, metrics_for
from audit_pipeline.evaluate.table import tabulate
from audit_pipeline.evidence import DataPart
from audit_pipeline.findings import Finding, GroupRow
from audit_pipeline.policy.catalogue import METRICS, Speaks
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.predictions import Predictions, Task

CLASSES = ("N", "S", "V")
ALARMS = ("S", "V")


@dataclass(frozen=True)
class Evaluated:
    """What the stage makes of predictions; what comes after the table only where somebody asks."""

    cells: Cells
    metrics: tuple[Metric, ...]
    table: GroupTable
    rules: tuple[FairnessRule, ...]
    smallest: int

    @cached_property
    def changes(self) -> Changes:
        return find_changes(self.table, 7)

    @cached_property
    def rows(self) -> tuple[GroupRow, ...]:
        return compare(self.table, self.changes, 0.95)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        return judge(self.rules, self.table, Statistics(min_group_size=self.smallest))

    def of(self, label: str, metric: str) -> Answers:
        """A metric of a group, both as people read them."""
        group = next(group for group in self.table.groups if group.group.label == label)
        return next(answers for answers in group.metrics if answers.metric.label == metric)


def people_of(numbers: np.ndarray) -> np.ndarray:
    """Names of people by number."""
    return np.char.add("p", numbers.astype(str))


def split_of(y: Any, people: np.ndarray | None = None, target: np.ndarray | None = None, **groups: Any) -> Split:
    """Rows with these labels, people and group columns."""
    y = np.asarray(y, dtype=np.int64)
    columns = {name: np.asarray(values) for name, values in groups.items()}
    return Split(np.zeros((len(y), 1), np.float32), y, columns, people, target)


def population_of(split: Split, classes: Sequence[str] = CLASSES, alarms: Sequence[str] = ALARMS, **said: Any) -> Any:
    """A population that is nothing but its evaluation split."""
    part = DataPart(
        name="small",
        description="",
        source="",
        synthetic=True,
        sha256="0" * 64,
        classes=tuple(classes),
        alarm_classes=tuple(alarms),
        splits=(),
        **said,
    )
    return Population(part, split, split, split)


def labels(taken: Any, classes: int = 3, made_by: str = "float") -> Predictions:
    """Predictions that are sure of one class for each row."""
    return Predictions(np.eye(classes, dtype=np.float32)[np.asarray(taken, dtype=np.int64)], 0.0, made_by)


def values(numbers: Any) -> Predictions:
    """What a regression says."""
    return Predictions(np.asarray(numbers, dtype=np.float32)[:, None], 0.0, "float", Task.REGRESSION)


def rule(**said: Any) -> FairnessRule:
    """A rule as a policy would have it."""
    return FairnessRule.model_validate({"class" if key == "class_" else key: value for key, value in said.items()})


def evaluate(
    before: Predictions | None,
    after: Predictions,
    population: Population,
    rules: Sequence[FairnessRule] = (),
    specs: Sequence[str] = (),
    *,
    smallest: int = 30,
) -> Evaluated:
    """Everything that a run does with predictions."""
    metrics = metrics_for(population, rules)
    scores = any(metric.needs_scores for metric in metrics)
    cells = count_cells(before, after, population.evaluation, population.classes, with_scores=scores)
    table = tabulate(cells, metrics, (*specs, *(spec for each in rules for spec in each.groups)))
    return Evaluated(cells, metrics, table, tuple(rules), smallest)


def every_rule(
    task: Task, classes: Sequence[str], specs: Sequence[str], *, once: bool = False
) -> tuple[FairnessRule, ...]:
    """A rule for each metric, class and limit, or only one limit, of the catalogue, but not for events per hour."""
    rules = []
    asked = set()
    for name, kind in METRICS.items():
        if task not in kind.tasks or name == "false_alarms_per_hour":
            continue
        for limit in kind.limits:
            between = limit == "max_gap" or "_difference" in name or "_ratio" in name
            groups = tuple(spec for spec in specs if not (between and spec == "overall"))
            for class_ in (None,) if kind.speaks is Speaks.ALL else classes:
                if once and (name, class_) in asked:
                    continue
                asked.add((name, class_))
                given: Mapping[str, Any] = {"class": class_} if class_ is not None else {}
                rules.append(FairnessRule.model_validate({"metric": name, limit: 0.1, "groups": groups, **given}))
    return tuple(rules)


def three_classes(rows: int = 600, people: int = 24, seed: int = 4, *, named: bool = True) -> tuple[Any, ...]:
    """A float model that is right in 90 % of rows, a device that answers anew in 15 %, and whom they judge."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, rows, p=[0.6, 0.25, 0.15])
    person = rng.integers(0, people, rows)
    before = np.where(rng.random(rows) < 0.9, y, rng.integers(0, 3, rows))
    after = np.where(rng.random(rows) < 0.85, before, rng.integers(0, 3, rows))
    split = split_of(
        y,
        people_of(person) if named else None,
        sex=np.array(["f", "m"])[person % 2],
        age=np.array(["0-44", "45-64", "65+"])[person % 3],
    )
    return labels(before), labels(after, made_by="tflite-micro"), split
