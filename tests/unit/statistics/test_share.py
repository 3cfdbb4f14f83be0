"""A share as an estimate: its interval over rows and over people, and p-values from it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.statistics.estimate import p_above, p_below
from audit_pipeline.statistics.intervals import three_quarter_p
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally

COUNTS = st.lists(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=9
)


def share(hits: list[int], rows: list[int], named: bool = True) -> Share:
    return Share(Tally(np.array(hits), np.array(rows), named))


def test_rows_without_people_have_the_binomial_interval() -> None:
    one = share([27], [30], named=False)
    assert one.bounds(0.95) == three_quarter_p(0.9, 30, 0.95)
    assert (one.value, one.rows, one.subjects) == (0.9, 30, None)
    assert "subject" not in one.method


def test_one_row_a_person_has_the_binomial_interval_and_names_the_people() -> None:
    one = share([1, 0, 1, 1], [1, 1, 1, 1])
    assert one.bounds(0.95) == three_quarter_p(0.75, 4, 0.95)
    assert one.subjects == 4
    assert "subject" in one.method


@pytest.mark.parametrize(
    ("hits", "rows"),
    [
        ([1], [1]),
        ([0], [1]),
        ([0] * 5, [7] * 5),
        ([7] * 5, [7] * 5),
        ([400], [500]),
        ([1, 0], [1, 3000]),
        ([3, 0], [3, 1]),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_the_scarcest_data_give_an_interval_without_a_warning(hits: list[int], rows: list[int], named: bool) -> None:
    if not named:
        hits, rows = [sum(hits)], [sum(rows)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = share(hits, rows, named)
        for level in (1e-6, 0.5, 0.95, 1 - 1e-12):
            low, high = one.bounds(level)
            assert 0 <= low <= one.value <= high <= 1
        assert one.bounds(0.95)[1] > one.bounds(0.95)[0]


def test_eight_people_with_every_row_right_pass_a_minimum_of_four_fifths() -> None:
    assert share([200] * 8, [200] * 8).bounds(0.95)[0] >= 0.8
    assert share([200] * 7, [200] * 7).bounds(0.95)[0] < 0.8


def test_a_few_errors_do_not_widen_the_interval_much_beyond_that_of_none() -> None:
    (none, _), (few, _) = share([200] * 10, [200] * 10).bounds(0.95), share([200] * 9 + [199], [200] * 10).bounds(0.95)
    assert none - 0.01 < few < none


@given(COUNTS, st.floats(0.01, 0.99), st.floats(0.0, 1.0))
def test_intervals_of_higher_levels_contain_those_of_lower_ones(
    pairs: list[tuple[int, int]], level: float, more: float
) -> None:
    one = share([hits for hits, _ in pairs], [rows for _, rows in pairs])
    inner, outer = one.bounds(level), one.bounds(level + more * (0.9999 - level) / 2)
    assert outer[0] <= inner[0] + 1e-9
    assert inner[1] <= outer[1] + 1e-9


@given(COUNTS)
def test_the_share_of_misses_has_the_mirrored_interval(pairs: list[tuple[int, int]]) -> None:
    low, high = share([hits for hits, _ in pairs], [rows for _, rows in pairs]).bounds(0.95)
    assert share([n - h for h, n in pairs], [n for _, n in pairs]).bounds(0.95) == pytest.approx(
        (1 - high, 1 - low), abs=1e-7
    )


def test_p_values_agree_with_the_interval() -> None:
    one = share([12, 15, 18, 9, 20, 17], [20] * 6)
    low, high = one.bounds(0.95)
    assert p_above(one, low) == pytest.approx(0.025, rel=1e-3)
    assert p_below(one, high) == pytest.approx(0.025, rel=1e-3)
    assert p_above(one, low - 0.05) < 0.025 < p_above(one, low + 0.05)


@pytest.mark.parametrize(("correlation", "p"), [(0.0, 0.9), (0.2, 0.95), (0.5, 0.8)])
def test_coverage_over_few_people_holds(correlation: float, p: float) -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        rows = np.maximum(1, np.round(60 * rng.lognormal(-0.5, 1, 10))).astype(np.int64)
        k = 1 / correlation - 1 if correlation else 0.0
        rates = rng.beta(p * k, (1 - p) * k, 10) if correlation else np.full(10, p)
        low, high = Share(Tally(rng.binomial(rows, rates), rows, True)).bounds(0.95)
        covered += low <= p <= high
    assert covered / 400 >= 0.92
