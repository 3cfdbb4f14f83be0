"""How large a gap chance alone would show: the yardstick beside every largest difference between groups.

The largest difference is never below zero, and grows with the number of groups, so "0.1 between age groups" says little
by itself. Here people (rows, where nobody is named) are resampled in all groups at once, every group's replicates are
centred on its own value, as if all groups were alike, and the largest difference of each replicate is kept (Romano &
Wolf 2005, Econometrica 73:1237). It explains a finding and decides none: in small groups a bootstrap sees too little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audit_pipeline.evaluate.cells import Cells
from audit_pipeline.evaluate.confusion import confusion_metric
from audit_pipeline.evaluate.gap import Gap
from audit_pipeline.evaluate.metrics import Metric
from audit_pipeline.evaluate.named import Worst
from audit_pipeline.evaluate.questions import Question
from audit_pipeline.evaluate.replicates import replicate_metrics
from audit_pipeline.findings import ByChance

_REPLICATES = 2000
_FEWEST_PEOPLE = 20
"""In each group: below, replicates without one of few people are too many to be told from a difference."""
_HIGH = 0.95


def gaps_by_chance(
    questions: Sequence[Question], cells: Cells, metrics: Sequence[Metric], seed: int
) -> dict[str, ByChance]:
    """The gap that chance alone would show, for every question that asks for a largest difference of counts.

    Left out are those with a group of fewer than twenty people, and metrics that need scores.

    Args:
        questions: what `ask` gave.
        cells: what they were tabulated from.
        metrics: what `metrics_for` gave for the same rules.
        seed: of the resampling.

    Returns:
        By the questions' identifiers.
    """
    found = {}
    for question in questions:
        gaps = _gaps(question)
        rates = [
            m for name in question.rates for m in metrics if (m.key.name, m.key.class_) == (name, question.rule.class_)
        ]
        if gaps and not any(map(_is_small, gaps)) and not any(metric.needs_scores for metric in rates):
            found[question.identifier] = _largest(question, gaps, rates, cells, seed)
    return found


def _largest(question: Question, gaps: Sequence[Gap], rates: Sequence[Metric], cells: Cells, seed: int) -> ByChance:
    grouping = cells.groups_of("*".join(question.group.by))
    definitions = [confusion_metric(metric.definition, len(cells.classes), metric.concerned) for metric in rates]
    drawn = replicate_metrics(cells, grouping, definitions, replicates=_REPLICATES, seed=seed).after
    largest = np.zeros(_REPLICATES)
    for number, (gap, metric) in enumerate(zip(gaps, rates, strict=True)):
        where = [grouping.keys.index(key) for key, _ in gap.groups]
        centred = np.nan_to_num(drawn[:, where, number] * metric.factor - gap.values)
        largest = np.maximum(largest, np.ptp(centred, axis=1))
    return ByChance(
        expected=float(largest.mean()),
        high=float(np.quantile(largest, _HIGH)),
        share=_HIGH,
        method=f"{_REPLICATES} bootstrap replicates of {'rows' if cells.people is None else 'people'}, centred",
    )


def _gaps(question: Question) -> tuple[Gap, ...]:
    if isinstance(question.estimate, Gap):
        return (question.estimate,)
    parts = question.estimate.parts if isinstance(question.estimate, Worst) else ()
    return tuple(part for part in parts if isinstance(part, Gap))


def _is_small(gap: Gap) -> bool:
    return any(estimate.subjects is not None and estimate.subjects < _FEWEST_PEOPLE for _, estimate in gap.groups)
