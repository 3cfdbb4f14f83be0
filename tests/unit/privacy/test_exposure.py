"""TPR − FPR of groups and the gap between them, by resampling people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import beta

from audit_pipeline.measurement import Measured, NotMeasurable
from audit_pipeline.privacy.exposure import Exposures, Side, side_of, too_small

LEVEL = 0.95


def independent(hits: Sequence[int], rows: Sequence[int]) -> Side:
    return Side(np.array(hits)[:, None], np.array(rows)[:, None], named=False)


def drawn(rng: np.random.Generator, sizes: Sequence[int], shares: Sequence[float] | float) -> Side:
    return independent(rng.binomial(sizes, np.broadcast_to(shares, len(sizes))), sizes)


def of_people(rng: np.random.Generator, sizes: Sequence[int], share: float, alike: float, rows: int) -> Side:
    """People whose own shares have a beta distribution; `alike` is near 0 for people who are the same."""
    own = rng.beta(share / alike, (1 - share) / alike, sum(sizes))
    counts = np.zeros((len(sizes), sum(sizes)), dtype=np.int64)
    hits = counts.copy()
    group = np.repeat(np.arange(len(sizes)), sizes)
    counts[group, np.arange(sum(sizes))] = rows
    hits[group, np.arange(sum(sizes))] = rng.binomial(rows, own)
    return Side(hits, counts, named=True)


def measured(value: object) -> Measured:
    assert isinstance(value, Measured)
    assert value.interval is not None
    return value


def test_sides_are_counted_by_group_and_person() -> None:
    group = np.array([0, 0, 0, 1, 1, 1, 1])
    people = np.array([7, 7, 9, 9, 9, 4, 2])
    member = np.array([1, 1, 1, 1, 0, 1, 0], dtype=bool)
    hit = np.array([1, 0, 1, 0, 1, 1, 0], dtype=bool)
    side = side_of(hit, [group == 0, group == 1], member, people)
    assert side.totals.tolist() == [3, 2]
    assert side.people == [2, 2]
    assert side.shares.tolist() == [2 / 3, 1 / 2]
    assert side_of(hit, [group == 0, group == 1], member, None).people == [None, None]


def test_replicates_of_independent_rows_have_jeffreys_distribution() -> None:
    replicates = independent([0, 3, 40], [30, 30, 200]).replicates(np.random.default_rng(0), LEVEL)
    for group, (hits, rows) in enumerate(((0, 30), (3, 30), (40, 200))):
        for tail in (0.025, 0.5, 0.975):
            wanted = beta.ppf(tail, hits + 0.5, rows - hits + 0.5)
            assert np.quantile(replicates[:, group], tail) == pytest.approx(wanted, abs=0.01)


def test_the_interval_is_that_of_a_bootstrap_row_by_row() -> None:
    rng = np.random.default_rng(1)
    members, others = np.arange(200) < 70, np.arange(300) < 30
    redrawn = [rng.choice(members, 200).mean() - rng.choice(others, 300).mean() for _ in range(4000)]
    found = measured(Exposures(independent([70], [200]), independent([30], [300]), LEVEL, 0).measured()[0])
    assert found.estimate == pytest.approx(0.25)
    assert found.interval is not None
    ends = [found.interval.low, found.interval.high]
    np.testing.assert_allclose(ends, np.quantile(redrawn, [0.025, 0.975]), atol=0.012)
    assert (found.rows, found.subjects) == (500, None)


def test_people_are_resampled_whole() -> None:
    """Ten equal rows of each of many people say as much as one."""
    rng = np.random.default_rng(2)
    hits = (rng.random(400) < 0.3).astype(np.int64)[None]
    once, tenfold = (
        measured(
            Exposures(
                Side(hits * n, np.full((1, 400), n), True), Side(hits * 0, np.full((1, 400), n), True), LEVEL, 0
            ).measured()[0]
        )
        for n in (1, 10)
    )
    assert once.interval is not None
    assert tenfold.interval is not None
    assert tenfold.interval.high - tenfold.interval.low == pytest.approx(
        once.interval.high - once.interval.low, rel=0.1
    )
    assert (tenfold.rows, tenfold.subjects) == (8000, 800)


def test_nothing_seen_is_not_certain() -> None:
    found = measured(Exposures(independent([0], [30]), independent([0], [30]), LEVEL, 0).measured()[0])
    assert found.estimate == 0
    assert found.interval is not None
    assert found.interval.low < -0.05
    assert found.interval.high > 0.05


def test_identical_groups_show_no_gap_where_resampled_extremes_always_do() -> None:
    rng = np.random.default_rng(3)
    excluded, naive = 0, 0
    for _ in range(60):
        members, others = (drawn(rng, (400, 100, 100, 50, 50), 0.1) for _ in range(2))
        exposures = Exposures(members, others, LEVEL, 0)
        gap = measured(exposures.gap()).interval
        assert gap is not None
        excluded += gap.low > 0
        naive += np.quantile(np.ptp(exposures.replicates, axis=1), 0.025) > 0
    assert excluded <= 6
    assert naive == 60


def test_the_gap_of_two_groups_is_their_difference() -> None:
    rng = np.random.default_rng(4)
    members, others = independent([120, 60], [300, 300]), independent([30, 30], [300, 300])
    gap = measured(Exposures(members, others, LEVEL, 0).gap())
    shares = [rng.binomial(300, p, 20_000) / 300 for p in (0.4, 0.2, 0.1, 0.1)]
    redrawn = shares[0] - shares[2] - (shares[1] - shares[3])
    assert gap.estimate == pytest.approx(0.2)
    assert gap.interval is not None
    assert gap.interval.high == pytest.approx(np.quantile(redrawn, 0.975), abs=0.012)
    # Either could have been the more exposed: the critical value is that of |t|.
    assert gap.interval.low == pytest.approx(0.2 - 2.24 * redrawn.std(), abs=0.012)


def test_the_test_and_the_lower_end_agree() -> None:
    members, others = independent([120, 60, 70], [300, 300, 80]), independent([30, 30, 9], [300, 300, 80])
    exposures = Exposures(members, others, LEVEL, 0)
    gap = measured(exposures.gap()).interval
    assert gap is not None
    p = exposures.p_gap(gap.low)
    assert p == pytest.approx(0.025, abs=0.003)
    assert exposures.p_gap(0.0) == pytest.approx(1 / 4001)
    assert exposures.p_gap(0.9) == pytest.approx(1.0, abs=0.01)


def test_the_same_seed_gives_the_same_interval() -> None:
    members, others = independent([12, 6], [30, 30]), independent([3, 3], [30, 30])
    first, second = (Exposures(members, others, LEVEL, 5).gap() for _ in range(2))
    assert first == second


def test_one_group_has_no_gap() -> None:
    exposures = Exposures(independent([12], [30]), independent([3], [30]), LEVEL, 0)
    assert isinstance(exposures.gap(), NotMeasurable)
    assert exposures.p_gap(0.1) is None


def test_small_groups_are_told_with_what_they_have() -> None:
    members, others = independent([1, 1], [19, 40]), independent([1, 1], [40, 40])
    first, second = too_small(members, others)
    assert first == "19 rows that were trained on and 40 that were not: 20 of each are needed"
    assert second is None
    rng = np.random.default_rng(0)
    few, many = (of_people(rng, (number,), 0.1, 0.1, 30) for number in (7, 9))
    assert too_small(few, many) == ["7 people that were trained on and 9 that were not: 8 of each are needed"]


@pytest.mark.bench
@pytest.mark.parametrize("share", [(0.1, 0.1), (0.02, 0.01), (0.5, 0.1)])
@pytest.mark.parametrize("sizes", [(20, 20), (500, 50, 30), (1000, 100, 100, 40, 40)])
def test_intervals_of_rows_hold_what_they_promise(sizes: tuple[int, ...], share: tuple[float, float]) -> None:
    rng = np.random.default_rng(6)
    runs = [Exposures(*(drawn(rng, sizes, each) for each in share), LEVEL, 0) for _ in range(300)]
    check(runs, share[0] - share[1], 0.91)


@pytest.mark.bench
@pytest.mark.parametrize("alike", [0.02, 0.2])
@pytest.mark.parametrize(("sizes", "rows"), [((8, 8), 100), ((22, 12, 10), 100), ((50, 50), 20)])
def test_intervals_of_few_people_hold_nearly_what_they_promise(sizes: tuple[int, ...], rows: int, alike: float) -> None:
    rng = np.random.default_rng(6)
    runs = [Exposures(*(of_people(rng, sizes, 0.1, alike, rows) for _ in range(2)), LEVEL, 0) for _ in range(300)]
    check(runs, 0.0, 0.9)


def check(runs: Sequence[Exposures], truth: float, least: float) -> None:
    """All groups are exposed alike: every group's interval holds the truth, and the gap's holds zero."""
    held, apart = [], []
    for exposures in runs:
        intervals = [measured(each).interval for each in exposures.measured()]
        held.append([each is not None and each.low <= truth <= each.high for each in intervals])
        apart.append(measured(exposures.gap()).interval.low > 0)  # type: ignore[union-attr]
    assert np.mean(held, axis=0).min() >= least
    assert np.mean(apart) <= 0.05
