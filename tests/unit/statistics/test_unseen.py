"""People who are not in the sample bound how sure a broken limit can be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from audit_pipeline.statistics.unseen import p_unseen


def test_people_who_are_all_harmed_alike_are_as_likely_as_that_kind_makes_them() -> None:
    assert p_unseen(np.full(8, 10), np.full(8, 100), 0.08) == pytest.approx(0.8**8)


def test_a_sample_that_keeps_the_limit_is_explained_by_itself() -> None:
    assert p_unseen(np.array([1, 9]), np.array([100, 100]), 0.05) == 1.0


def test_nobody_unharmed_explains_harm_beyond_none() -> None:
    assert p_unseen(np.array([1, 2]), np.array([10, 10]), 0.0) == 0.0


def test_people_who_were_helped_explain_it() -> None:
    assert 0 < p_unseen(np.array([5, 5, -1]), np.array([10, 10, 10]), 0.0) < 1


@pytest.mark.parametrize("harmed", [[6, 9, 12, 30], [2, 0, 1, 30], [8, 8, 20, 25]])
def test_it_is_the_likelihood_of_the_best_distribution_that_keeps_the_limit(harmed: list[int]) -> None:
    rates, limit = np.array(harmed) / 100, 0.05

    def unlikelihood(weights: np.ndarray) -> float:
        return -float(np.log(np.maximum(weights, 1e-300) * len(rates)).sum())

    best = minimize(
        unlikelihood,
        np.full(len(rates), 0.1),
        bounds=[(1e-6, 1)] * len(rates),
        constraints=[
            {"type": "ineq", "fun": lambda weights: 1 - weights.sum()},  # the rest is people without harm
            {"type": "ineq", "fun": lambda weights: limit - weights @ rates},
        ],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    found = p_unseen(np.array(harmed), np.full(len(rates), 100), limit)
    assert found == pytest.approx(np.exp(-best.fun), rel=0.01)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(50, 90)), min_size=1, max_size=12), st.floats(0, 1))
def test_it_is_a_probability(people: list[tuple[int, int]], limit: float) -> None:
    harmed, rows = map(np.array, zip(*people, strict=True))
    assert 0 <= p_unseen(harmed, rows, limit) <= 1 + 1e-12
