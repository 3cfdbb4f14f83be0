"""One class that is recognised as often as a test says, by group, all the way to findings."""

from __future__ import annotations

from typing import Any

import numpy as np
from stage import evaluate, labels, population_of, rule, split_of

from audit_pipeline.findings import Finding

DROP = {"metric": "recall", "class_": "alarm", "max_drop": 0.05, "groups": ("sex",)}
GAP = {"metric": "recall", "class_": "alarm", "max_gap": 0.1, "groups": ("sex",)}
MISSED = {"metric": "missed_alarm_rate", "max": 0.1, "groups": ("sex",)}
BOTH = {"female": 0.9, "male": 0.9}
LEVEL = 0.025


def findings(
    *rules: dict[str, Any],
    right_after: dict[str, float],
    right_before: dict[str, float] | None = None,
    rows: int | dict[str, int] = 400,
    people: int | None = None,
    smallest: int = 30,
) -> tuple[Finding, ...]:
    """Rows of class "alarm" alone; in each group the given share is recognised, the first rows of each person."""
    names = list(right_after)
    each = [rows if isinstance(rows, int) else rows[name] for name in names]
    group = np.repeat(names, each)
    number = np.concatenate([np.arange(count) for count in each])
    share = np.concatenate([(np.arange(count) + 0.5) / count for count in each])
    if people is not None:  # the same share of everybody's rows
        share = np.concatenate([(np.arange(count) // people + 0.5) / (count // people) for count in each])
    subjects = None if people is None else np.char.add(group, (number % people).astype(str))

    def made(right: dict[str, float]) -> Any:
        return labels(share < np.array([right[name] for name in group]), 2)

    split = split_of(np.ones(len(group), int), subjects, sex=group)
    before = None if right_before is None else made(right_before)
    asked = [rule(**each) for each in rules]
    population = population_of(split, ("calm", "alarm"), ("alarm",))
    return evaluate(before, made(right_after), population, asked, smallest=smallest).findings
