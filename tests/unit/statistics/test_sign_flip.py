"""Flipping signs person by person: exact for few people, joint over columns."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from audit_pipeline.statistics.sign_flip import sign_flips

MATRICES = st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 10_000)).map(
    lambda drawn: np.random.default_rng(drawn[2]).integers(-3, 4, drawn[:2]).astype(float)
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
    found = sign_flips(changes, seed=0, replicates=99)
    raw, adjusted = by_definition(changes)
    assert found.exact
    assert found.raw == pytest.approx(raw)
    assert found.adjusted == pytest.approx(adjusted)


def test_many_people_agree_with_scipy() -> None:
    changes = np.random.default_rng(2).integers(-3, 5, 200).astype(float)
    drawn = permutation_test((changes,), np.sum, permutation_type="samples", n_resamples=20_000, rng=1)
    found = sign_flips(changes[:, None], seed=3, replicates=20_000)
    assert not found.exact
    assert found.raw[0] == pytest.approx(drawn.pvalue, abs=0.005)


@pytest.mark.parametrize(("worse", "better"), [(9, 3), (16, 0), (5, 5), (620, 540)])
def test_one_row_a_person_is_mcnemars_test(worse: int, better: int) -> None:
    changes = np.array([1.0] * worse + [-1.0] * better + [0.0] * 5)[:, None]
    found = sign_flips(changes, seed=3, replicates=9999)
    assert found.exact == (worse + better <= 16)
    assert found.raw[0] == pytest.approx(binomtest(worse, worse + better).pvalue, abs=0 if found.exact else 0.006)


def test_drawn_p_values_are_never_zero_and_repeat_with_their_seed() -> None:
    changes = np.ones((40, 2))
    found = sign_flips(changes, seed=4, replicates=99)
    assert found.raw.tolist() == [0.01, 0.01]
    assert np.array_equal(found.adjusted, sign_flips(changes, seed=4, replicates=99).adjusted)


def test_columns_without_change_have_p_one_and_cost_the_others_nothing() -> None:
    changes = np.random.default_rng(5).integers(-1, 3, (12, 3)).astype(float)
    beside = np.hstack([changes, np.zeros((12, 50))])
    assert np.array_equal(
        sign_flips(beside, seed=0, replicates=99).adjusted[:3], sign_flips(changes, seed=0, replicates=99).adjusted
    )
    assert np.all(sign_flips(beside, seed=0, replicates=99).adjusted[3:] == 1)


@pytest.mark.parametrize("changes", [np.zeros((0, 3)), np.zeros((4, 3)), np.zeros((4, 0))])
def test_nothing_changed_at_all(changes: np.ndarray) -> None:
    assert np.all(sign_flips(changes, seed=0, replicates=99).adjusted == 1)


def test_one_person_proves_nothing() -> None:
    assert sign_flips(np.array([[500.0, 3.0]]), seed=0, replicates=99).adjusted.tolist() == [1, 1]


def test_the_familywise_error_is_the_promised_one_however_columns_overlap() -> None:
    """30 people whose rows change in clumps, 12 overlapping columns, no systematic change: any adjusted p ≤ 0.05."""
    rng = np.random.default_rng(6)
    false = 0
    for _ in range(400):
        clumps = rng.poisson(2.0, (30, 1)) * rng.choice([-1, 1], (30, 1))
        columns = clumps * (rng.random((30, 12)) < 0.5)
        false += sign_flips(columns, seed=int(rng.integers(1 << 30)), replicates=199).adjusted.min() <= 0.05
    assert false / 400 <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 400)
