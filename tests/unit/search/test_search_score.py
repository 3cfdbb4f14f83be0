"""What a candidate comes to on the rows a search chooses by, against numpy and scikit-learn on the rows themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.data.population import Population, Split
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import DataPart
from audit_pipeline.model.source import SourceModel
from audit_pipeline.policy.schema import FairnessRule, Statistics
from audit_pipeline.predictions import Predictions, Task
from audit_pipeline.progress import silent
from audit_pipeline.search.score import Examiner, examiner, prepare
from audit_pipeline.search.selection import divide

SMALL = Statistics(min_group_size=5)


def rule(**said: object) -> FairnessRule:
    return FairnessRule.model_validate(said)


DROP = rule(metric="recall", **{"class": "high"}, max_drop=0.1, groups=("overall", "group", "age"))
FLOOR = rule(metric="accuracy", min=0.9)


def said_of(labels: np.ndarray) -> Predictions:
    return Predictions(np.eye(3, dtype=np.float32)[labels], 0.0, "tflite-micro")


def wrong(population: Population, share: float, seed: int) -> np.ndarray:
    """True labels with a share of them moved to the next class."""
    rng = np.random.default_rng(seed)
    y = population.evaluation.y
    return np.where(rng.random(len(y)) < share, (y + 1) % 3, y)


def drops(population: Population, before: np.ndarray, after: np.ndarray, columns: tuple[str, ...]) -> list[float]:
    y = population.evaluation.y
    masks = [mask for column in columns for _, mask in population.evaluation.members(column)]
    recall = [
        [recall_score(y[mask], labels[mask], labels=[2], average="macro") for labels in (before, after)]
        for mask in masks
    ]
    return [one - other for one, other in recall]


@pytest.mark.parametrize("seed", range(5))
def test_the_violation_is_the_largest_excess_of_any_group(population: Population, seed: int) -> None:
    before, after = wrong(population, 0.05, seed), wrong(population, 0.25, seed + 100)
    score = prepare(population, said_of(before), [DROP], SMALL).judge(said_of(after))
    found = drops(population, before, after, ("overall", "group", "age"))
    assert score.violation == pytest.approx(max(found) - 0.1)
    assert score.keeps_rules == (score.violation <= 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_worst_drop_is_in_balanced_accuracy_over_single_columns(population: Population, seed: int) -> None:
    before, after = wrong(population, 0.05, seed), wrong(population, 0.25, seed + 100)
    score = prepare(population, said_of(before), [FLOOR], SMALL).judge(said_of(after))
    y = population.evaluation.y
    found = {
        key: balanced_accuracy_score(y[mask], before[mask]) - balanced_accuracy_score(y[mask], after[mask])
        for column in ("age", "group")
        for key, mask in population.evaluation.members(column)
    }
    assert score.worst_drop == pytest.approx(max(found.values()))
    assert score.worst_group == max(found, key=found.__getitem__)


def test_a_group_with_too_few_rows_is_not_asked(population: Population) -> None:
    before = population.evaluation.y
    after = np.where(population.evaluation.groups["group"] == "b", (before + 1) % 3, before)
    many = Statistics(min_group_size=50)
    assert prepare(population, said_of(before), [DROP], SMALL).judge(said_of(after)).violation == pytest.approx(0.9)
    asked = prepare(population, said_of(before), [DROP], many)
    assert not any("group=b" in name for name in asked.asked)
    assert asked.judge(said_of(after)).violation < 0.5


def test_a_candidate_is_not_asked_to_mend_the_float_model(population: Population) -> None:
    before = wrong(population, 0.3, 1)
    broken = float((before != population.evaluation.y).mean()) - 0.1
    assert broken > 0
    examined = prepare(population, said_of(before), [FLOOR], SMALL)
    same = examined.judge(said_of(before))
    assert (same.violation, same.keeps_rules) == (pytest.approx(0), False)
    better = examined.judge(said_of(population.evaluation.y))
    assert (better.violation, better.keeps_rules) == (pytest.approx(-0.1 - broken), True)


def test_a_class_that_is_never_predicted_breaks_its_rule_wholly(population: Population) -> None:
    precision = rule(metric="precision", **{"class": "high"}, min=0.1)
    before = population.evaluation.y
    score = prepare(population, said_of(before), [precision], SMALL).judge(said_of(np.minimum(before, 1)))
    assert (score.violation, score.keeps_rules) == (1.0, False)


def test_errors_of_a_regression_are_counted_in_those_of_the_float_model() -> None:
    rows = 40
    target = np.linspace(0, 100, rows)
    split = Split(
        np.zeros((rows, 1), np.float32), np.zeros(rows, np.int64), {"sex": np.array(["f", "m"] * 20)}, None, target
    )
    part = DataPart(
        name="n",
        description="d",
        source="s",
        synthetic=True,
        sha256="0" * 64,
        classes=(),
        alarm_classes=(),
        splits=(),
        task="regression",
    )

    def off(by: float) -> Predictions:
        return Predictions((target + by).astype(np.float32)[:, None], 0.0, "float", Task.REGRESSION)

    limit = rule(metric="mae", max_rise=1.0, groups=("sex",))
    examined = prepare(Population(part, split, split, split), off(4.0), [limit], SMALL)
    score = examined.judge(off(7.0))
    assert score.violation == pytest.approx((3.0 - 1.0) / 4.0, rel=1e-4)
    assert score.worst_drop == pytest.approx(3.0, rel=1e-4)


def test_a_candidate_is_run_in_the_device_s_arithmetic(
    population: Population, source: SourceModel, candidate: Candidate
) -> None:
    data = population.development
    _, selection = divide(data, 0.0, 1)
    examined = examiner(source, data, selection, [DROP], SMALL, silent)
    rows = population.calibration
    after, _ = predict_device(candidate, rows.x, np.arange(8), population.reading)
    assert examined.score(candidate, silent) == examined.judge(after)


def test_rules_that_cannot_be_asked_are_an_error(population: Population, source: SourceModel) -> None:
    data = population.development
    _, selection = divide(data, 0.0, 1)
    with pytest.raises(InputError) as caught:
        examiner(source, data, selection, [DROP], Statistics(min_group_size=1000), silent)
    assert caught.value.code == "search.nothing-to-ask"
    assert "calibration split" in str(caught.value)


def test_the_evaluation_split_of_a_population_is_not_reached(population: Population, source: SourceModel) -> None:
    other = replace(population, evaluation=population.train)
    _, selection = divide(other.development, 0.0, 1)
    examined: Examiner = examiner(source, other.development, selection, [DROP], SMALL, silent)
    assert examined.population.evaluation is population.calibration
