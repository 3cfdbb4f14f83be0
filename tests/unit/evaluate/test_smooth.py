"""Metrics that are no share of rows: their intervals through influence, against resampling of rows and people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, mean_absolute_error, precision_score, roc_auc_score
from stage import evaluate, people_of, population_of, rule, split_of, three_classes, values

from audit_pipeline.evaluate.answers import Answers
from audit_pipeline.evaluate.by_person import ByPerson
from audit_pipeline.evaluate.metrics import metrics_for
from audit_pipeline.evaluate.smooth import smooth_answers
from audit_pipeline.measurement import NotMeasurable
from audit_pipeline.predictions import Predictions

Score = Callable[[np.ndarray, np.ndarray], float]


def of_v(score: Score) -> Score:
    return lambda y, p: score(y == 2, p == 2)


RULES = {
    "F1 of V": ({"metric": "f1", "class_": "V", "min": 0.1}, of_v(f1_score)),
    "balanced accuracy": ({"metric": "balanced_accuracy", "min": 0.1}, balanced_accuracy_score),
    "macro F1": ({"metric": "macro_f1", "min": 0.1}, lambda y, p: f1_score(y, p, average="macro")),
    "precision of V": ({"metric": "precision", "class_": "V", "min": 0.1}, of_v(precision_score)),
}


def half(answer: object) -> float:
    assert answer is not None
    assert not isinstance(answer, NotMeasurable)
    low, high = answer.bounds(0.95)  # type: ignore[attr-defined]
    return (high - low) / 2


@pytest.mark.parametrize("metric", list(RULES))
def test_a_change_is_at_least_as_uncertain_as_resampled_rows_show_and_not_half_as_much_again(metric: str) -> None:
    said, score = RULES[metric]
    before, after, split = three_classes(1500, named=False)
    found = evaluate(before, after, population_of(split), [rule(**said)]).of("overall", metric)
    rng, y, old, new = np.random.default_rng(1), split.y, before.labels, after.labels
    draws = []
    for _ in range(300):
        rows = rng.integers(0, len(y), len(y))
        draws.append(score(y[rows], old[rows]) - score(y[rows], new[rows]))
    assert 0.95 <= half(found.worsening) / (1.96 * np.std(draws)) <= 1.5


def auc_world(person: np.ndarray, spread: float) -> tuple[Answers, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, len(person))
    scores = rng.dirichlet((1, 1, 1), len(person)).astype(np.float32)
    scores[:, 2] += (y == 2) * 0.2 + spread * rng.normal(size=person.max() + 1)[person]
    split = split_of(y, people_of(person))
    made = Predictions(scores, 0.0, "float")
    found = evaluate(None, made, population_of(split), [rule(metric="auc", class_="V", min=0.5)])
    return found.of("overall", "AUC of V"), y, scores[:, 2]


@pytest.mark.parametrize("rows_each", [1, 20])
def test_an_area_under_the_curve_has_the_width_that_resampled_people_show(rows_each: int) -> None:
    people = 600 // rows_each
    person = np.repeat(np.arange(people), rows_each)
    found, y, score = auc_world(person, 0.0 if rows_each == 1 else 0.3)
    rng = np.random.default_rng(3)
    draws = []
    for _ in range(400):
        drawn = rng.integers(0, people, people)
        rows = (drawn[:, None] * rows_each + np.arange(rows_each)).ravel()
        draws.append(roc_auc_score(y[rows] == 2, score[rows]))
    assert half(found.after) == pytest.approx(1.96 * np.std(draws), rel=0.25)


def test_an_error_has_the_width_that_resampled_rows_show() -> None:
    rng = np.random.default_rng(4)
    target = rng.normal(0, 1, 800)
    made = target + rng.normal(0, 2, 800)
    population = population_of(split_of(np.zeros(800, int), target=target), (), (), task="regression")
    found = evaluate(None, values(made), population).of("overall", "mean absolute error")
    draws = [mean_absolute_error(target[rows], made[rows]) for rows in (rng.integers(0, 800, 800) for _ in range(400))]
    assert half(found.after) == pytest.approx(1.96 * np.std(draws), rel=0.15)


def test_a_metric_that_did_not_change_still_has_an_interval() -> None:
    before, _, split = three_classes()
    rules = [rule(**said) for said, _ in RULES.values()]
    found = evaluate(before, before, population_of(split), rules)
    for metric in RULES:
        worsening = found.of("overall", metric).worsening
        assert not isinstance(worsening, NotMeasurable | None)
        low, high = worsening.bounds(0.95)
        assert low < 0 == worsening.value < high


def test_what_people_contributed_adds_up_to_the_change() -> None:
    before, after, split = three_classes()
    rules = [rule(**said) for said, _ in RULES.values()]
    found = evaluate(before, after, population_of(split), rules)
    for metric in ("F1 of V", "balanced accuracy", "macro F1"):
        answers = found.of("overall", metric)
        assert answers.moved is not None
        assert answers.moved.changed is None
        assert not isinstance(answers.worsening, NotMeasurable | None)
        assert answers.moved.change.sum() == pytest.approx(answers.worsening.value * len(split))


@pytest.mark.parametrize(
    ("after", "people", "why"),
    [
        ([1.0], None, "the change of a single row"),
        ([1.0, 2.5, 1.5], [0, 0, 0], "the change of a single person"),
        ([0.3, 0.3, 0.3], [0, 1, 2], "changes that are all alike"),
        ([0.3, 0.3, 0.3], None, "changes that are all alike"),
    ],
)
def test_changes_without_spread_are_not_measurable(after: list[float], people: list[int] | None, why: str) -> None:
    """Two rows that changed alike would otherwise break any limit, and surely."""
    target = np.arange(len(after), dtype=float)
    subjects = None if people is None else people_of(np.array(people))
    population = population_of(split_of([0] * len(after), subjects, target=target), (), (), task="regression")
    found = evaluate(values(target), values(target + after), population).of("overall", "mean absolute error")
    assert isinstance(found.worsening, NotMeasurable)
    assert found.worsening.reason.startswith(why)
    assert found.worsening.rows == len(after)
    assert not isinstance(found.after, NotMeasurable)


def confident(probability: np.ndarray) -> Predictions:
    return Predictions(np.stack([1 - probability, probability], axis=1).astype(np.float32), 0.0, "float")


def test_chance_alone_neither_breaks_nor_keeps_a_limit_of_calibration() -> None:
    """The float model is calibrated. The device is too, or is overconfident by 0.038."""
    rng = np.random.default_rng(5)
    asks = rule(metric="expected_calibration_error", max=0.05)
    broken = kept = 0
    for _ in range(60):
        logit = rng.normal(0, 2, 300)
        odds = 1 / (1 + np.exp(-logit))
        y = (rng.random(300) < odds).astype(int)
        device = confident(1 / (1 + np.exp(-1.3 * logit)))
        few = split_of(y[:30])
        alone = evaluate(None, confident(odds[:30]), population_of(few, ("a", "b"), ()), [asks])
        both = evaluate(confident(odds), device, population_of(split_of(y), ("a", "b"), ()), [asks])
        name = "expected calibration error"
        error, rise = alone.of("overall", name).after, both.of("overall", name).worsening
        assert not isinstance(error, NotMeasurable | None)
        assert not isinstance(rise, NotMeasurable | None)
        broken += error.bounds(0.95)[0] > 0.05
        kept += rise.bounds(0.95)[1] < 0.038
    assert broken <= 3
    assert kept <= 3


def test_scores_must_have_been_counted() -> None:
    before, after, split = three_classes(50)
    cells = evaluate(before, after, population_of(split)).cells
    auc = metrics_for(population_of(split), [rule(metric="auc", class_="V", min=0.5)])[-1]
    with pytest.raises(ValueError, match="needs cells that were counted with scores"):
        smooth_answers(ByPerson(cells, cells.groups_of("sex")), auc)
