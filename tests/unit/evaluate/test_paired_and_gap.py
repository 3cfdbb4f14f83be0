"""Differences: of two models on the same rows, and between groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlogy

from audit_pipeline.evaluate.gap import gaps, newcombe
from audit_pipeline.evaluate.paired import paired_interval, tango
from audit_pipeline.measurement import GroupKey
from audit_pipeline.statistics.tally import PairedTally, Tally

Z = 1.959963984540054


def score(worse: int, better: int, rows: int, delta: float) -> float:
    """Tango's statistic with the nuisance parameter found by maximising the trinomial likelihood numerically."""

    def loss(q: float) -> float:
        p, rest = q + delta, 1 - 2 * q - delta
        return -float(xlogy(worse, p) + xlogy(better, q) + xlogy(rows - worse - better, rest))

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
    return float((worse - better - rows * delta) / np.sqrt(rows * (2 * q + delta * (1 - delta))))


@pytest.mark.parametrize(("worse", "better", "rows"), [(6, 16, 161), (40, 20, 160), (3, 1, 44), (12, 2, 50)])
def test_tango_inverts_the_score_test(worse: int, better: int, rows: int) -> None:
    low, high = tango(worse, better, rows, 0.95)
    assert score(worse, better, rows, low) == pytest.approx(Z, abs=1e-4)
    assert score(worse, better, rows, high) == pytest.approx(-Z, abs=1e-4)


def test_tango_gives_the_published_limits_for_airway_reactivity() -> None:
    """Bentur et al. 2009 in Fagerland, Lydersen & Laake (2014), Stat. Med. 33:2850: 1 and 7 of 21 pairs disagree."""
    assert tango(1, 7, 21, 0.95) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_no_disagreement_still_leaves_an_interval() -> None:
    bound = Z**2 / (50 + Z**2)
    assert tango(0, 0, 50, 0.95) == pytest.approx((-bound, bound))


@given(st.integers(1, 200).flatmap(lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(
    st.just(b), st.integers(0, n - b), st.just(n)))))  # fmt: skip
def test_tango_is_antisymmetric_and_holds_the_estimate(counts: tuple[int, int, int]) -> None:
    worse, better, rows = counts
    low, high = tango(worse, better, rows, 0.95)
    assert -1 <= low <= (worse - better) / rows <= high <= 1
    assert tango(better, worse, rows, 0.95) == pytest.approx((-high, -low), abs=1e-9)


@given(
    st.lists(
        st.integers(1, 60).flatmap(lambda n: st.integers(0, n).map(lambda worse: (worse, n))), min_size=1, max_size=12
    ),
    st.sampled_from(["some", "all worse", "all better"]),
)
def test_every_tally_of_people_has_an_interval_around_its_estimate(people: list[tuple[int, int]], which: str) -> None:
    rows = np.array([n for _, n in people])
    some = np.array([worse for worse, _ in people])
    worse = {"some": some, "all worse": rows, "all better": 0 * rows}[which]
    better = {"some": (rows - some) // 2, "all worse": 0 * rows, "all better": rows}[which]
    tally = PairedTally(worse, better, rows, True)
    interval = paired_interval(tally, 0.95)
    assert -1 <= interval.low <= tally.difference + 1e-9
    assert tally.difference - 1e-9 <= interval.high <= 1


def test_rows_of_few_people_widen_the_paired_interval() -> None:
    worse, better, rows = np.array([30, 0, 0, 2]), np.array([0, 1, 0, 0]), np.array([50, 50, 50, 50])
    wide = paired_interval(PairedTally(worse, better, rows, True), 0.95)
    narrow = paired_interval(PairedTally(worse[:1] + 2, better[:1] + 1, rows[:1] * 4, False), 0.95)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((7, 34, 1, 34), 0.0189, 0.3404),
    ],
)
def test_newcombe_gives_the_published_limits(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    """Method 10 in table II of Newcombe (1998), Stat. Med. 17:873; the last as in Fagerland et al. (2015)."""
    hits, rows, other_hits, other_rows = counts
    assert newcombe(hits / rows, rows, other_hits / other_rows, other_rows, 0.95) == pytest.approx(
        (low, high), abs=5e-5
    )


def group(name: str) -> GroupKey:
    return GroupKey(by=("site",), values=(name,))


def test_gaps_name_every_pair_once_with_the_higher_first() -> None:
    rows = np.array([100])
    found = gaps([(group(n), Tally(np.array([h]), rows, False)) for n, h in (("a", 50), ("b", 90), ("c", 70))], 0.95)
    assert [(gap.higher.values[0], gap.lower.values[0]) for gap in found] == [("b", "c"), ("b", "a"), ("c", "a")]
    assert all(gap.measured.estimate > 0 for gap in found)


def test_looking_at_many_identical_groups_rarely_finds_a_gap() -> None:
    """max − min excludes zero in every run; the simultaneous intervals exclude it in at most 5 % of runs."""
    rng = np.random.default_rng(5)
    rows = np.array([80])
    false_alarms = 0
    for _ in range(300):
        found = gaps([(group(str(n)), Tally(rng.binomial(rows, 0.8), rows, False)) for n in range(8)], 0.95)
        false_alarms += any(gap.interval.low > 0 for gap in found)
    assert false_alarms / 300 <= 0.05
