"""A likelihood ratio whose means and variances are learnt from all rows, and by each row only as far as it can tell.

Of a row, models that were not trained on it give φ ~ N(μ, σ²), models that were φ ~ N(μ + δ, ρσ²). A handful of shadows
says little about one row's σ² and δ; thousands of rows say much about how these are distributed. So they get a
normal-inverse-gamma prior fitted by empirical Bayes (as in Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3; for
membership Brännvall 2026, arXiv:2603.11799): σ² ~ scaled inverse χ² with d₀ degrees of freedom, δ | σ² ~ N(δ₀, σ²/κ), μ
anything. s₀², δ₀, κ and ρ are those of the row's stratum. Everything is conjugate, and so the marginal likelihood of a
new φ is a Student-t density.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaln, polygamma

from audit_pipeline.privacy.attacks.moments import Moments, moments, rounding_variance
from audit_pipeline.privacy.attacks.strata import averages, strata
from audit_pipeline.privacy.shadow_table import Codes, Mask, Scores

_LEAST_VARIANCE = 1e-12
_LEAST_FREEDOM, _MOST_FREEDOM = 2.0, 200.0
_MOST_SHIFT_PRECISION = 1e4
_HEAVY_TAIL = 5.0
"""Most degrees of freedom of the densities. φ of one row over trainings has heavier tails than a normal variable, of
which a few shadows show nothing, and at low false-positive rates the tail is all that counts."""
_BELIEVED_RATIO = 0.5
"""How far ρ is believed, as an exponent: models that were trained on a row also agree where outputs saturate, which
says nothing of how far one could lie from the others."""


def score(phi: Scores, shadows: Scores, inside: Mask, y: Codes) -> Scores:
    """[n] logarithm of the ratio of the marginal likelihoods of φ: trained on the row against not.

    Arguments as of `lira.online`.
    """
    within, without = moments(shadows, inside), moments(shadows, ~inside)
    prior = _prior(within, without, rounding_variance(shadows), y)
    return _log_ratio(phi, within, without, prior)


@dataclass(frozen=True)
class _Prior:
    """[n] each but for the freedom: what is believed of a row before its own shadows are seen."""

    freedom: float
    variance: Scores
    """s₀², of models that were not trained on the row."""
    ratio: Scores
    """ρ: variance of models that were, to that of models that were not."""
    shift: Scores
    """δ₀."""
    precision: Scores
    """κ."""
    hidden: Scores
    """Variance below which rounding hides everything."""


def _prior(within: Moments, without: Moments, hidden: Scores, y: Codes) -> _Prior:
    codes = strata((within.mean + without.mean) / 2, y)
    floor = np.maximum(hidden, _LEAST_VARIANCE)
    difference = within.mean - without.mean
    shift = averages(difference, codes)[codes]
    ratio = _ratio(within, without, floor, codes)[codes]
    freedom = within.freedom + without.freedom
    squares = without.squares + within.squares / ratio
    if not freedom.any():
        # One model a side: what the sides differ by is all that is seen, and is put down to chance.
        freedom, squares = np.ones_like(freedom), np.square(difference - shift) / 2
    believed, prior_freedom = _inverse_gamma(np.maximum(squares / np.maximum(freedom, 1), floor), freedom, codes)
    believed = np.maximum(believed, floor)
    noise = ratio / within.count + 1 / without.count
    spread = averages(np.square(difference - shift) / believed, codes)[codes]
    precision = 1 / np.maximum(spread - noise, 1 / _MOST_SHIFT_PRECISION)
    return _Prior(prior_freedom, believed, ratio, shift, precision, floor)


def _ratio(within: Moments, without: Moments, floor: Scores, codes: Codes) -> Scores:
    """[strata] ρ, of geometric means, which a few wild rows do not move; 1 where no row has two models on each side."""
    if not (within.freedom.all() and without.freedom.all()):
        return np.ones(int(codes.max()) + 1)
    logs = [np.log(np.maximum(models.squares / models.freedom, floor)) for models in (within, without)]
    return np.exp(_BELIEVED_RATIO * averages(logs[0] - logs[1], codes))


def _inverse_gamma(variance: Scores, freedom: Scores, codes: Codes) -> tuple[Scores, float]:
    """[n] s₀² of each row's stratum, and d₀ of all, by the moments of ln s² (Smyth 2004, section 6.2)."""
    half = np.maximum(freedom, 1) / 2
    logs = np.log(variance) - digamma(half) + np.log(half)
    middle = averages(logs, codes)[codes]
    left = float(np.mean(np.square(logs - middle) - polygamma(1, half)))
    d0 = _freedom_of(left)
    return np.exp(middle + digamma(d0 / 2) - np.log(d0 / 2)), d0


def _freedom_of(variance_of_log: float) -> float:
    """d₀ with ψ′(d₀ / 2) = the variance of ln σ² between rows."""

    def excess(d0: float) -> float:
        return float(polygamma(1, d0 / 2)) - variance_of_log

    if excess(_MOST_FREEDOM) >= 0:
        return _MOST_FREEDOM
    return _LEAST_FREEDOM if excess(_LEAST_FREEDOM) <= 0 else float(brentq(excess, _LEAST_FREEDOM, _MOST_FREEDOM))


def _log_ratio(phi: Scores, within: Moments, without: Moments, prior: _Prior) -> Scores:
    """The posterior by completing squares, in units of 1/σ²; δ is integrated out of each side's view of the other."""
    seen_in, seen_out = within.count / prior.ratio, without.count
    lent_out = _in_series(seen_in, prior.precision)
    lent_in = _in_series(seen_out, prior.precision)
    mean_out = (seen_out * without.mean + lent_out * (within.mean - prior.shift)) / (seen_out + lent_out)
    mean_in = (seen_in * within.mean + lent_in * (without.mean + prior.shift)) / (seen_in + lent_in)
    surprise = np.square(within.mean - without.mean - prior.shift) * _in_series(seen_out, lent_out)
    freedom = prior.freedom + within.count + without.count - 1
    tail = np.minimum(freedom, _HEAVY_TAIL)
    squares = prior.freedom * prior.variance + without.squares + within.squares / prior.ratio + surprise
    variance = np.maximum(squares / freedom, prior.hidden)
    spread_in, spread_out = (
        variance * (prior.ratio + 1 / (seen_in + lent_in)),
        variance * (1 + 1 / (seen_out + lent_out)),
    )
    return _log_t(phi, mean_in, spread_in, tail) - _log_t(phi, mean_out, spread_out, tail)


def _in_series(one: Scores, other: Scores) -> Scores:
    """Precision that is left of a value seen through two noises."""
    return one * other / np.maximum(one + other, 1e-300)


def _log_t(phi: Scores, mean: Scores, spread: Scores, freedom: Scores) -> Scores:
    """Log density of a Student-t of this location, squared scale and freedom."""
    constant = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - 0.5 * np.log(freedom * np.pi)
    return np.asarray(
        constant - 0.5 * np.log(spread) - (freedom + 1) / 2 * np.log1p(np.square(phi - mean) / (spread * freedom))
    )
