"""What a sample could have shown, and how large one would decide: checked by drawing such samples."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_pipeline.measurement import Outcome
from audit_pipeline.statistics.estimate import Estimate, p_below
from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than
from audit_pipeline.statistics.power import Outlook, outlook
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import PairedTally, Tally

LEVEL = 0.025


def paired(worse: int, better: int, rows: int) -> PairedShare:
    return PairedShare(PairedTally(np.array([worse]), np.array([better]), np.array([rows]), False))


def of_people(worse: list[int], better: list[int], rows: int) -> PairedShare:
    return PairedShare(PairedTally(np.array(worse), np.array(better), np.full(len(worse), rows), True))


def share(hits: int, rows: int) -> Share:
    return Share(Tally(np.array([hits]), np.array([rows]), False))


def drop(estimate: Estimate, limit: float, family: int = 1) -> Outlook:
    return outlook(estimate, limit, at_most=True, level=LEVEL, family=family)


def share_of(drawn: NDArray[np.int64], holds: Callable[..., bool]) -> float:
    """The share of samples for which something holds; equal ones are asked once."""
    different, times = np.unique(drawn, axis=0, return_counts=True)
    return float(np.average([holds(*map(int, sample)) for sample in different], weights=times))


class Score:
    """An estimate that is neither a share nor a change: ± z · 0.01 around 0.3."""

    value, rows, subjects, method = 0.3, 400, None, "normal"

    def bounds(self, level: float) -> tuple[float, float]:
        from scipy.stats import norm

        half = 0.01 * float(norm.ppf((1 + level) / 2))
        return self.value - half, self.value + half


@pytest.mark.parametrize(("limit", "better", "family"), [(0.0, 0.02, 1), (0.05, 0.0, 1), (0.05, 0.01, 100)])
@pytest.mark.parametrize("rows", [100, 600])
def test_a_drop_at_the_smallest_detectable_is_found_in_four_of_five_samples(
    limit: float, better: float, family: int, rows: int
) -> None:
    gained = round(better * rows)
    found = drop(paired(gained, gained, rows), limit, family).detectable
    assert found is not None
    drawn = np.random.default_rng(7).multinomial(rows, [gained / rows + found, gained / rows, 0.0], 1500)
    found_in = share_of(
        drawn[:, :2], lambda worse, gain: p_worse_than(paired(worse, gain, rows), limit) <= LEVEL / family
    )
    assert 0.74 <= found_in <= 0.89


@pytest.mark.parametrize(("limit", "rows"), [(0.8, 100), (0.9, 400)])
def test_a_share_at_the_smallest_detectable_is_found_in_four_of_five_samples(limit: float, rows: int) -> None:
    found = outlook(share(round(limit * rows), rows), limit, at_most=False, level=LEVEL, family=10).detectable
    assert found is not None
    assert found < limit
    drawn = np.random.default_rng(8).binomial(rows, found, (1500, 1))
    assert 0.74 <= share_of(drawn, lambda hits: p_below(share(hits, rows), limit) <= LEVEL / 10) <= 0.89


@pytest.mark.parametrize(("worse", "better", "settles"), [(4, 1, Outcome.PASS), (10, 1, Outcome.FAIL)])
def test_so_many_more_rows_decide_in_four_of_five_samples(worse: int, better: int, settles: Outcome) -> None:
    expected = drop(paired(worse, better, 100), 0.05)
    assert expected.settles is settles
    assert expected.more is not None
    rows = 100 + expected.more
    drawn = np.random.default_rng(9).multinomial(rows, [worse / 100, better / 100, 0.0], 1500)
    decided = {
        Outcome.PASS: lambda change: change.bounds(1 - 2 * LEVEL)[1] <= 0.05,
        Outcome.FAIL: lambda change: p_worse_than(change, 0.05) <= LEVEL,
    }[settles]
    assert 0.74 <= share_of(drawn[:, :2], lambda lost, gain: decided(paired(lost, gain, rows))) <= 0.86


def test_the_classical_sample_size_of_a_paired_study() -> None:
    """Connett, Smith & McHugh (1987): [z(α)√ψ + z(β)√(ψ − δ²)]² / δ² pairs for a change of δ where ψ disagree."""
    z, z_power, worse, better = 1.959964, 0.841621, 0.25, 0.15
    disagree, change = worse + better, worse - better
    pairs = (z * math.sqrt(disagree) + z_power * math.sqrt(disagree - change**2)) ** 2 / change**2
    more = drop(paired(25, 15, 100), 0.0).more
    assert more is not None
    assert pairs <= 100 + more <= 1.08 * pairs, "the exact test asks for a little more than the normal one"


def test_the_classical_sample_size_of_one_share() -> None:
    z, z_power, limit, truth = 1.959964, 0.841621, 0.8, 0.85
    rows = ((z * math.sqrt(limit * (1 - limit)) + z_power * math.sqrt(truth * (1 - truth))) / (truth - limit)) ** 2
    found = outlook(share(85, 100), limit, at_most=False, level=LEVEL, family=50)
    assert found.settles is Outcome.PASS
    assert rows <= 100 + (found.more or 0) <= 1.05 * rows, "counts ask for a little more than the normal"


def test_any_other_estimate_lends_its_own_standard_error() -> None:
    found = outlook(Score(), 0.29, at_most=True, level=LEVEL, family=1)
    assert found.detectable == pytest.approx(0.29 + (1.959964 + 0.841621) * 0.01)
    assert found.settles is Outcome.FAIL
    assert 400 + (found.more or 0) == pytest.approx(400 * (1.959964 + 0.841621) ** 2, rel=2e-3)


def test_a_value_on_its_limit_is_never_settled() -> None:
    assert drop(paired(5, 0, 100), 0.05) == Outlook(drop(paired(5, 0, 100), 0.05).detectable, None, None)


def test_more_questions_make_less_detectable_and_leave_a_pass_as_it_was() -> None:
    one, many = drop(paired(3, 1, 100), 0.05), drop(paired(3, 1, 100), 0.05, family=200)
    assert (one.detectable or 1) < (many.detectable or 0)
    assert one.more == many.more


def test_a_handful_of_rows_shows_nothing() -> None:
    assert drop(paired(0, 0, 4), 0.05, family=100).detectable is None
    assert drop(of_people([2], [0], 20), 0.05).detectable is None
    assert outlook(Score(), 0.29, at_most=True, level=LEVEL, family=1, reach=(0.0, 0.3)).detectable is None


def test_an_estimate_without_an_end_to_its_interval_shows_nothing() -> None:
    class Endless(Score):
        def bounds(self, level: float) -> tuple[float, float]:
            return -math.inf, math.inf

    assert outlook(Endless(), 0.29, at_most=True, level=LEVEL, family=1) == Outlook(None, Outcome.FAIL, None)


def test_few_more_people_who_differ_as_those_seen_do_settle_what_two_could_not() -> None:
    """From two people to eight the effective rows grow a hundredfold, most of it between the fifth and the eighth."""
    worse, better, rows = np.array([3, 0]), np.array([4, 0]), np.array([2100, 2064])
    found = drop(PairedShare(PairedTally(worse, better, rows, True)), 0.02)
    assert found.settles is Outcome.PASS

    def upper(people: int) -> float:
        lost, gained, seen = (np.resize(counts, people) for counts in (worse, better, rows))
        return PairedShare(PairedTally(lost, gained, seen, True)).bounds(1 - 2 * LEVEL)[1]

    assert upper(2 + (found.more or 0)) <= 0.02 < upper(3)


def test_people_are_counted_where_they_are_named() -> None:
    change = of_people([3, 0, 1, 0, 2, 0, 0, 1], [0, 0, 1, 0, 0, 0, 0, 0], 20)
    found = drop(change, 0.1)
    assert found.settles is Outcome.PASS
    assert found.more is not None
    again = 1 + math.ceil(found.more / 8)
    tally = change.tally
    larger = PairedTally(np.tile(tally.worse, again), np.tile(tally.better, again), np.tile(tally.rows, again), True)
    assert PairedShare(larger).bounds(1 - 2 * LEVEL)[1] <= 0.1
    rows = drop(paired(7, 1, 160), 0.1)
    assert found.more * 20 > (rows.more or 0)


@pytest.mark.parametrize("limit", [0.0, 1.0])
@pytest.mark.parametrize("at_most", [True, False])
def test_limits_at_the_ends_of_the_scale_are_no_trouble(limit: float, at_most: bool) -> None:
    found = outlook(share(7, 10), limit, at_most=at_most, level=LEVEL, family=3)
    assert found.settles in (Outcome.PASS, Outcome.FAIL)
    assert found.detectable is None or 0 <= found.detectable <= 1
