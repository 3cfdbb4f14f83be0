"""Intervals for one share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom, binomtest

from audit_pipeline.statistics.intervals import clopper_pearson, share_interval, three_quarter_p

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVELS = st.sampled_from([0.5, 0.8, 0.95, 0.99, 0.9999])


@given(COUNTS, LEVELS)
def test_clopper_pearson_equals_scipy(counts: tuple[int, int], level: float) -> None:
    hits, rows = counts
    expected = binomtest(hits, rows).proportion_ci(level, "exact")
    assert clopper_pearson(hits / rows, rows, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(COUNTS, LEVELS)
def test_at_each_end_three_quarters_of_the_observed_count_fill_the_tail(counts: tuple[int, int], level: float) -> None:
    """Oracle: the binomial probabilities themselves."""
    hits, rows = counts
    low, high = three_quarter_p(hits / rows, rows, level)
    tail = (1 - level) / 2
    if hits > 0:
        assert binom.sf(hits, rows, low) + 0.75 * binom.pmf(hits, rows, low) == pytest.approx(tail, rel=1e-6)
    if hits < rows:
        assert binom.cdf(hits, rows, high) - 0.25 * binom.pmf(hits, rows, high) == pytest.approx(tail, rel=1e-6)


@given(COUNTS)
def test_it_lies_within_clopper_pearson_and_mirrors_itself(counts: tuple[int, int]) -> None:
    hits, rows = counts
    low, high = three_quarter_p(hits / rows, rows, 0.95)
    outer = clopper_pearson(hits / rows, rows, 0.95)
    assert outer[0] - 1e-12 <= low <= hits / rows <= high <= outer[1] + 1e-12
    assert three_quarter_p((rows - hits) / rows, rows, 0.95) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("rows", [10, 11, 14, 25, 60, 200])
@pytest.mark.parametrize("level", [0.95, 0.999])
def test_no_tail_is_larger_than_its_nominal_size_by_more_than_a_third(rows: int, level: float) -> None:
    hits = np.arange(rows + 1)
    ends = np.array([three_quarter_p(x / rows, rows, level) for x in hits])
    for p in np.linspace(0.8, 0.99, 39):
        weights = binom.pmf(hits, rows, p)
        assert weights[ends[:, 0] > p].sum() <= (1 - level) / 2 / 0.75 + 1e-9
        assert weights[ends[:, 1] < p].sum() <= (1 - level) / 2 / 0.75 + 1e-9


@given(COUNTS, st.floats(0.01, 0.99), st.floats(0.0, 1.0))
def test_intervals_of_higher_levels_contain_those_of_lower_ones(
    counts: tuple[int, int], level: float, more: float
) -> None:
    hits, rows = counts
    inner, outer = (three_quarter_p(hits / rows, rows, each) for each in (level, level + more * (0.9999 - level) / 2))
    assert outer[0] <= inner[0] + 1e-12
    assert inner[1] <= outer[1] + 1e-12


def test_effective_rows_need_not_be_whole() -> None:
    between = three_quarter_p(0.8, 12.5, 0.95)
    fewer, more = three_quarter_p(0.8, 10, 0.95), three_quarter_p(0.8, 15, 0.95)
    assert fewer[0] < between[0] < more[0]
    assert more[1] < between[1] < fewer[1]


def test_a_single_row_and_a_fraction_of_one_have_wide_finite_intervals() -> None:
    assert three_quarter_p(1.0, 1, 0.95) == pytest.approx((0.025 / 0.75, 1.0))
    for share in (0.0, 0.3, 1.0):
        low, high = three_quarter_p(share, 0.3, 0.95)
        assert 0 <= low <= share <= high <= 1


def test_a_smaller_variance_than_a_count_has_gives_a_narrower_interval_as_of_more_rows() -> None:
    """Oracle: at a step of almost nothing, the beta distribution of that mean and variance."""
    low, high = share_interval(0.7, 0.001, 1e-9, 0.95)
    size = 0.7 * 0.3 / 0.001 - 1
    assert (low, high) == pytest.approx(beta.ppf([0.025, 0.975], 0.7 * size, 0.3 * size), abs=1e-6)


def test_where_no_row_of_a_kind_was_seen_the_step_keeps_the_interval_honest() -> None:
    assert share_interval(1.0, 0.0, 1 / 20, 0.95) == pytest.approx(three_quarter_p(1.0, 20, 0.95))
    low, high = share_interval(0.5, 0.0, 1 / 20, 0.95)
    assert low < 0.45
    assert high > 0.55
