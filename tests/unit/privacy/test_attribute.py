"""Attribute inference: what the outputs tell of a group, beyond what class and other groups tell."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import AttributeRule
from audit_pipeline.predictions import Predictions, Task
from audit_pipeline.privacy.attribute import attribute
from audit_pipeline.privacy.judge_attribute import judge_attribute
from audit_pipeline.privacy.logistic import fit_logistic
from audit_pipeline.privacy_part import AttributePart

STEP = 1 / 256


def world(
    seed: int, people: int, rows: int, leak: float, *, named: bool = True, told: float = 0.0
) -> tuple[Predictions, Split]:
    """Outputs of three classes that rise by `leak` for one sex; a share `told` of people have it as another column."""
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), rows)
    sex = (np.arange(people) % 2)[who]
    hint = np.where(random.uniform(size=people)[who] < told, sex, random.integers(0, 2, people)[who])
    y = random.integers(0, 3, people * rows)
    z = random.normal(size=(len(y), 3)) + 2 * np.eye(3)[y]
    z[:, 0] += leak * sex
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    groups = {"sex": np.where(sex == 1, "f", "m"), "hint": hint.astype(str)}
    split = Split(np.zeros((len(y), 1), np.float32), y, groups, who.astype(str) if named else None)
    return Predictions((np.clip(np.round(p / STEP), 0, 255) * STEP).astype(np.float32), STEP, "device"), split


def attack(members: tuple[Predictions, Split], others: tuple[Predictions, Split], column: str = "sex"):
    return attribute("device", members[0], others[0], members[1], others[1], column, seed=1, level=0.95)


def test_what_the_outputs_tell_is_the_gain_and_what_the_columns_tell_is_not() -> None:
    leaking, silent = world(0, 120, 10, 3.0), world(1, 120, 10, 0.0, told=0.9)
    members, others = attack(leaking, silent)
    assert (members.people, others.people) == ("members", "non-members")
    assert isinstance(members.gain, Measured)
    assert isinstance(others.gain, Measured)
    assert members.gain.interval is not None
    assert members.gain.interval.low > 0.1
    assert members.gain.subjects == 120
    assert isinstance(others.without, Measured)
    assert others.without.estimate > 0.9  # by the other column alone
    assert abs(others.gain.estimate) < 0.02


def test_the_gain_is_the_difference_of_the_two_guesses() -> None:
    for part in attack(world(2, 60, 5, 1.0), world(3, 60, 5, 1.0, named=False)):
        assert part.gain.estimate == pytest.approx(part.with_model.estimate - part.without.estimate, abs=1e-12)


def test_halves_hold_whole_people_so_that_nobody_is_learnt_by_heart() -> None:
    """Outputs that name the person tell nothing of a person who was not met."""
    random = np.random.default_rng(0)
    who = np.repeat(np.arange(200), 5)
    split = Split(
        np.zeros((1000, 1), np.float32),
        np.zeros(1000, np.int64),
        {"sex": random.integers(0, 2, 200)[who].astype(str)},
        who.astype(str),
    )
    outputs = np.repeat(random.normal(size=(200, 40)), 5, axis=0).astype(np.float32)
    predictions = Predictions(outputs, 0.0, "float", Task.CLASSIFICATION)
    (members, _) = attack((predictions, split), (predictions, split))
    assert abs(members.gain.estimate) < 0.1


def test_without_a_leak_the_interval_seldom_leaves_zero() -> None:
    above = 0
    for seed in range(60):
        given = world(seed, 30, 8, 0.0)
        members = attack(given, given)[0]
        above += members.gain.interval.low > 0
    assert above <= 4


def test_a_spec_of_two_columns_is_guessed_without_either() -> None:
    members, _ = attack(world(0, 80, 5, 3.0), world(1, 80, 5, 0.0), "sex*hint")
    assert isinstance(members.gain, Measured)
    assert members.without.estimate < 0.4  # of four values, by the class alone


@pytest.mark.parametrize(
    ("people", "rows", "change", "reason"),
    [
        (6, 20, {}, "there is nothing to guess: 0 of its values"),
        (8, 2, {}, "16 rows are too few"),
        (40, 5, {"sex": np.full(200, "f")}, "there is nothing to guess: 1 of its values"),
        (40, 5, {"sex": np.full(200, "unknown")}, "there is nothing to guess: 0 of its values"),
    ],
)
def test_too_little_to_guess_has_a_reason(people: int, rows: int, change: dict[str, np.ndarray], reason: str) -> None:
    predictions, split = world(0, people, rows, 1.0)
    split = Split(split.x, split.y, {**split.groups, **change}, split.subjects)
    part = attack((predictions, split), (predictions, split))[0]
    assert isinstance(part.gain, NotMeasurable)
    assert reason in part.gain.reason


@pytest.mark.parametrize(("value", "reason"), [(0.5, "the same output for every row"), (np.nan, "no finite numbers")])
def test_a_model_that_says_nothing_has_a_reason(value: float, reason: str) -> None:
    predictions, split = world(0, 40, 5, 1.0)
    silent = Predictions(np.full_like(predictions.scores, value), STEP, "device")
    part = attack((silent, split), (silent, split))[0]
    assert isinstance(part.gain, NotMeasurable)
    assert reason in part.gain.reason


def test_rows_whose_value_is_unknown_are_left_out() -> None:
    predictions, split = world(0, 40, 5, 1.0)
    hidden = np.where(np.arange(200) < 50, "unknown", split.groups["sex"])
    split = Split(split.x, split.y, {**split.groups, "sex": hidden}, split.subjects)
    assert attack((predictions, split), (predictions, split))[0].gain.rows == 150


def test_the_regression_is_that_of_another_implementation() -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=(300, 5)) * [1, 10, 0.1, 1, 1] + 3
    x[:, 4] = 2.0  # says nothing and has no deviation
    kinds = (x[:, 0] + 0.1 * x[:, 1] + random.normal(size=300) > 6.5).astype(int) + (x[:, 2] > 3.1)
    fitted = fit_logistic(x, kinds, 3)
    scaled = (x - fitted.centre) / fitted.scale
    weight = (len(x) / (3 * np.bincount(kinds)))[kinds]
    other = LogisticRegression(C=1.0, max_iter=2000, tol=1e-10).fit(scaled, kinds, sample_weight=weight)
    np.testing.assert_allclose(fitted.weights[:-1].T, other.coef_, atol=2e-3)
    np.testing.assert_array_equal(fitted.guess(x), other.predict(scaled))


def parts(leak: float, people: int = 200) -> list[AttributePart]:
    return [*attack(world(0, people, 10, leak), world(1, people, 10, leak))]


def rule(limit: float, column: str = "sex") -> AttributeRule:
    return AttributeRule(attack="attribute", column=column, max_gain=limit)


@pytest.mark.parametrize(
    ("leak", "people", "limit", "outcome"),
    [
        (4.0, 200, 0.1, Outcome.FAIL),
        (0.0, 200, 0.1, Outcome.PASS),
        (1.5, 20, 0.1, Outcome.INCONCLUSIVE),
        (1.5, 6, 0.1, Outcome.INCONCLUSIVE),
    ],
)
def test_the_interval_decides(leak: float, people: int, limit: float, outcome: Outcome) -> None:
    finding = judge_attribute(rule(limit), "privacy[2]", parts(leak, people))
    assert finding.outcome is outcome
    assert finding.id == "privacy.attribute.gain:sex"
    assert finding.group.by == ("sex",)
    if people > 6:
        assert "of people not trained on the gain is" in finding.reason


def test_a_column_that_was_not_attacked_has_no_answer() -> None:
    finding = judge_attribute(rule(0.1, "age"), "privacy[0]", parts(0.0, 20), ["shadows are missing"])
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "shadows are missing" in finding.reason
