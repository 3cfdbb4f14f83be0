"""Adjusting for many questions, against closed testing by brute force."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.statistics.multiplicity import holm

P = st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.05, 1.0])


def closed_testing(p_values: list[float]) -> list[float]:
    """Marcus, Peritz & Gabriel (1976) with Bonferroni: a question's p is the worst of all the sets that hold it."""
    numbers = range(len(p_values))
    subsets = list(chain.from_iterable(combinations(numbers, size) for size in range(1, len(p_values) + 1)))
    return [
        max(min(1.0, len(subset) * min(p_values[n] for n in subset)) for subset in subsets if own in subset)
        for own in numbers
    ]


@given(st.lists(P, min_size=1, max_size=5))
def test_holm_is_closed_testing_with_bonferroni(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(closed_testing(p_values))


@given(st.lists(P, max_size=40))
def test_order_does_not_matter(p_values: list[float]) -> None:
    order = np.random.default_rng(len(p_values)).permutation(len(p_values))
    assert np.array_equal(holm(np.array(p_values)[order]), holm(p_values)[order])


def test_no_question_has_no_answer() -> None:
    assert holm([]).shape == (0,)


def test_as_many_false_alarms_as_promised_and_no_more() -> None:
    """All questions null and independent: P(any adjusted ≤ α) = 1 − (1 − α/m)^m."""
    rng = np.random.default_rng(1)
    alarms = np.mean([holm(rng.random(20)).min() <= 0.05 for _ in range(4000)])
    assert alarms == pytest.approx(1 - (1 - 0.05 / 20) ** 20, abs=0.012)
