"""Differences and ratios between groups: published limits, coverage, and honesty after looking at every pair."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest
from scipy.special import ndtri

from audit_pipeline.evaluate.gap import Gap, Pair, Ratio
from audit_pipeline.measurement import GroupKey
from audit_pipeline.statistics.estimate import p_above, p_below
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally

NOISE = 2.5 * np.sqrt(0.95 * 0.05 / 1000)
"""Of a coverage in 1,000 runs."""


@pytest.fixture(autouse=True)
def _no_warnings() -> None:
    warnings.simplefilter("error")


def group(number: int) -> GroupKey:
    return GroupKey(by=("site",), values=(str(number),))


@dataclass(frozen=True)
class Wilson:
    """An estimate with Wilson's interval, by the roots of (p̂ − p)² = z² p (1 − p) / n: what Newcombe's method takes."""

    hits: int
    rows: int
    subjects: int | None = None
    method: str = "Wilson 1927"

    @property
    def value(self) -> float:
        return self.hits / self.rows

    def bounds(self, level: float) -> tuple[float, float]:
        return wilson(self.hits, self.rows, -float(ndtri((1 - level) / 2)))


def wilson(hits: int, rows: int, z: float) -> tuple[float, float]:
    centre, half = hits + z * z / 2, z * math.sqrt(hits * (rows - hits) / rows + z * z / 4)
    low = 0.0 if hits == 0 else (centre - half) / (rows + z * z)
    return low, 1.0 if hits == rows else (centre + half) / (rows + z * z)


Numbers = Sequence[int] | np.ndarray


def wilsons(hits: Numbers, rows: Numbers) -> tuple[tuple[GroupKey, Wilson], ...]:
    return tuple((group(n), Wilson(int(h), int(r))) for n, (h, r) in enumerate(zip(hits, rows, strict=True)))


def gap(hits: Numbers, rows: Numbers) -> Gap:
    return Gap(wilsons(hits, rows), None)


def ratio(hits: Numbers, rows: Numbers) -> Ratio:
    return Ratio(wilsons(hits, rows), None)


def shares(hits: Numbers, rows: Numbers) -> tuple[tuple[GroupKey, Share], ...]:
    return tuple(
        (group(number), Share(Tally(np.array([h]), np.array([n]), False)))
        for number, (h, n) in enumerate(zip(hits, rows, strict=True))
    )


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_two_groups_have_newcombes_published_limits(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    """Contrasts (a) to (h), method 10, in table II of Newcombe (1998), Stat. Med. 17:873; a gap is never negative."""
    hits, rows, other_hits, other_rows = counts
    found = gap([hits, other_hits], [rows, other_rows]).bounds(0.95)
    assert found == pytest.approx((max(low, 0.0), high), abs=5e-5)


def test_the_ends_are_those_of_all_pairs_one_by_one() -> None:
    hits, rows, level = [60, 90, 75, 20], [100, 120, 80, 40], 0.9
    lows, highs = [], []
    pairs = len(hits) * (len(hits) - 1) // 2
    for i, j in combinations(range(4), 2):
        for one, other in ((i, j), (j, i)):
            difference = hits[one] / rows[one] - hits[other] / rows[other]
            z = -ndtri((1 - level) / 2 / pairs)
            (low, _), (_, high) = wilson(hits[one], rows[one], z), wilson(hits[other], rows[other], z)
            lows.append(difference - np.hypot(hits[one] / rows[one] - low, high - hits[other] / rows[other]))
            z = -float(ndtri((1 - level) / 2))
            (_, high), (low, _) = wilson(hits[one], rows[one], z), wilson(hits[other], rows[other], z)
            highs.append(difference + np.hypot(high - hits[one] / rows[one], hits[other] / rows[other] - low))
    assert gap(hits, rows).bounds(level) == pytest.approx((max(lows), max(highs)), abs=1e-12)


def test_the_groups_behind_a_gap_are_named() -> None:
    found = gap([500, 4, 800], [1000, 10, 1000])
    assert found.value == pytest.approx(0.4)
    assert found.seen == found.widest(0.95) == Pair(higher=group(2), lower=group(1))
    assert found.surest(0.95) == Pair(higher=group(2), lower=group(0))
    assert found.rows == 2010


def test_the_groups_behind_a_ratio_are_named_with_the_higher_first() -> None:
    found = ratio([500, 4, 800], [1000, 10, 1000])
    assert found.value == 0.5
    assert found.seen == found.widest(0.95) == Pair(higher=group(2), lower=group(1))
    assert found.surest(0.95) == Pair(higher=group(2), lower=group(0))


def test_a_group_without_a_hit_is_the_lower_one_of_a_ratio() -> None:
    assert ratio([30, 0], [40, 5]).widest(0.95) == Pair(higher=group(0), lower=group(1))


def test_ends_are_nested_in_the_level() -> None:
    levels = [0.01, 0.3, 0.5, 0.8, 0.95, 0.99, 0.9999, 1 - 1e-9, 1 - 1e-13, 1 - 1e-15]
    for found in (gap([30, 45, 60], [100, 90, 80]), ratio([30, 45, 60], [100, 90, 80])):
        lows, highs = np.transpose([found.bounds(level) for level in levels])
        assert (np.diff(lows) <= 1e-12).all()
        assert (np.diff(highs) >= -1e-12).all()
        assert (lows <= found.value + 1e-12).all()
        assert (found.value - 1e-12 <= highs).all()


@pytest.mark.parametrize("rates", [[0.8] * 2, [0.8] * 6, [0.8, 0.8, 0.8, 0.7], [0.9, 0.85, 0.7, 0.6, 0.5], [0.98] * 4])
def test_the_interval_covers_the_true_largest_gap(rates: list[float]) -> None:
    rng = np.random.default_rng(5)
    rows = np.linspace(40, 300, len(rates)).astype(int)
    truth, runs = max(rates) - min(rates), 1000
    found = [gap(rng.binomial(rows, rates), rows).bounds(0.95) for _ in range(runs)]
    assert np.mean([low <= truth + 1e-12 <= high + 2e-12 for low, high in found]) >= 0.95 - NOISE


@pytest.mark.parametrize("rates", [[0.8] * 2, [0.8] * 6, [0.8, 0.8, 0.6], [0.9, 0.3]])
def test_the_interval_covers_the_true_smallest_ratio(rates: list[float]) -> None:
    rng = np.random.default_rng(6)
    rows = np.linspace(60, 300, len(rates)).astype(int)
    truth, runs = min(rates) / max(rates), 1000
    found = [ratio(rng.binomial(rows, rates), rows).bounds(0.95) for _ in range(runs)]
    assert np.mean([low - 1e-12 <= truth <= high + 1e-12 for low, high in found]) >= 0.95 - NOISE


@pytest.mark.parametrize("groups", [2, 3, 8])
def test_identical_groups_are_rarely_told_apart(groups: int) -> None:
    """max − min excludes zero in every run; a FAIL at 95 % confidence has a level of 2.5 %."""
    rng = np.random.default_rng(groups)
    rows = np.full(groups, 150)
    runs = 1000
    false = sum(gap(rng.binomial(rows, 0.8), rows).p_broken(0.0) <= 0.025 for _ in range(runs))
    assert false / runs <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / runs)


def test_p_values_are_the_tail_at_which_an_end_touches_the_limit() -> None:
    found = gap([30, 45, 62], [100, 90, 80])
    p = p_above(found, 0.2)
    assert found.bounds(1 - 2 * p)[0] == pytest.approx(0.2, abs=1e-4)
    mirrored = ratio([30, 45, 62], [100, 90, 80])
    p = p_below(mirrored, 0.8)
    assert mirrored.bounds(1 - 2 * p)[1] == pytest.approx(0.8, abs=1e-4)
    assert p_above(found, found.value) == p_below(mirrored, mirrored.value) == 1.0


@pytest.mark.parametrize("groups", [2, 5, 13, 120])
def test_groups_as_far_apart_as_can_be_have_a_p_value_next_to_zero(groups: int) -> None:
    rows = np.full(groups, 5000)
    hits = np.where(np.arange(groups) == 0, 5, 4990)
    assert 0 < gap(hits, rows).p_broken(0.05) < 1e-9
    assert 0 < ratio(hits, rows).p_broken(0.8) < 1e-9


def test_five_hundred_groups_are_compared() -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(30, 400, 500)
    found = Gap(shares(rng.binomial(rows, 0.9), rows), None)
    low, high = found.bounds(0.95)
    assert low <= found.value <= high
    assert found.p_broken(0.0) > 0.025
    assert 0 < Ratio(found.groups, None).p_broken(0.99) <= 1


def test_shares_with_their_own_intervals_cover_as_well() -> None:
    rng = np.random.default_rng(8)
    rates, rows, runs = [0.9, 0.85, 0.97], np.array([60, 100, 80]), 250
    found = [Gap(shares(rng.binomial(rows, rates), rows), None).bounds(0.95) for _ in range(runs)]
    assert np.mean([low <= 0.12 <= high for low, high in found]) >= 0.95 - 2 * NOISE


def test_groups_without_a_single_hit_have_a_ratio_to_those_with_some() -> None:
    low, high = ratio([0, 30, 0], [40, 40, 500]).bounds(0.95)
    assert low == 0.0
    # the group of 500 rows is the surest: its Wilson limit over the lower one of the group with hits
    z = -ndtri(0.025 / 3)
    assert high == pytest.approx(wilson(0, 500, z)[1] / wilson(30, 40, z)[0], rel=1e-6)


def test_the_ratio_of_two_groups_is_movers_on_logarithms() -> None:
    """Zou & Donner (2008), Stat. Med. 27:1693, eq. for a ratio by logarithms, solved here for one pair."""
    low, high = ratio([40, 60], [100, 90]).bounds(0.95)
    z = -ndtri(0.025)
    (l1, u1), (l2, u2) = wilson(40, 100, z), wilson(60, 90, z)
    p1, p2 = 0.4, 60 / 90
    away = np.hypot(np.log(p1 / l1), np.log(u2 / p2)), np.hypot(np.log(u1 / p1), np.log(p2 / l2))
    assert (low, high) == pytest.approx((p1 / p2 * np.exp(-away[0]), p1 / p2 * np.exp(away[1])), rel=1e-9)


def test_groups_that_are_all_alike_are_never_compared_with_themselves() -> None:
    for found in (gap([30, 30, 30], [40, 40, 40]), ratio([30, 30], [40, 40])):
        assert found.seen == Pair(higher=group(0), lower=group(1))
