"""Smooth metrics through their influence: against the interval of a share, of paired shares, and textbook variances."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm, t

from audit_pipeline.statistics.linear import Linear, Range, linear
from audit_pipeline.statistics.paired_share import tango
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally

Floats = NDArray[np.float64]
COUNTS = st.lists(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=9
)


def of_rows(value: float, influence: Floats, spread: Range, scarce: int, people: object = None) -> Linear:
    rows = np.ones(len(influence), dtype=np.int64)
    codes = np.zeros(len(influence), dtype=np.int64) if people is None else np.asarray(people)
    return linear(value, influence, rows, codes, named=people is not None, range=spread, scarce=scarce)


def area(positive: Floats, negative: Floats) -> float:
    return float((np.sign(positive[:, np.newaxis] - negative).mean() + 1) / 2)


def influence_of_area(positive: Floats, negative: Floats) -> Floats:
    rows = len(positive) + len(negative)
    wins = (np.sign(positive[:, np.newaxis] - negative) + 1) / 2
    above, below = wins.mean(axis=1) - wins.mean(), wins.mean(axis=0) - wins.mean()
    return np.concatenate([above * rows / len(positive), below * rows / len(negative)])


@given(COUNTS, st.booleans())
def test_a_share_has_the_interval_of_a_share(pairs: list[tuple[int, int]], named: bool) -> None:
    hits, rows = (np.array(column) for column in zip(*pairs, strict=True))
    if not named:
        hits, rows = hits.sum(keepdims=True), rows.sum(keepdims=True)
    share = Share(Tally(hits, rows, named))
    people, was_hit = np.repeat(np.arange(len(rows)), 2), np.tile([1.0, 0.0], len(rows))
    cells = np.stack([hits, rows - hits], axis=1).ravel()
    seen = cells > 0
    influence = was_hit - share.value
    found = linear(
        share.value, influence[seen], cells[seen], people[seen], named=named, range="share", scarce=share.rows
    )
    for level in (0.5, 0.95, 0.9999):
        assert found.bounds(level) == pytest.approx(share.bounds(level), abs=1e-6)
    assert (found.value, found.rows, found.subjects) == (share.value, share.rows, share.subjects)


@pytest.mark.parametrize(
    ("worse", "better", "rows"),
    [(0, 0, 80), (7, 0, 80), (0, 7, 80), (7, 3, 80), (3, 3, 80), (20, 5, 200), (1, 1, 30), (60, 20, 100), (5, 0, 5)],
)
def test_a_paired_share_has_tangos_interval(worse: int, better: int, rows: int) -> None:
    expected = tango(worse / rows, better / rows, rows, norm.ppf(0.975))
    assert paired(worse, better, rows).bounds(0.95) == pytest.approx(expected, abs=1e-9)


def paired(worse: int, better: int, rows: int) -> Linear:
    change = np.repeat([1.0, -1.0, 0.0], [worse, better, rows - worse - better])
    value = (worse - better) / rows
    return of_rows(value, change - value, "difference", rows)


def test_the_variance_of_an_area_under_the_curve_is_delongs() -> None:
    """Oracle: DeLong, DeLong & Clarke-Pearson (1988), with n in place of n − 1."""
    rng = np.random.default_rng(1)
    positive, negative = rng.normal(1.0, 1, 40).round(1), rng.normal(0, 1, 90).round(1)
    wins = (np.sign(positive[:, np.newaxis] - negative) + 1) / 2
    delong = wins.mean(axis=1).var() / 40 + wins.mean(axis=0).var() / 90
    found = of_rows(area(positive, negative), influence_of_area(positive, negative), "share", 40)
    assert found.variance == pytest.approx(delong)


def test_the_variance_over_people_is_the_jackknifes() -> None:
    """Oracle: leaving out one person of many at a time, where people clearly differ and all show it."""
    rng = np.random.default_rng(4)
    people = np.repeat(np.arange(200), 10)
    values = rng.normal(size=2000) + rng.normal(0, 2, 200)[people]
    means = np.array([values[people != each].mean() for each in range(200)])
    jackknife = 199 / 200 * np.square(means - means.mean()).sum()
    found = of_rows(float(values.mean()), values - values.mean(), "real", 2000, people)
    half = found.bounds(0.95)[1] - found.value
    assert half == pytest.approx(1.96 * np.sqrt(jackknife), rel=0.05)


def test_a_mean_of_independent_rows_has_students_interval() -> None:
    errors = np.array([0.3, 1.2, 0.7, 2.4, 0.1, 0.9])
    half = t.ppf(0.975, 5) * errors.std() / np.sqrt(6)
    assert of_rows(errors.mean(), errors - errors.mean(), "real", 6).bounds(0.95) == pytest.approx(
        (errors.mean() - half, errors.mean() + half)
    )
    low, high = of_rows(errors.mean(), errors - errors.mean(), "positive", 6).bounds(0.95)
    assert low > 0
    assert np.sqrt(low * high) == pytest.approx(errors.mean())
    assert np.log(high / errors.mean()) == pytest.approx(half / errors.mean())


def test_rows_that_do_not_bear_on_the_metric_do_not_matter() -> None:
    hits = np.array([1.0] * 18 + [0.0] * 2)
    people = np.repeat(np.arange(5), 4)
    alone = of_rows(0.9, hits - 0.9, "share", 20, people)
    with_others = of_rows(
        0.9, np.concatenate([(hits - 0.9) * 5, np.zeros(80)]), "share", 20, np.concatenate([people, np.arange(80) % 7])
    )
    assert with_others.bounds(0.95) == pytest.approx(alone.bounds(0.95))
    assert (with_others.rows, with_others.subjects) == (100, 7)


def test_scarce_rows_decide_where_nothing_varies() -> None:
    """All right: a share of the scarce rows, all of which were hit."""
    perfect = of_rows(1.0, np.zeros(500), "share", 12)
    assert perfect.bounds(0.95) == pytest.approx(Share(Tally(np.array([12]), np.array([12]), False)).bounds(0.95))
    unchanged = of_rows(0.0, np.zeros(500), "difference", 12)
    assert unchanged.bounds(0.95) == pytest.approx(tango(0, 0, 12, norm.ppf(0.975)))


def test_scarce_rows_of_people_count_by_how_many_each_has() -> None:
    people = np.repeat(np.arange(10), 100)
    few, many = (of_rows(1.0, np.zeros(1000), "share", scarce, people).bounds(0.95)[0] for scarce in (10, 1000))
    assert few == pytest.approx(Share(Tally(np.array([10]), np.array([10]), False)).bounds(0.95)[0])
    assert many == pytest.approx(Share(Tally(np.full(10, 100), np.full(10, 100), True)).bounds(0.95)[0])


@pytest.mark.parametrize("spread", ["share", "difference", "positive", "real"])
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("named", [True, False])
def test_the_scarcest_data_give_an_interval_without_a_warning(spread: Range, value: float, named: bool) -> None:
    people = np.zeros(1, dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = linear(value, np.zeros(1), np.ones(1, np.int64), people, named=named, range=spread, scarce=1)
        for level in (1e-6, 0.5, 0.95, 1 - 1e-12):
            low, high = found.bounds(level)
            assert low <= value <= high
            assert np.isfinite([low, high]).all()


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=30),
    st.floats(0.01, 0.9),
    st.sampled_from(["share", "difference", "positive", "real"]),
)
def test_intervals_of_higher_levels_contain_those_of_lower_ones(
    changes: list[float], level: float, spread: Range
) -> None:
    influence = np.array(changes) - np.mean(changes)
    found = of_rows(0.3, influence, spread, len(changes), np.arange(len(changes)) % 4)
    inner, outer = found.bounds(level), found.bounds((level + 1) / 2)
    assert outer[0] <= inner[0] + 1e-9
    assert inner[1] <= outer[1] + 1e-9


def f1(true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> tuple[float, Floats]:
    both, either = true & predicted, true.astype(float) + predicted
    value = 2 * both.sum() / either.sum()
    return float(value), (2 * both - value * either) * len(true) / either.sum()


@pytest.mark.parametrize("named", [True, False])
def test_coverage_of_f1_and_of_an_area_holds(named: bool) -> None:
    rng = np.random.default_rng(6)
    spread = 0.7 if named else 0.0

    def draw(people: int, rows: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
        person = np.repeat(np.arange(people), rows)
        true = rng.random(people * rows) < 0.3
        lean = np.where(true, 1, -1) * rng.normal(0, spread, people)[person]
        return rng.normal(2.0 * true + lean), true, person

    score, true, _ = draw(100_000, 4)
    ranks = np.argsort(np.argsort(score))
    truth_of_area = (ranks[true].mean() - (true.sum() - 1) / 2) / (~true).sum()
    truth_of_f1 = f1(true, score > 1)[0]
    held = np.zeros(2)
    for _ in range(300):
        score, true, person = draw(12, 15)
        people = person if named else None
        value, influence = f1(true, score > 1)
        low, high = of_rows(value, influence, "share", 2 * int(true.sum()), people).bounds(0.95)
        held[0] += low <= truth_of_f1 <= high
        order = np.concatenate([np.flatnonzero(true), np.flatnonzero(~true)])
        sides = score[true], score[~true]
        of_people = None if people is None else people[order]
        low, high = of_rows(area(*sides), influence_of_area(*sides), "share", len(sides[0]), of_people).bounds(0.95)
        held[1] += low <= truth_of_area <= high
    assert (held / 300 >= 0.92).all()


def test_an_interval_reaches_further_by_what_chance_may_have_moved_the_value() -> None:
    rows, people = np.ones(200, dtype=np.int64), np.arange(200) // 10
    influence = np.tile([0.5, -0.5], 100)
    for value, spread in ((0.4, "share"), (0.1, "difference")):
        plain, biased = (
            linear(value, influence, rows, people, named=True, range=spread, scarce=200, bias=bias)  # type: ignore[arg-type]
            for bias in ((0.0, 0.0), (0.02, 0.01))
        )
        (low, high), factor = plain.bounds(0.95), plain.effect.at(0.95)
        expected = (low - 0.02 * factor**0.5, high + 0.01 * factor**0.5)
        assert biased.bounds(0.95) == pytest.approx(expected)
    assert linear(0.01, influence, rows, people, named=True, range="share", scarce=200, bias=(9, 9)).bounds(0.5) == (
        0,
        1,
    )
