"""Coins guessed from what a model says of canaries."""

from __future__ import annotations

import numpy as np
import pytest

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.privacy.canaries.record import Canaries
from audit_pipeline.privacy.canaries.scoring import above_label, audit_canaries, right_guesses
from audit_pipeline.privacy.one_run import ceiling, guesses_for


def memory_of(coins: np.ndarray, guesses: int | None = None) -> Canaries:
    """Canaries of a record whose rows do not matter."""
    count = len(coins)
    rows = Split(np.zeros((count, 1), np.float32), np.zeros(count, np.int64), {}, None)
    return Canaries("0" * 64, "0" * 64, rows, coins, guesses or guesses_for(count))


def test_guesses_are_counted_from_both_ends() -> None:
    coins = np.array([True, False, True, False, True, False])
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    assert right_guesses(scores, coins, 2) == 2
    assert right_guesses(scores, coins, 4) == 2  # 5 in, 4 in; 0 out, 1 out: the first and the last are right
    assert right_guesses(scores, coins, 6) == 4
    assert right_guesses(-scores, coins, 2) == 0


def test_how_readily_a_class_is_given_is_taken_out() -> None:
    """One class's scores lie above the other's whatever the coin, which raw scores would be guessed by."""
    random = np.random.default_rng(0)
    coins, y = random.integers(0, 2, 400).astype(bool), random.integers(0, 2, 400)
    scores = 10.0 * y + coins
    assert right_guesses(above_label(scores, y), coins, 320) == 320
    assert right_guesses(scores, coins, 320) < 280
    assert above_label(np.array([3.0, 5.0, 7.0]), np.array([4, 4, 9])).tolist() == [-1.0, 1.0, 0.0]


def test_a_score_that_is_no_number_is_an_error_and_not_a_guess() -> None:
    coins = np.tile([True, False], 10)
    with pytest.raises(InputError, match="device model's logits of a canary is no finite number"):
        audit_canaries(memory_of(coins), {("device", "logits"): np.full(20, np.nan)}, level=0.95, delta=0.0)
    with pytest.raises(ValueError, match="as many scores"):
        right_guesses(np.zeros(3), coins, 2)


def test_a_memoriser_reaches_the_ceiling_and_a_stranger_proves_nothing() -> None:
    random = np.random.default_rng(0)
    coins = random.integers(0, 2, 1000).astype(bool)
    canaries = memory_of(coins)
    knows = 4.0 * coins + random.normal(0, 0.5, 1000)
    phi = {("float", "output"): random.normal(size=1000), ("device", "output"): knows}
    stranger, memoriser = audit_canaries(canaries, phi, level=0.95, delta=0.0)
    assert stranger.epsilon < 0.3
    assert memoriser.correct == memoriser.guesses == canaries.guesses
    assert memoriser.epsilon == memoriser.ceiling == ceiling(1000, canaries.guesses, delta=0.0, level=0.975)
    assert memoriser.record_sha256 == canaries.sha256


def test_the_level_is_shared_between_all_models_and_signals() -> None:
    coins = np.random.default_rng(1).integers(0, 2, 100).astype(bool)
    one = {("device", "output"): coins.astype(float)}
    four = {(model, signal): coins.astype(float) for model in ("float", "device") for signal in ("output", "logits")}
    (alone,) = audit_canaries(memory_of(coins), one, level=0.95, delta=0.0)
    together = audit_canaries(memory_of(coins), four, level=0.95, delta=0.0)
    assert alone.level == pytest.approx(0.95)
    assert [part.level for part in together] == pytest.approx([1 - 0.05 / 4] * 4)
    assert together[0].ceiling < alone.ceiling


def test_a_model_that_leaks_nothing_is_seldom_said_to_leak() -> None:
    """With all scores tied, guesses go by place, which knows nothing of the coins."""
    random = np.random.default_rng(7)
    bounds = []
    for _ in range(200):
        coins = random.integers(0, 2, 100).astype(bool)
        phi = {("device", "output"): np.zeros(100), ("float", "output"): random.normal(size=100)}
        bounds.append(max(part.epsilon for part in audit_canaries(memory_of(coins), phi, level=0.95, delta=0.0)))
    assert np.mean(np.array(bounds) > 0) <= 0.08
