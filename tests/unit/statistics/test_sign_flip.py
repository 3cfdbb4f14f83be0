"""Flipping signs person by person: exact, joint over columns, and McNemar's test where rows are independent."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from audit_pipeline.statistics.sign_flip import p_changed, p_worse, sign_flips

CHANGES = st.lists(st.integers(-6, 6), min_size=1, max_size=9).map(np.array)
MATRICES = st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 10_000)).map(
    lambda drawn: np.random.default_rng(drawn[2]).integers(-3, 4, drawn[:2])
)


def by_definition(changes: np.ndarray) -> tuple[list[float], list[float]]:
    """Raw p-values, and those of closed testing with the largest statistic of every set of columns."""
    columns = range(changes.shape[1])
    squares = np.sqrt((changes.astype(float) ** 2).sum(axis=0))
    scale = np.where(squares > 0, squares, 1)
    flips = np.array([np.abs(np.array(signs) @ changes) / scale for signs in product((1, -1), repeat=len(changes))])
    observed = flips[0]

    def p(columns: list[int]) -> float:
        return float(np.mean(flips[:, columns].max(axis=1) >= observed[columns].max() - 1e-9))

    sets = [[c for c in columns if mask >> c & 1] for mask in range(1, 2 ** len(columns))]
    changed = [[c for c in some if squares[c] > 0] for some in sets]
    adjusted = [max(p(some) for some in changed if c in some) if squares[c] > 0 else 1.0 for c in columns]
    return [p([c]) for c in columns], adjusted


@given(MATRICES)
def test_all_sign_patterns_give_closed_testing_by_brute_force(changes: np.ndarray) -> None:
    found = sign_flips(changes, seed=0)
    raw, adjusted = by_definition(changes)
    assert found.exact
    assert found.raw == pytest.approx(raw)
    assert found.adjusted == pytest.approx(adjusted)


@given(CHANGES)
def test_the_exact_distribution_equals_trying_every_sign(changes: np.ndarray) -> None:
    sums = np.array([np.dot(signs, np.abs(changes)) for signs in product((1, -1), repeat=len(changes))])
    assert p_worse(changes) == pytest.approx(np.mean(sums >= changes.sum()))
    assert p_changed(changes) == pytest.approx(np.mean(np.abs(sums) >= abs(changes.sum())))


def test_many_people_agree_with_scipy() -> None:
    changes = np.random.default_rng(2).integers(-3, 5, 200)
    drawn = permutation_test(
        (changes,), np.sum, permutation_type="samples", n_resamples=20_000, alternative="greater", rng=1
    )
    assert p_worse(changes) == pytest.approx(drawn.pvalue, abs=0.005)


@given(st.integers(0, 60), st.integers(0, 60))
def test_one_row_a_person_is_mcnemars_test(worse: int, better: int) -> None:
    changes = np.array([1] * worse + [-1] * better + [0] * 5)
    expected = binomtest(worse, worse + better).pvalue if worse + better else 1.0
    assert p_changed(changes) == pytest.approx(expected, rel=1e-9)


def test_counted_patterns_are_the_rows_one_by_one() -> None:
    patterns = np.array([[1, 0], [1, 1], [-1, 1], [0, 0]])
    repeats = np.array([5, 3, 2, 900])
    counted, one_by_one = sign_flips(patterns, repeats, seed=0), sign_flips(np.repeat(patterns, repeats, 0), seed=0)
    assert counted.exact
    assert np.array_equal(counted.adjusted, one_by_one.adjusted)
    assert np.array_equal(counted.raw, one_by_one.raw)


def test_drawn_signs_come_close_to_the_exact_test() -> None:
    found = sign_flips(np.array([[1], [-1]]), np.array([620, 540]), seed=3)
    assert not found.exact
    assert found.raw[0] == pytest.approx(binomtest(620, 1160).pvalue, abs=0.006)


def test_drawn_p_values_are_never_zero_and_repeat_with_their_seed() -> None:
    changes = np.ones((40, 2), dtype=np.int64)
    found = sign_flips(changes, seed=4, replicates=99)
    assert found.raw.tolist() == [0.01, 0.01]
    assert np.array_equal(found.adjusted, sign_flips(changes, seed=4, replicates=99).adjusted)


def test_columns_without_change_have_p_one_and_cost_the_others_nothing() -> None:
    changes = np.random.default_rng(5).integers(-1, 3, (12, 3))
    beside = np.hstack([changes, np.zeros((12, 50), dtype=np.int64)])
    assert np.array_equal(sign_flips(beside, seed=0).adjusted[:3], sign_flips(changes, seed=0).adjusted)
    assert np.all(sign_flips(beside, seed=0).adjusted[3:] == 1)


@pytest.mark.parametrize("changes", [np.zeros((0, 3)), np.zeros((4, 3)), np.zeros((4, 0))])
def test_nothing_changed_at_all(changes: np.ndarray) -> None:
    assert np.all(sign_flips(changes, seed=0).adjusted == 1)


def test_one_person_proves_nothing() -> None:
    assert p_changed(np.array([500])) == 1
    assert sign_flips(np.array([[500, 3]]), seed=0).adjusted.tolist() == [1, 1]


def test_the_familywise_error_is_the_promised_one_however_columns_overlap() -> None:
    """30 people whose rows change in clumps, 12 overlapping columns, no systematic change: any adjusted p ≤ 0.05."""
    rng = np.random.default_rng(6)
    false = 0
    for _ in range(400):
        clumps = rng.poisson(2.0, (30, 1)) * rng.choice([-1, 1], (30, 1))
        columns = clumps * (rng.random((30, 12)) < 0.5)
        false += sign_flips(columns, seed=int(rng.integers(1 << 30)), replicates=199).adjusted.min() <= 0.05
    assert false / 400 <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 400)
