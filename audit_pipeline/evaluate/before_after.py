"""From two sets of predictions for one split to the group table: what a run asks, and what a diff of two runs asks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from audit_pipeline.data.population import Population
from audit_pipeline.evaluate.answers import GroupTable
from audit_pipeline.evaluate.cells import Cells, count_cells
from audit_pipeline.evaluate.metrics import metrics_for
from audit_pipeline.evaluate.second_opinion import confirm
from audit_pipeline.evaluate.table import tabulate
from audit_pipeline.policy.schema import FairnessRule
from audit_pipeline.predictions import Predictions

MOST_UNASKED = 500
"""Groups of two columns together that are shown though no rule asks for them: what nobody would read is not made."""


def before_after(
    population: Population,
    rules: Sequence[FairnessRule],
    specs: Sequence[str],
    before: Predictions | None,
    after: Predictions,
) -> tuple[Cells, GroupTable]:
    """Count the evaluation split before and after, and measure every metric in every group.

    Args:
        population: what was predicted.
        rules: whose metrics are measured besides those that are always shown.
        specs: group specs; overall is always there.
        before: predictions of the first model; None where there is none.
        after: those of the second.

    Raises:
        InputError: predictions that do not fit the split, or a column that the data do not have.
        ToolError: fairlearn computes another value for something in the table.
    """
    metrics = metrics_for(population, rules)
    cells = count_cells(
        before,
        after,
        population.evaluation,
        population.classes,
        with_scores=any(metric.needs_scores for metric in metrics),
    )
    table = tabulate(cells, metrics, specs)
    confirm(table, cells, metrics)
    return cells, table


def group_specs(population: Population, rules: Sequence[FairnessRule]) -> tuple[str, ...]:
    """What a table shows: every group column, every two of them together, and what the rules ask for.

    Two columns that a rule names together are the same groups in either order, and are shown once, in the rule's. Two
    that no rule names together are left out where they make more than 500 groups.
    """
    values = population.evaluation.groups
    columns = sorted(values)
    asked = [spec for rule in rules for spec in rule.groups]
    named = {frozenset(spec.split("*")) for spec in asked}
    kinds = {column: len(np.unique(values[column])) for column in columns}
    pairs = [
        "*".join(pair)
        for pair in combinations(columns, 2)
        if frozenset(pair) not in named and kinds[pair[0]] * kinds[pair[1]] <= MOST_UNASKED
    ]
    return tuple(dict.fromkeys((*columns, *pairs, *asked)))
