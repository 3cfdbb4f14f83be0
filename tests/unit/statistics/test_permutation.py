"""Dealing memberships again: against every deal there is, against Fisher's exact test, and false alarms counted."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from audit_pipeline.statistics.permutation import p_more_inside, p_more_rows_inside

RNG = np.random.default_rng(7)


def by_every_deal(hits: np.ndarray, rows: np.ndarray, inside: np.ndarray) -> float:
    def score(chosen: list[int]) -> float:
        could = rows[chosen].sum()
        expected = could * hits.sum() / rows.sum()
        return (hits[chosen].sum() - expected) / np.sqrt(could * (rows.sum() - could))

    seen = score(list(np.flatnonzero(inside)))
    scores = np.array([score(list(chosen)) for chosen in combinations(range(len(rows)), int(inside.sum()))])
    return float((scores >= seen - 1e-12).mean())


@pytest.mark.parametrize("case", range(6))
def test_it_is_the_share_of_all_deals_that_look_as_bad(case: int) -> None:
    rng = np.random.default_rng(case)
    rows = rng.integers(1, 40, 11)
    hits = rng.binomial(rows, 0.1)
    inside = np.arange(11) < rng.integers(2, 8)
    exact = by_every_deal(hits, rows, inside)
    drawn = p_more_inside(hits, rows, inside[:, None], seed=case)[0]
    assert drawn == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9999) + 2e-4)


def test_groups_are_answered_each_for_itself() -> None:
    rows = RNG.integers(1, 40, 15)
    hits = RNG.binomial(rows, 0.2)
    inside = np.stack([np.arange(15) < 4, np.arange(15) % 2 == 0], axis=1)
    together = p_more_inside(hits, rows, inside, seed=1)
    assert [p_more_inside(hits, rows, inside[:, [group]], seed=1)[0] for group in (0, 1)] == list(together)


def test_with_a_row_each_it_comes_to_fishers_exact_test() -> None:
    rows = np.ones(40, dtype=np.int64)
    hits = (np.arange(40) % 4 == 0).astype(np.int64)
    inside = np.arange(40) < 9
    by_rows = p_more_rows_inside(int(hits[inside].sum()), 9, 10, 40)
    assert p_more_inside(hits, rows, inside[:, None], seed=1)[0] == pytest.approx(by_rows, abs=0.02)


@pytest.mark.parametrize(
    ("hits", "rows", "overall", "total"), [(3, 9, 10, 40), (0, 5, 0, 9), (5, 5, 5, 50), (0, 5, 3, 9)]
)
def test_rows_are_tested_by_fisher(hits: int, rows: int, overall: int, total: int) -> None:
    table = [[hits, rows - hits], [overall - hits, total - rows - overall + hits]]
    expected = fisher_exact(table, alternative="greater").pvalue
    assert p_more_rows_inside(hits, rows, overall, total) == pytest.approx(expected)


def test_one_person_among_many_can_never_stand_out_further_than_one_in_so_many() -> None:
    hits = np.array([100, *[0] * 9])
    p = p_more_inside(hits, np.full(10, 100), (np.arange(10) == 0)[:, None], seed=1)[0]
    assert p == pytest.approx(1 / 10, abs=0.01)


def test_where_nothing_happened_nothing_is_found() -> None:
    rows = np.array([3, 5, 2, 8])
    assert p_more_inside(np.zeros(4, dtype=np.int64), rows, (np.arange(4) < 2)[:, None], seed=1)[0] == 1.0


@pytest.mark.parametrize("alike", [0.01, 0.1])
def test_people_who_differ_do_not_make_a_group_that_differs(alike: float) -> None:
    """The chance of a p-value up to 5 % is up to 5 %, though people have different rates and numbers of rows."""
    rng = np.random.default_rng(3)
    found = []
    for seed in range(400):
        rows = rng.integers(5, 300, 16)
        rate = rng.beta(0.03 * (1 / alike - 1), 0.97 * (1 / alike - 1), 16)
        inside = rng.permutation(16) < 6
        found.append(p_more_inside(rng.binomial(rows, rate), rows, inside[:, None], seed=seed)[0])
    assert np.mean(np.array(found) <= 0.05) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 400)
