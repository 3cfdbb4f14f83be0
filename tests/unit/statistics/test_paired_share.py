"""The change of a share on the same rows: its interval, and p-values that stay honest in the far tail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlogy
from scipy.stats import binom, multinomial, norm

from audit_pipeline.statistics.estimate import p_above, z_of
from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than, tango
from audit_pipeline.statistics.tally import PairedTally

Z = z_of(0.95)
LEVELS = (0.01, 0.5, 0.8, 0.95, 0.99, 0.9999, 1 - 1e-8, 1 - 1e-14)
COUNTS = st.integers(1, 200).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(b), st.integers(0, n - b), st.just(n)))
)
PEOPLE = st.lists(
    st.integers(1, 60).flatmap(
        lambda n: st.integers(0, n).flatmap(lambda w: st.tuples(st.just(w), st.integers(0, n - w), st.just(n)))
    ),
    min_size=1,
    max_size=12,
)


def people(*each: tuple[int, int, int], named: bool = True) -> PairedShare:
    worse, better, rows = np.array(each, dtype=np.int64).T
    return PairedShare(PairedTally(worse, better, rows, named))


def rows_of(worse: int, better: int, rows: int) -> PairedShare:
    return people((worse, better, rows), named=False)


def score(worse: int, better: int, rows: int, delta: float) -> float:
    """Tango's statistic with the nuisance parameter found by maximising the trinomial likelihood numerically."""

    def loss(q: float) -> float:
        p, rest = q + delta, 1 - 2 * q - delta
        return -float(xlogy(worse, p) + xlogy(better, q) + xlogy(rows - worse - better, rest))

    q = minimize_scalar(loss, bounds=(max(0.0, -delta), (1 - delta) / 2), method="bounded", options={"xatol": 1e-13}).x
    return float((worse - better - rows * delta) / np.sqrt(rows * (2 * q + delta * (1 - delta))))


@pytest.mark.parametrize(
    ("worse", "better", "rows"), [(6, 16, 161), (40, 20, 160), (3, 1, 44), (12, 2, 50), (9, 0, 80), (0, 7, 30)]
)
@pytest.mark.parametrize("level", [0.5, 0.95, 0.9999])
def test_the_interval_inverts_the_score_test(worse: int, better: int, rows: int, level: float) -> None:
    low, high = rows_of(worse, better, rows).bounds(level)
    assert score(worse, better, rows, low) == pytest.approx(z_of(level), abs=1e-4)
    assert score(worse, better, rows, high) == pytest.approx(-z_of(level), abs=1e-4)


def test_the_interval_is_the_published_one_for_airway_reactivity() -> None:
    """Bentur et al. 2009 in Fagerland, Lydersen & Laake (2014), Stat. Med. 33:2850: 1 and 7 of 21 pairs disagree."""
    assert rows_of(1, 7, 21).bounds(0.95) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_no_disagreement_still_leaves_an_interval() -> None:
    bound = Z**2 / (50 + Z**2)
    assert rows_of(0, 0, 50).bounds(0.95) == pytest.approx((-bound, bound))


def test_where_all_rows_changed_one_way_the_interval_still_has_two_ends() -> None:
    low, high = rows_of(50, 0, 50).bounds(0.95)
    assert (low, high) == pytest.approx(((50 - Z**2) / (50 + Z**2), 1.0))
    assert score(50, 0, 50, low) == pytest.approx(Z, abs=1e-4)


@given(COUNTS, st.sampled_from(LEVELS))
def test_better_and_worse_swapped_turn_the_interval_round(counts: tuple[int, int, int], level: float) -> None:
    worse, better, rows = counts
    low, high = tango(worse / rows, better / rows, rows, z_of(level))
    assert -1 <= low <= (worse - better) / rows <= high <= 1
    assert tango(better / rows, worse / rows, rows, z_of(level)) == pytest.approx((-high, -low), abs=1e-12)


@given(PEOPLE, st.booleans())
def test_intervals_are_nested_from_the_shallowest_to_the_deepest_level(
    each: list[tuple[int, int, int]], named: bool
) -> None:
    change = people(*each) if named else rows_of(*np.sum(each, axis=0).tolist())
    ends = np.array([change.bounds(level) for level in LEVELS])
    assert np.all(np.diff(ends[:, 0]) <= 1e-12)
    assert np.all(np.diff(ends[:, 1]) >= -1e-12)
    assert np.all((ends[:, 0] <= change.value + 1e-12) & (change.value - 1e-12 <= ends[:, 1]))


@given(COUNTS, st.sampled_from([0.0, 0.01, 0.05, 0.2]))
def test_a_p_value_never_says_more_than_the_interval(counts: tuple[int, int, int], limit: float) -> None:
    change = rows_of(*counts)
    assert p_worse_than(change, limit) >= p_above(change, limit) - 1e-6


@given(PEOPLE, st.sampled_from([0.0, 0.01, 0.05, 0.2]))
def test_over_people_the_p_value_never_says_more_than_the_interval(
    each: list[tuple[int, int, int]], limit: float
) -> None:
    change = people(*each)
    assert p_worse_than(change, limit) >= p_above(change, limit) - 1e-6


def test_many_changed_rows_leave_the_p_value_of_the_score() -> None:
    assert p_worse_than(rows_of(700, 500, 10_000), 0.01) == pytest.approx(
        norm.sf(score(700, 500, 10_000, 0.01)), rel=1e-4
    )


@pytest.mark.parametrize("alpha", [0.025, 1e-3, 1e-4])
@pytest.mark.parametrize(("limit", "better"), [(0.0, 0.02), (0.05, 0.0), (0.05, 0.01), (0.1, 0.0)])
def test_independent_rows_at_the_limit_are_rarely_called_worse_deep_in_the_tail(
    alpha: float, limit: float, better: float
) -> None:
    """The exact size over all samples of 150 rows; plain inversion of the score reaches three times the nominal."""
    rows, most = 150, 45
    probability = multinomial(rows, [limit + better, better, 1 - limit - 2 * better])
    size = sum(
        float(probability.pmf([worse, gained, rows - worse - gained]))
        for worse in range(most)
        for gained in range(most // 2)
        if p_worse_than(rows_of(worse, gained, rows), limit) <= alpha
    )
    assert size <= 1.5 * alpha


def test_nine_rows_worse_and_none_better_are_nine_tosses_of_a_coin() -> None:
    assert p_worse_than(rows_of(9, 0, 100_000), 0.0) == pytest.approx(2.0**-9)


def test_the_p_value_of_a_limit_knows_how_many_rows_that_share_gives_by_chance() -> None:
    assert p_worse_than(rows_of(21, 0, 200), 0.05) == pytest.approx(binom.sf(20, 200, 0.05))


def test_a_limit_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="never negative"):
        p_worse_than(rows_of(1, 0, 10), -0.1)


def test_rows_of_few_people_widen_the_interval() -> None:
    wide = people((30, 0, 50), (0, 1, 50), (0, 0, 50), (2, 0, 50)).bounds(0.95)
    narrow = rows_of(32, 1, 200).bounds(0.95)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_improvements_in_one_person_do_not_make_harm_likelier_than_no_change_does() -> None:
    others = [(0, 0, 100)] * 9
    unchanged = people((0, 0, 100), *others).bounds(0.95)[1]
    assert all(people((0, better, 100), *others).bounds(0.95)[1] <= unchanged for better in (1, 5, 20, 50, 100))
