"""Thresholds, rates and areas over scores that tie, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score, roc_curve

from audit_pipeline.privacy.roc import area_under_curve, auc_interval, threshold

SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=40)
RATES = st.sampled_from([0.01, 0.05, 0.1, 0.29, 0.5, 0.9])


@given(SCORES, SCORES)
def test_area_under_curve_counts_ties_half(members: list[int], others: list[int]) -> None:
    pairs = [(m > o) + (m == o) / 2 for m in members for o in others]
    assert area_under_curve(np.array(members, float), np.array(others, float)) == pytest.approx(
        np.mean(pairs), abs=1e-12
    )


def test_area_under_curve_equals_mann_whitney() -> None:
    rng = np.random.default_rng(0)
    members, others = rng.normal(0.3, 1, 400), rng.normal(0, 1, 300)
    u = mannwhitneyu(members, others).statistic
    assert area_under_curve(members, others) == pytest.approx(u / (400 * 300), abs=1e-12)


def test_nobody_on_one_side_has_no_area() -> None:
    assert area_under_curve(np.zeros(0), np.ones(3)) is None
    assert auc_interval(np.zeros(0), np.ones(3), None, 0.95) is None


@given(SCORES, RATES)
def test_the_threshold_is_the_lowest_that_lets_through_no_more_than_allowed(scores: list[int], fpr: float) -> None:
    values = np.array(scores, float)
    candidates = [t for t in np.unique(values) if (values > t).mean() <= fpr + 1e-12]
    found = threshold(values, fpr)
    assert found.score == min(candidates)
    assert found.fpr == (values > found.score).mean()


@given(SCORES, RATES)
def test_the_coin_brings_the_rate_to_its_target(scores: list[int], fpr: float) -> None:
    values = np.array(scores, float)
    assert threshold(values, fpr).share_with_coin(values) == pytest.approx(fpr, abs=1e-12)


@given(SCORES, SCORES, RATES)
def test_the_rates_are_a_vertex_of_the_curve(members: list[int], others: list[int], fpr: float) -> None:
    """As scikit-learn draws it, over unique scores."""
    inside, outside = np.array(members, float), np.array(others, float)
    limit = threshold(outside, fpr)
    truth, scores = np.r_[np.ones(len(inside)), np.zeros(len(outside))], np.r_[inside, outside]
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    reachable = false <= fpr + 1e-12
    assert limit.fpr == pytest.approx(false[reachable].max(), abs=1e-12)
    assert (inside > limit.score).mean() in true[np.isclose(false, limit.fpr, atol=1e-12)]
    assert area_under_curve(inside, outside) == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


@pytest.mark.parametrize("people", [0, 15])
def test_the_interval_of_the_area_covers_it(people: int) -> None:
    """Also where the rows of a person go up and down together."""
    rng = np.random.default_rng(people)
    truth, covered, runs = 0.638, 0, 300
    for _ in range(runs):
        codes = np.repeat(np.arange(people), 10) if people else np.arange(150)
        own = [rng.normal(0, 0.7, max(people, 150))[codes] if people else rng.normal(0, 0.7, 150) for _ in range(2)]
        members, others = (
            shift + mean + rng.normal(0, 0.714, 150) for shift, mean in zip((0.5, 0.0), own, strict=True)
        )
        interval = auc_interval(members, others, (codes, codes) if people else None, 0.95)
        assert interval is not None
        covered += interval.low <= truth <= interval.high
    assert covered / runs >= 0.92


def test_an_area_of_one_has_room_below() -> None:
    interval = auc_interval(np.full(30, 2.0), np.full(30, 1.0), None, 0.95)
    assert interval is not None
    assert interval.high == 1.0
    assert 0.8 < interval.low < 1.0
