"""Scores of an attacker with shadow models, against definitions written out row by row."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from audit_pipeline.privacy.attacks import lira, rmia, student_t
from audit_pipeline.privacy.attacks.catalogue import BY_SHADOWS
from audit_pipeline.privacy.attacks.losses import by_class
from audit_pipeline.privacy.attacks.moments import rounding_variance
from audit_pipeline.privacy.attacks.strata import strata
from audit_pipeline.privacy.pseudo_targets import pseudo_scores, target_scores
from audit_pipeline.privacy.roc import area_under_curve, threshold
from audit_pipeline.privacy.shadow_table import ShadowTable
from benchmarks.privacy_worlds import STEP, as_int8, world


def recognised(table: ShadowTable, scores: np.ndarray, fpr: float = 0.01) -> float:
    """TPR over all shadows taken as targets."""
    limit = threshold(scores[~table.inside], fpr)
    return float((scores[table.inside] > limit.score).mean())


def test_lira_is_a_ratio_of_normal_densities() -> None:
    """Algorithm 1 of Carlini et al., row by row."""
    table = world(np.random.default_rng(0), members=20, others=20)
    scores = lira.online(table.target, table.shadows, table.inside, table.y, variance="example")
    for row, phi in enumerate(table.target):
        within, without = (table.shadows[chosen, row] for chosen in (table.inside[:, row], ~table.inside[:, row]))
        expected = norm.logpdf(phi, within.mean(), within.std()) - norm.logpdf(phi, without.mean(), without.std())
        assert scores[row] == pytest.approx(expected, rel=1e-9)


def test_lira_offline_orders_as_the_tail_of_those_outside_does() -> None:
    table = world(np.random.default_rng(1), members=20, others=20)
    scores = lira.offline(table.target, table.shadows, table.inside, table.y, variance="example")
    for row, phi in enumerate(table.target):
        without = table.shadows[~table.inside[:, row], row]
        assert norm.cdf(scores[row]) == pytest.approx(norm.cdf(phi, without.mean(), without.std()), rel=1e-9)


def test_rmia_counts_the_rows_that_a_row_outweighs() -> None:
    table = world(np.random.default_rng(2), members=20, others=20)
    scores = rmia.score(table.target, table.shadows, table.inside, table.y)
    p = 1 / (1 + np.exp(-table.target))
    reference = (1 / (1 + np.exp(-table.shadows))).mean(axis=0)
    ratio = p / reference
    expected = [((ratio < mine).sum() + (ratio == mine).sum() / 2) / len(ratio) for mine in ratio]
    assert scores == pytest.approx(expected, abs=1e-12)


def test_the_student_t_score_is_the_ratio_of_marginal_likelihoods() -> None:
    """Numerically: the prior's parameters fixed, means and shift integrated out on a grid, for one row."""
    table = world(np.random.default_rng(3), members=200, others=200, leak=1.0)
    within, without = (student_t.moments(table.shadows, chosen) for chosen in (table.inside, ~table.inside))
    prior = student_t._prior(within, without, rounding_variance(table.shadows), table.y)
    scores = student_t.score(table.target, table.shadows, table.inside, table.y)
    row = 7
    inside = table.inside[:, row]
    phi, d0, s0 = table.target[row], prior.freedom, prior.variance[row]
    rho, shift, kappa = prior.ratio[row], prior.shift[row], prior.precision[row]
    rng = np.random.default_rng(4)
    draws = 400_000
    variance = d0 * s0 / rng.chisquare(d0, draws)
    delta = shift + rng.normal(0, 1, draws) * np.sqrt(variance / kappa)

    def log_likelihood(values_out: np.ndarray, values_in: np.ndarray) -> np.ndarray:
        """Of the values given σ² and δ, with μ integrated over the line."""
        values = np.concatenate([values_out[:, None] + 0 * delta, values_in[:, None] - delta])
        weights = np.r_[np.ones(len(values_out)), np.full(len(values_in), 1 / rho)][:, None]
        middle = (weights * values).sum(axis=0) / weights.sum()
        squares = (weights * np.square(values - middle)).sum(axis=0)
        constant = 0.5 * np.log(weights).sum() - 0.5 * np.log(weights.sum())
        return constant - squares / (2 * variance) - (len(values) - 1) / 2 * np.log(variance)

    out, within_values = table.shadows[~inside, row], table.shadows[inside, row]
    as_member = log_likelihood(out, np.r_[within_values, phi])
    as_stranger = log_likelihood(np.r_[out, phi], within_values)
    top = max(as_member.max(), as_stranger.max())
    expected = np.log(np.exp(as_member - top).mean()) - np.log(np.exp(as_stranger - top).mean())
    assert scores[row] == pytest.approx(expected, abs=0.05)


def test_the_density_is_that_of_scipy() -> None:
    phi, mean, spread, freedom = np.array([0.0, 3.0, -40.0]), np.array([0.1, 0.0, 2.0]), np.array([1.0, 2.0, 0.5]), 5.5
    assert student_t._log_t(phi, mean, spread, np.full(3, freedom)) == pytest.approx(
        t.logpdf(phi, freedom, mean, np.sqrt(spread)), rel=1e-12
    )


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("shadows", [4, 16])
def test_the_prior_pays_where_shadows_are_few(shadows: int, int8: bool) -> None:
    """Against LiRA with a variance for each row; twice it with 4 shadows."""
    tables = [
        world(np.random.default_rng(seed), members=1000, others=1000, shadows=shadows, leak=1.0, int8=int8)
        for seed in range(3)
    ]

    def of_target(score: object) -> float:
        rates = []
        for table in tables:
            scores = score(table.target, table.shadows, table.inside, table.y)  # type: ignore[operator]
            limit = threshold(scores[~table.member], 0.01)
            rates.append((scores[table.member] > limit.score).mean())
        return float(np.mean(rates))

    def example(*of: np.ndarray) -> np.ndarray:
        return lira.online(*of, variance="example")  # type: ignore[arg-type]

    assert of_target(student_t.score) >= (2.0 if shadows == 4 else 1.2) * of_target(example)


@pytest.mark.parametrize("shadows", [4, 6, 16])
@pytest.mark.parametrize("attack", BY_SHADOWS)
def test_a_leak_is_found_on_pseudo_targets_and_none_where_there_is_none(attack: str, shadows: int) -> None:
    leaking = world(np.random.default_rng(5), members=500, others=500, shadows=shadows, leak=1.5)
    tight = world(np.random.default_rng(6), members=500, others=500, shadows=shadows)
    assert recognised(leaking, pseudo_scores(leaking, attack), 0.1) > 0.15
    scores = pseudo_scores(tight, attack)
    area = area_under_curve(scores[tight.inside], scores[~tight.inside])
    assert area == pytest.approx(0.5, abs=0.02), "the number of shadows on either side must not tell"


@pytest.mark.parametrize("attack", BY_SHADOWS)
def test_saturated_outputs_have_finite_scores(attack: str) -> None:
    table = world(np.random.default_rng(7), sureness=9.0, int8=True)
    assert np.ptp(table.shadows, axis=0).min() == 0, "all models agree on some rows"
    for scores in (target_scores(table, attack), pseudo_scores(table, attack)):
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("attack", BY_SHADOWS)
def test_one_value_for_everything_is_one_score_a_class(attack: str) -> None:
    table = world(np.random.default_rng(8), members=60, others=60)
    same = np.full_like(table.shadows, 2.0)
    scores = BY_SHADOWS[attack](same[0], same, table.inside, table.y)
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) == 1


def test_rounding_hides_the_width_of_a_cell() -> None:
    phi = as_int8(np.random.default_rng(9).normal(0, 0.2, (16, 500)))
    cell = STEP / 0.25  # dφ/dp at one half
    assert np.median(rounding_variance(phi)) == pytest.approx(cell**2 / 12, rel=0.1)


def test_rounding_hides_nothing_of_values_that_do_not_tie() -> None:
    assert not rounding_variance(np.random.default_rng(9).normal(0, 1, (16, 500))).any()


def test_a_stratum_is_of_one_class_and_large() -> None:
    rng = np.random.default_rng(10)
    y = np.repeat([0, 1, 2, 3], [1000, 450, 60, 50])
    level = rng.normal(0, 1, len(y))
    codes = strata(level, y)
    assert np.bincount(codes).min() >= 100
    assert all(len(np.unique(y[codes == code])) == 1 for code in np.unique(codes[y < 2]))
    assert np.unique(codes).tolist() == list(range(codes.max() + 1))


def test_a_class_is_judged_by_its_own_strangers() -> None:
    scores = by_class(
        np.array([0.5, 0.5, 2.5]), np.array([0, 1, 2]), np.array([0.0, 1.0, 2.0, 3.0]), np.array([0, 0, 1, 1])
    )
    assert scores.tolist() == [0.5, 0.0, 0.75]
