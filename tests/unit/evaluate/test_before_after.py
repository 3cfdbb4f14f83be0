"""What a run's table shows: which groups, and that it was held against fairlearn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from stage import labels, population_of, rule, split_of, three_classes

from audit_pipeline.errors import ToolError
from audit_pipeline.evaluate import before_after as stage
from audit_pipeline.evaluate.before_after import before_after, group_specs


def test_every_column_and_every_two_of_them_are_shown_before_what_rules_ask_for_besides() -> None:
    population = population_of(split_of([0, 1], a=["x", "y"], b=["x", "x"], c=["1", "2"]))
    assert group_specs(population, ()) == ("a", "b", "c", "a*b", "a*c", "b*c")
    asked = rule(metric="accuracy", min=0.5, groups=("c*a", "overall", "a*b*c"))
    assert group_specs(population, [asked]) == ("a", "b", "c", "a*b", "b*c", "c*a", "overall", "a*b*c")


def test_two_columns_that_make_too_many_groups_are_shown_only_where_a_rule_asks() -> None:
    many = np.arange(501).astype(str)
    population = population_of(split_of(np.zeros(501, int), a=many, b=np.tile(["x", "y", "z"], 167)))
    assert group_specs(population, ()) == ("a", "b")
    assert group_specs(population, [rule(metric="accuracy", min=0.5, groups=("a*b",))]) == ("a", "b", "a*b")


def test_a_table_that_fairlearn_contradicts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, split = three_classes(80)
    tabulate = stage.tabulate

    def others(cells: Any, metrics: Any, specs: Any) -> Any:
        return tabulate(cells, metrics[::-1], specs)

    before_after(population_of(split), (), ("sex",), before, after)
    monkeypatch.setattr(stage, "tabulate", others)
    with pytest.raises(ToolError) as caught:
        before_after(population_of(split), (), ("sex",), before, after)
    assert caught.value.code == "evaluate.disagrees-with-fairlearn"


def test_scores_are_kept_only_where_a_metric_needs_them() -> None:
    population = population_of(split_of([0, 2] * 20))
    made = labels([0, 2] * 20)
    assert before_after(population, (), (), None, made)[0].after_scores is None
    asked = [rule(metric="auc", class_="V", min=0.5)]
    assert before_after(population, asked, (), None, made)[0].after_scores is not None
