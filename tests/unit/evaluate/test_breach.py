"""FAIL is never surer than the sample allows: exact tails for rows, unseen people for people."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from audit_pipeline.evaluate.breach import p_broken
from audit_pipeline.statistics.paired_share import PairedShare
from audit_pipeline.statistics.scaled import Scaled
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import PairedTally, Tally


def share(hits: list[int], rows: int, *, named: bool) -> Share:
    return Share(Tally(np.array(hits), np.full(len(hits), rows), named))


def worse(rows_lost: list[int], rows: int) -> PairedShare:
    lost = np.array(rows_lost)
    return PairedShare(PairedTally(lost, np.zeros_like(lost), np.full(len(lost), rows), named=True))


@pytest.mark.parametrize(("hits", "limit"), [(0, 0.5), (12, 0.8), (28, 0.97)])
def test_a_share_of_independent_rows_is_at_least_as_likely_as_the_binomial_says(hits: int, limit: float) -> None:
    found = p_broken(share([hits], 30, named=False), limit, at_most=False)
    assert found >= binom.cdf(hits, 30, limit)
    assert found == pytest.approx(binom.cdf(hits, 30, limit), rel=0.35)


def test_eight_people_who_lose_alike_may_all_be_of_the_kind_that_loses() -> None:
    assert p_broken(worse([62] * 8, 1000), 0.05, at_most=True) >= (0.05 / 0.062) ** 8 - 1e-12


def test_people_who_err_alike_may_all_be_of_the_kind_that_errs() -> None:
    assert p_broken(share([88] * 6, 100, named=True), 0.9, at_most=False) >= (0.1 / 0.12) ** 6 - 1e-12
    assert p_broken(share([12] * 6, 100, named=True), 0.1, at_most=True) >= (0.1 / 0.12) ** 6 - 1e-12


def test_events_an_hour_are_as_sure_as_events_a_row() -> None:
    alarms = share([3, 9, 4], 50, named=True)
    assert p_broken(Scaled(alarms, 3600.0), 36.0, at_most=True) == p_broken(alarms, 0.01, at_most=True)


def test_what_keeps_its_limit_is_not_broken() -> None:
    assert p_broken(worse([1] * 8, 1000), 0.05, at_most=True) == 1.0


def test_eight_people_of_whom_most_lose_a_little_seldom_fail_where_the_limit_is_just_kept() -> None:
    rng = np.random.default_rng(11)
    lost = rng.binomial(1000, np.where(rng.random((400, 8)) < 0.8, 0.0625, 0.0))
    level = 0.025 / 50
    assert np.mean([p_broken(worse(list(people), 1000), 0.05, at_most=True) <= level for people in lost]) <= 0.005
