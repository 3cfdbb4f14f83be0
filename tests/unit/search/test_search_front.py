"""Which trials go on: against definitions applied one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audit_pipeline.search.front import best, crowding, fronts

costs = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 5).map(float))


def beats(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one <= other).all() and (one < other).any())


@given(costs)
def test_each_front_is_what_nothing_left_beats(given_costs: np.ndarray) -> None:
    left = set(range(len(given_costs)))
    for front in fronts(given_costs):
        expected = {
            one for one in left if not any(beats(given_costs[other], given_costs[one]) for other in left - {one})
        }
        assert set(front.tolist()) == expected
        left -= expected
    assert not left


@given(costs, st.integers(0, 12))
def test_nothing_is_kept_while_what_beats_it_is_dropped(given_costs: np.ndarray, many: int) -> None:
    kept = best(given_costs, many)
    assert len(kept) == min(many, len(given_costs))
    for one in kept:
        for other in range(len(given_costs)):
            assert other in kept or not beats(given_costs[other], given_costs[one])


def test_of_a_crowded_front_the_ends_and_the_loneliest_stay() -> None:
    line = np.array([[0, 10], [1, 9], [2, 8], [6, 4], [10, 0]], dtype=np.float64)
    assert best(line, 3) == [0, 3, 4]
    assert np.isinf(crowding(line)[[0, 4]]).all()


def test_nobody_is_chosen_of_nobody() -> None:
    assert best(np.empty((0, 2)), 3) == []
