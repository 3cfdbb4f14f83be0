"""The gap that chance alone shows stands beside the gap that was seen."""

from __future__ import annotations

import numpy as np
import pytest

from audit_pipeline.data.population import Split
from audit_pipeline.evaluate.cells import count_cells
from audit_pipeline.evaluate.chance import gaps_by_chance
from audit_pipeline.evaluate.judge import judge
from audit_pipeline.evaluate.metrics import Metric
from audit_pipeline.evaluate.questions import ask
from audit_pipeline.evaluate.table import tabulate
from audit_pipeline.findings import ByChance, Finding
from audit_pipeline.measurement import MetricKey
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.predictions import Predictions

CLASSES = ("calm", "alarm")
RECALL = Metric(MetricKey(name="recall", class_="alarm", higher_is_better=True), (1,), "recall")
RULE = FairnessRule.model_validate({"metric": "recall", "class": "alarm", "max_gap": 0.1, "groups": ("site",)})


def gap_finding(groups: int, rows: int, people: int | None, rng: np.random.Generator) -> Finding:
    """Alarms that are recognised equally often in every group."""
    site = np.repeat([f"s{number:02}" for number in range(groups)], rows)
    right = rng.random(len(site)) < 0.8
    subjects = None
    if people is not None:
        subjects = np.char.add(site, (np.tile(np.arange(rows), groups) % people).astype(str))
    split = Split(np.zeros((len(site), 1), np.float32), np.ones(len(site), np.int64), {"site": site}, subjects)
    cells = count_cells(None, Predictions(np.eye(2, dtype=np.float32)[right.astype(int)], 0.0, "float"), split, CLASSES)
    table = tabulate(cells, [RECALL], ("site",))
    chance = gaps_by_chance(ask([RULE], table, Statistics()), cells, [RECALL], seed=1)
    (finding,) = judge([RULE], table, Statistics(), chance)
    return finding


def yardstick(finding: Finding) -> ByChance:
    assert finding.by_chance is not None
    return finding.by_chance


@pytest.mark.parametrize("people", [None, 50])
def test_groups_that_are_alike_show_about_the_gap_of_chance(people: int | None) -> None:
    rng = np.random.default_rng(5)
    found = [gap_finding(8, 200, people, rng) for _ in range(20)]
    seen = np.mean([finding.value.estimate for finding in found])  # type: ignore[union-attr]
    assert seen == pytest.approx(np.mean([yardstick(finding).expected for finding in found]), rel=0.15)


def test_more_groups_show_a_larger_gap_by_chance() -> None:
    rng = np.random.default_rng(6)
    few, many = (yardstick(gap_finding(groups, 100, None, rng)) for groups in (2, 20))
    assert few.expected < few.high
    assert few.expected * 2 < many.expected


def test_it_is_said_beside_the_gap() -> None:
    finding = gap_finding(4, 100, None, np.random.default_rng(7))
    assert f"chance would show about {yardstick(finding).expected:.3f}" in finding.reason


def test_groups_of_few_people_have_no_yardstick() -> None:
    finding = gap_finding(4, 100, 19, np.random.default_rng(8))
    assert finding.by_chance is None
    assert "chance" not in finding.reason
