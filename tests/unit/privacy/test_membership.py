"""The losses-only membership attack."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import MembershipRule
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.judge import judge
from audit_pipeline.privacy.membership import halves, membership
from audit_pipeline.privacy.signals import sureness

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=40)
STEP = 1 / 256


def side(p: np.ndarray, people: np.ndarray | None = None, step: float = 0.0) -> tuple[Predictions, Split]:
    p = np.asarray(p, dtype=np.float32)
    if step:
        p = (np.clip(np.round(p / step), 0, 255) * step).astype(np.float32)
    y = np.zeros(len(p), dtype=np.int64)
    split = Split(np.zeros((len(p), 1), np.float32), y, {"sex": np.array(["f", "m"])[np.arange(len(p)) % 2]}, people)
    return Predictions(np.stack([p, 1 - p], axis=1), step, "float"), split


def attack(members: np.ndarray, others: np.ndarray, *, fpr: float = 0.1, step: float = 0.0, people: int = 0):
    def names(rows: np.ndarray, prefix: str) -> np.ndarray | None:
        return np.char.add(prefix, (np.arange(len(rows)) % people).astype(str)) if people else None

    member_predictions, train = side(members, names(members, "m"), step)
    other_predictions, evaluation = side(others, names(others, "o"), step)
    return membership(
        "device", member_predictions, other_predictions, train, evaluation, ["overall", "sex"], fpr, 7, 0.95
    )


def outcome(parts, max_tpr: float = 0.2, fpr: float = 0.1) -> Outcome:
    rule = MembershipRule(attack="membership", fpr=fpr, max_tpr=max_tpr)
    (finding,) = judge([rule], parts, None)
    return finding.outcome


def test_probabilities_within_one_step_are_one_score() -> None:
    predictions, split = side(np.array([1.0, 0.999, 0.0]), step=STEP)
    phi = sureness(predictions, split, bounded=True)
    assert np.isfinite(phi).all()
    assert phi[0] == pytest.approx(np.log((255 * STEP + STEP / 2) / (1 - 255 * STEP + STEP / 2)))


def test_a_float_model_that_is_wholly_sure_has_a_finite_score() -> None:
    predictions, split = side(np.array([1.0, 0.0]))
    assert np.isfinite(sureness(predictions, split, bounded=True)).all()


@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.integers(0, 99))
def test_halves_never_part_a_person(rows: list[int], seed: int) -> None:
    people = np.repeat(np.arange(len(rows)), rows)
    first = halves(people, True, seed)
    assert all(len(set(first[people == person])) == 1 for person in range(len(rows)))
    assert abs(int(first.sum()) - int((~first).sum())) <= max(rows)


def test_a_memoriser_fails_and_the_number_is_right() -> None:
    rng = np.random.default_rng(1)
    parts = attack(np.full(400, 0.999), rng.uniform(0.2, 0.9, 400))
    assert [part.group.label for part in parts] == ["overall", "sex=f", "sex=m"]
    assert isinstance(parts[0].tpr, Measured)
    assert parts[0].tpr.estimate == 1.0
    assert parts[0].auc == 1.0
    assert outcome(parts) is Outcome.FAIL


def test_a_model_that_knows_nobody_passes() -> None:
    rng = np.random.default_rng(2)
    assert outcome(attack(rng.uniform(0, 1, 2000), rng.uniform(0, 1, 2000))) is Outcome.PASS


def test_saturated_outputs_give_no_threshold_to_interpolate() -> None:
    parts = attack(np.full(200, 1.0), np.full(200, 1.0), step=STEP)
    assert isinstance(parts[0].tpr, Measured)
    assert isinstance(parts[0].fpr, Measured)
    assert (parts[0].tpr.estimate, parts[0].fpr.estimate, parts[0].auc) == (0.0, 0.0, 0.5)


def test_ties_that_hide_a_leak_are_no_pass() -> None:
    """All members and 15 % of the others share the highest score: at 10 % none may be taken, but a coin takes most."""
    parts = attack(np.full(400, 1.0), np.r_[np.full(60, 1.0), np.full(340, 0.5)], step=STEP)
    assert isinstance(parts[0].tpr, Measured)
    assert parts[0].tpr.estimate == 0.0
    assert parts[0].tpr_with_coin == pytest.approx(2 / 3, abs=0.25)
    assert outcome(parts) is Outcome.INCONCLUSIVE


def test_without_ties_the_coin_adds_nothing() -> None:
    rng = np.random.default_rng(6)
    part = attack(rng.uniform(0, 1, 1000), rng.uniform(0, 1, 1000))[0]
    assert isinstance(part.tpr, Measured)
    assert part.tpr_with_coin == pytest.approx(part.tpr.estimate, abs=0.001)


@pytest.mark.parametrize("people", [0, 12])
@pytest.mark.parametrize("step", [0.0, STEP])
@pytest.mark.parametrize("rows", [50, 200, 1000])
def test_without_a_leak_a_fail_is_rare(rows: int, step: float, people: int) -> None:
    rng = np.random.default_rng(rows)
    runs = 150
    fails = 0
    for _ in range(runs):
        members, others = rng.beta(5, 0.3, (2, rows))
        fails += outcome(attack(members, others, step=step, people=people), max_tpr=0.1) is Outcome.FAIL
    assert fails / runs <= 0.05


def test_too_few_non_members_name_the_number_needed() -> None:
    rng = np.random.default_rng(3)
    parts = attack(rng.uniform(0, 1, 100), rng.uniform(0, 1, 150), fpr=0.01)
    assert isinstance(parts[0].tpr, NotMeasurable)
    assert "200 are needed" in parts[0].tpr.reason
    assert outcome(parts, fpr=0.01) is Outcome.INCONCLUSIVE


def test_too_few_members_decide_nothing() -> None:
    rng = np.random.default_rng(3)
    parts = attack(rng.uniform(0, 1, 19), rng.uniform(0, 1, 1000))
    assert isinstance(parts[0].tpr, NotMeasurable)
    assert "19 training rows are too few" in parts[0].tpr.reason


def test_a_group_that_one_side_lacks_decides_nothing() -> None:
    rng = np.random.default_rng(3)
    member_predictions, train = side(rng.uniform(0, 1, 100))
    other_predictions, evaluation = side(rng.uniform(0, 1, 100))
    evaluation = Split(evaluation.x, evaluation.y, {"sex": np.full(100, "unknown")}, None)
    parts = membership("float", member_predictions, other_predictions, train, evaluation, ["sex"], 0.1, 0, 0.95)
    assert [part.group.label for part in parts] == ["sex=f", "sex=m", "sex=unknown"]
    assert all(isinstance(part.tpr, NotMeasurable) and part.auc is None for part in parts)


def test_the_same_seed_gives_the_same_parts() -> None:
    rng = np.random.default_rng(4)
    members, others = rng.uniform(0, 1, (2, 500))
    assert attack(members, others, people=8) == attack(members, others, people=8)


def test_the_device_is_judged_and_the_float_model_named_beside_it() -> None:
    rng = np.random.default_rng(5)
    device = attack(rng.uniform(0, 1, 1000), rng.uniform(0, 1, 1000))
    on_float = [part.model_copy(update={"model": "float"}) for part in device]
    rule = MembershipRule(attack="membership", fpr=0.1, max_tpr=0.2, groups=("overall", "sex"))
    findings = judge([rule], [*on_float, *device], None)
    assert [finding.id for finding in findings] == [
        "privacy.membership.fpr=0.1:overall",
        "privacy.membership.fpr=0.1:sex=f",
        "privacy.membership.fpr=0.1:sex=m",
    ]
    assert all("a weak attack on the device's outputs" in finding.reason for finding in findings)
    assert all("; the float model gives 0." in finding.reason for finding in findings)


def test_a_class_that_is_easy_is_not_taken_for_members() -> None:
    """Members are of an easy class and strangers of a hard one; within a class nothing differs."""
    rng = np.random.default_rng(8)
    y = np.repeat([0, 1], 1000)
    p = np.where(y == 0, rng.uniform(0.8, 1, 2000), rng.uniform(0, 0.5, 2000)).astype(np.float32)
    scores = np.stack([np.where(y == 0, p, 1 - p), np.where(y == 0, 1 - p, p)], axis=1)
    member = rng.random(2000) < np.where(y == 0, 0.8, 0.2)

    def of(rows: np.ndarray) -> tuple[Predictions, Split]:
        columns = {"sex": np.full(int(rows.sum()), "f")}
        return Predictions(scores[rows], 0.0, "float"), Split(
            np.zeros((int(rows.sum()), 1), np.float32), y[rows], columns, None
        )

    (inside, train), (outside, evaluation) = of(member), of(~member)
    one, by_class = membership("device", inside, outside, train, evaluation, ["overall"], 0.1, 0, 0.95)
    assert (one.attack, by_class.attack) == ("losses", "losses_by_class")
    assert one.auc is not None and one.auc > 0.7
    assert by_class.auc == pytest.approx(0.5, abs=0.05)
    assert by_class.tpr.estimate == pytest.approx(0.1, abs=0.06)
