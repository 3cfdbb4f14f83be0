"""Intervals for one proportion, and the effective number of rows behind them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from audit_pipeline.statistics.design_effect import effective_pairs, effective_rows
from audit_pipeline.statistics.intervals import clopper_pearson, wilson, wilson_interval
from audit_pipeline.statistics.tally import PairedTally, Tally, person_codes, tally

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVELS = st.sampled_from([0.5, 0.8, 0.95, 0.99, 0.9999])


def people(hits: list[int], rows: list[int], named: bool = True) -> Tally:
    return Tally(np.array(hits), np.array(rows), named)


@given(COUNTS, LEVELS)
def test_wilson_equals_scipy(counts: tuple[int, int], level: float) -> None:
    hits, rows = counts
    expected = binomtest(hits, rows).proportion_ci(level, "wilson")
    assert wilson(hits / rows, rows, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(COUNTS, LEVELS)
def test_clopper_pearson_equals_scipy(counts: tuple[int, int], level: float) -> None:
    hits, rows = counts
    expected = binomtest(hits, rows).proportion_ci(level, "exact")
    assert clopper_pearson(hits / rows, rows, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_limits_of_newcombes_table_i(hits: int, rows: int, low: float, high: float) -> None:
    assert wilson(hits / rows, rows, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_rows_without_named_people_count_fully() -> None:
    assert effective_rows(people([7], [30], named=False), 0.95) == 30


def test_one_row_a_person_counts_fully() -> None:
    assert effective_rows(people([1, 0, 1, 1], [1, 1, 1, 1]), 0.95) == 4


def test_one_person_counts_as_one_row_however_many_they_gave() -> None:
    assert effective_rows(people([900], [1000]), 0.95) == 1
    assert effective_pairs(PairedTally(np.array([3]), np.array([0]), np.array([1000]), True), 0.95) == 1


def test_nothing_seen_falls_back_on_the_assumed_correlation() -> None:
    assert effective_rows(people([100] * 10, [100] * 10), 0.95) == pytest.approx(1000 / (1 + 99 * 0.5))
    none = np.zeros(10, dtype=np.int64)
    assert effective_pairs(PairedTally(none, none, none + 100, True), 0.95) == pytest.approx(1000 / (1 + 99 * 0.1))


def test_people_who_are_all_or_nothing_count_about_as_one_row_each() -> None:
    assert effective_rows(people([100, 0] * 20, [100] * 40), 0.95) == pytest.approx(40, rel=0.15)


def test_people_who_are_alike_count_nearly_fully_once_enough_was_seen() -> None:
    rng = np.random.default_rng(3)
    rows = np.full(400, 20)
    assert effective_rows(Tally(rng.binomial(rows, 0.7), rows, True), 0.95) > 0.85 * 8000


def test_the_design_effect_of_equal_people_is_the_ratio_of_variances() -> None:
    """Oracle: variance of person means over that of independent rows, widened by t with m − 1 degrees of freedom."""
    from scipy.stats import norm, t

    hits, rows = np.array([3, 9, 5, 10, 2, 8, 10, 1]), np.full(8, 10)
    p = hits.sum() / rows.sum()
    observed = (hits / rows).var(ddof=1) / 8 / (p * (1 - p) / 80) * (t.ppf(0.975, 7) / norm.ppf(0.975)) ** 2
    seen_in = (10 * 8 - hits.sum()) ** 2 / ((10 - hits) ** 2).sum()
    expected = 80 / ((seen_in * observed + 2 * (1 + 9 * 0.5)) / (seen_in + 2))
    assert effective_rows(Tally(hits, rows, True), 0.95) == pytest.approx(expected)


@given(st.lists(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=9))
def test_effective_rows_lie_above_zero_and_never_above_the_rows(pairs: list[tuple[int, int]]) -> None:
    counts = people([hits for hits, _ in pairs], [rows for _, rows in pairs])
    assert 0 < effective_rows(counts, 0.95) <= counts.total
    interval = wilson_interval(counts, 0.95)
    assert 0 <= interval.low <= counts.proportion <= interval.high <= 1


@pytest.mark.parametrize(("correlation", "p"), [(0.0, 0.9), (0.2, 0.95), (0.5, 0.8)])
def test_coverage_over_few_people_holds(correlation: float, p: float) -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        rows = np.maximum(1, np.round(60 * rng.lognormal(-0.5, 1, 10))).astype(np.int64)
        k = 1 / correlation - 1 if correlation else 0.0
        rates = rng.beta(p * k, (1 - p) * k, 10) if correlation else np.full(10, p)
        interval = wilson_interval(Tally(rng.binomial(rows, rates), rows, True), 0.95)
        covered += interval.low <= p <= interval.high
    assert covered / 400 >= 0.92


def test_tallies_of_disjoint_people_merge_by_concatenation() -> None:
    rng = np.random.default_rng(0)
    codes, hit = rng.integers(0, 9, 200), rng.random(200) < 0.5
    whole = tally(hit, codes, True)
    low = codes < 4
    parts = [tally(hit[low], codes[low], True), tally(hit[~low], codes[~low], True)]
    assert np.array_equal(whole.hits, np.concatenate([part.hits for part in parts]))
    assert np.array_equal(whole.rows, np.concatenate([part.rows for part in parts]))


def test_people_are_numbered_only_where_they_are_named() -> None:
    codes, named = person_codes(np.array(["b", "a", "b"]), 3)
    assert codes.tolist() == [1, 0, 1]
    assert named
    assert person_codes(None, 3)[1] is False
