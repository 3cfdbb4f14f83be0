"""How many independent rows the rows of a few people are worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from audit_pipeline.statistics.design_effect import (
    CHANGE_CORRELATION,
    OUTCOME_CORRELATION,
    Contributions,
    DesignEffect,
    design_effect,
    effective_pairs,
    effective_rows,
)
from audit_pipeline.statistics.tally import PairedTally, Tally, person_codes, tally

COUNTS = st.lists(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=9
)


def people(hits: list[int], rows: list[int], named: bool = True) -> Tally:
    return Tally(np.array(hits), np.array(rows), named)


def test_rows_without_named_people_count_fully() -> None:
    assert effective_rows(people([7], [30], named=False), 0.95) == 30


def test_one_row_a_person_counts_fully() -> None:
    assert effective_rows(people([1, 0, 1, 1], [1, 1, 1, 1]), 0.95) == 4


def test_one_person_counts_as_one_row_however_many_they_gave() -> None:
    assert effective_rows(people([900], [1000]), 0.95) == 1
    assert effective_pairs(PairedTally(np.array([3]), np.array([0]), np.array([1000]), True), 0.95) == 1


def test_nothing_seen_leaves_the_belief_from_before() -> None:
    """Eight people with every row right are worth about twice as many rows: what `min: 0.8` needs to pass."""
    seen = effective_rows(people([200] * 8, [200] * 8), 0.95)
    assert 15.3 < seen < 16.5
    assert effective_rows(people([0] * 8, [200] * 8), 0.95) == seen
    none = np.zeros(8, dtype=np.int64)
    assert effective_pairs(PairedTally(none, none, none + 300, True), 0.95) / 8 == pytest.approx(9.7, abs=0.2)


def test_a_few_errors_of_one_person_say_no_more_than_none() -> None:
    none = effective_rows(people([200] * 10, [200] * 10), 0.95)
    assert effective_rows(people([200] * 9 + [190], [200] * 10), 0.95) == pytest.approx(none, rel=0.01)


def test_people_who_are_all_or_nothing_count_about_as_one_row_each() -> None:
    assert effective_rows(people([100, 0] * 20, [100] * 40), 0.95) == pytest.approx(40, rel=0.2)


def test_people_who_are_alike_count_nearly_fully() -> None:
    assert effective_rows(people([190] * 10, [200] * 10), 0.95) > 0.7 * 2000
    rng = np.random.default_rng(3)
    rows = np.full(400, 20)
    assert effective_rows(Tally(rng.binomial(rows, 0.7), rows, True), 0.95) > 0.85 * 8000


def test_someone_with_most_of_the_rows_does_not_hide_that_the_others_are_like_them() -> None:
    alike = effective_rows(people([1800] + [18] * 9, [2000] + [20] * 9), 0.95)
    assert alike > 100
    assert effective_rows(people([2000] + [10] * 9, [2000] + [20] * 9), 0.95) < 5


def test_the_factor_is_what_the_beliefs_average_to_in_the_tail() -> None:
    effect = DesignEffect(np.array([1.0, 4.0, 25.0]), np.array([0.5, 0.3, 0.2]))
    for level in (0.5, 0.95, 0.9999):
        c = norm.ppf((1 + level) / 2) * np.sqrt(effect.at(level))
        assert effect.beliefs @ norm.sf(c / np.sqrt(effect.factors)) == pytest.approx((1 - level) / 2, rel=1e-6)


def test_the_factor_grows_with_the_level_and_stays_among_those_that_are_possible() -> None:
    effect = DesignEffect(np.array([1.0, 4.0, 25.0]), np.array([0.5, 0.3, 0.2]))
    factors = [effect.at(level) for level in (1e-6, 0.1, 0.5, 0.8, 0.95, 0.999, 1 - 1e-9, 1 - 1e-14)]
    assert factors == sorted(factors)
    assert factors[0] > 1
    assert factors[-1] <= 25


def test_with_everybody_showing_it_beliefs_follow_the_likelihood_of_normal_sums() -> None:
    """Oracle: the densities of the residuals, one person at a time, from the covariance of all sums."""
    rows = np.array([30.0, 10.0, 20.0, 25.0])
    sums = np.array([4.0, -3.0, 2.0, -3.0])
    found = design_effect(Contributions(sums, rows, rows), 0.5)
    correlations = (found.factors - 1) / (np.square(rows).sum() / rows.sum() - 1)
    likelihood = []
    for rho in correlations:
        covariance = np.diag(rows * (1 + (rows - 1) * rho))
        centring = np.eye(4) - np.outer(rows / rows.sum(), np.ones(4))
        each = np.diag(centring @ covariance @ centring.T)
        likelihood.append(sum(multivariate_normal(0, v).logpdf(s) for s, v in zip(sums, each, strict=True)))
    worth = rows / (1 + 0.1 * (rows - 1))
    kish = worth.sum() ** 2 / np.square(worth).sum()
    expected = np.array(likelihood) * min(2 * ((kish - 1) / kish) ** 2, 1.0)
    logs = np.log(found.beliefs)
    inner = slice(1, -1)
    borders = (correlations[1:] + correlations[:-1]) / 2
    logs[inner] -= np.log(np.diff(borders))
    spread = (logs - expected)[inner]
    assert np.ptp(spread) < 1e-6


def test_separate_samples_can_be_stacked() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(1, 50, (3, 6)).astype(float)
    sums = rng.normal(0, np.sqrt(rows))
    sums -= sums.sum(axis=1, keepdims=True) * rows / rows.sum(axis=1, keepdims=True)
    stacked = design_effect(Contributions(sums, rows, rows), 0.3)
    for sample in range(3):
        one = design_effect(Contributions(sums[sample], rows[sample], rows[sample]), 0.3)
        assert stacked.beliefs[sample] == pytest.approx(one.beliefs)
        assert stacked.factors[sample] == pytest.approx(one.factors)


@given(COUNTS)
def test_effective_rows_lie_above_zero_and_never_above_the_rows(pairs: list[tuple[int, int]]) -> None:
    counts = people([hits for hits, _ in pairs], [rows for _, rows in pairs])
    assert 0 < effective_rows(counts, 0.95) <= counts.total * (1 + 1e-9)
    least = counts.total**2 / float(np.square(counts.rows).sum())
    assert effective_rows(counts, 0.95) >= least * (1 - 1e-9)


@given(COUNTS)
def test_hits_and_misses_are_worth_the_same_rows(pairs: list[tuple[int, int]]) -> None:
    hits, rows = [h for h, _ in pairs], [n for _, n in pairs]
    misses = [n - h for h, n in pairs]
    assert effective_rows(people(hits, rows), 0.95) == pytest.approx(effective_rows(people(misses, rows), 0.95))


@given(COUNTS)
def test_changes_of_one_sign_are_worth_as_much_as_hits_under_the_same_belief(pairs: list[tuple[int, int]]) -> None:
    counts = people([hits for hits, _ in pairs], [rows for _, rows in pairs])
    paired = PairedTally(counts.hits, np.zeros_like(counts.hits), counts.rows, True)
    expected = effective_rows(counts, 0.95, CHANGE_CORRELATION)
    assert effective_pairs(paired, 0.95) == pytest.approx(expected)


def test_nearly_any_correlation_is_believed_in_beforehand() -> None:
    nothing = design_effect(Contributions(np.zeros(5), np.zeros(5), np.full(5, 2.0)), OUTCOME_CORRELATION)
    assert nothing.beliefs @ (nothing.factors - 1) == pytest.approx(OUTCOME_CORRELATION, abs=0.01)
    assert nothing.beliefs.sum() == pytest.approx(1)


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
