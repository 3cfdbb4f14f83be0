"""The one-run bound of epsilon, against published values, another formula's program, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from audit_pipeline.privacy.one_run import ceiling, epsilon_lower_bound, guesses_for, p_value
from audit_pipeline.privacy.one_run_power import canaries_needed, would_be_noticed


@pytest.mark.parametrize(
    ("canaries", "guesses", "correct", "delta", "published"),
    [(1000, 100, 75, 1e-4, 0.673), (100_000, 1510, 1439, 1e-5, 2.675)],
)
def test_the_bound_is_that_of_the_paper(
    canaries: int, guesses: int, correct: int, delta: float, published: float
) -> None:
    """Appendix D, and figure 11 in section 7, whose last digit is cut rather than rounded."""
    found = epsilon_lower_bound(canaries, guesses, correct, delta=delta, level=0.95)
    assert found == pytest.approx(published, abs=1e-3)


def test_a_perfect_attack_on_a_thousand_canaries_has_the_closed_form() -> None:
    share = 0.05 ** (1 / 1000)
    assert ceiling(1000, 1000, delta=0.0, level=0.95) == pytest.approx(math.log(share / (1 - share)), abs=1e-9)
    assert round(ceiling(1000, 1000, delta=0.0, level=0.95), 2) == 5.81


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int]:
    canaries = draw(st.integers(2, 400))
    guesses = draw(st.integers(1, canaries))
    return canaries, guesses, draw(st.integers(0, guesses))


@given(counts(), st.floats(0, 6), st.sampled_from([0.0, 1e-6, 1e-4, 1e-2]))
def test_the_p_value_is_the_sum_it_is_defined_as(drawn: tuple[int, int, int], epsilon: float, delta: float) -> None:
    canaries, guesses, correct = drawn
    chance = 1 / (1 + math.exp(-epsilon))
    mass = [math.comb(guesses, k) * chance**k * (1 - chance) ** (guesses - k) for k in range(guesses + 1)]
    slack = [math.fsum(mass[max(correct - i, 0) : correct]) / i for i in range(1, canaries + 1)]
    expected = math.fsum(mass[correct:]) + 2 * canaries * delta * max(slack)
    assert p_value(canaries, guesses, correct, epsilon, delta=delta) == pytest.approx(min(expected, 1), abs=1e-9)


@given(counts(), st.sampled_from([0.0, 1e-5, 1e-3]))
def test_whatever_lies_below_the_bound_is_refuted_and_the_bound_is_the_last(
    drawn: tuple[int, int, int], delta: float
) -> None:
    canaries, guesses, correct = drawn
    bound = epsilon_lower_bound(canaries, guesses, correct, delta=delta, level=0.95)
    assert p_value(canaries, guesses, correct, bound + 1e-6, delta=delta) >= 0.05 - 1e-9
    for below in np.linspace(0, bound, 5)[:-1] if bound else ():
        assert p_value(canaries, guesses, correct, float(below), delta=delta) < 0.05


@given(counts())
def test_delta_and_confidence_only_lower_the_bound(drawn: tuple[int, int, int]) -> None:
    canaries, guesses, correct = drawn
    pure = epsilon_lower_bound(canaries, guesses, correct, delta=0.0, level=0.95)
    assert epsilon_lower_bound(canaries, guesses, correct, delta=1e-3, level=0.95) <= pure + 1e-9
    assert epsilon_lower_bound(canaries, guesses, correct, delta=0.0, level=0.99) <= pure + 1e-9


def test_guesses_no_better_than_coins_prove_nothing() -> None:
    assert epsilon_lower_bound(1000, 904, 452, delta=0.0, level=0.95) == 0.0


@pytest.mark.parametrize(("canaries", "guesses", "correct"), [(10, 11, 3), (10, 5, 6), (10, 0, 0), (10, 5, -1)])
def test_impossible_counts_are_refused(canaries: int, guesses: int, correct: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        epsilon_lower_bound(canaries, guesses, correct, delta=0.0, level=0.95)


@pytest.mark.parametrize("canaries", [20, 100, 1000, 50_000])
def test_the_usual_guesses_cost_a_perfect_attack_nothing(canaries: int) -> None:
    """All are right unless fewer canaries than half of the guesses are on one side."""
    half = guesses_for(canaries) // 2
    assert 2 * half <= canaries
    assert 2 * binom.cdf(half - 1, canaries, 0.5) < 0.004


@pytest.mark.parametrize("limit", [0.5, 1.0, 3.0, 5.0])
def test_as_many_canaries_as_are_asked_for_would_notice_twice_the_limit(limit: float) -> None:
    count = canaries_needed(limit, delta=0.0, level=0.9875)
    assert count is not None
    guesses = guesses_for(count)
    assert would_be_noticed(count, guesses, limit, delta=0.0, level=0.9875)
    right = np.random.default_rng(5).binomial(guesses, 1 / (1 + math.exp(-2 * limit)), 400)
    bounds = [epsilon_lower_bound(count, guesses, int(v), delta=0.0, level=0.9875) for v in np.unique(right)]
    noticed = np.isin(right, np.unique(right)[np.array(bounds) > limit]).mean()
    assert noticed >= 0.74


def test_no_number_of_canaries_reaches_any_epsilon() -> None:
    assert canaries_needed(12.0, delta=0.0, level=0.95) is None
    assert canaries_needed(8.0, delta=1e-4, level=0.95) is None
