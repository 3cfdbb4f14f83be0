"""The likelihood ratio attack, LiRA (Carlini et al. 2022, IEEE S&P, arXiv:2112.03570).

A row's φ is taken as normal over models that were trained on it and over models that were not. With few shadows the
authors estimate one variance for all rows (section VI-C); that is the default here, as the variance of one row is then
hardly known, and where int8 outputs saturate it is zero.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from audit_pipeline.privacy.attacks.moments import Moments, moments, rounding_variance
from audit_pipeline.privacy.shadow_table import Codes, Mask, Scores

VarianceOf = Literal["example", "global"]

_LEAST_VARIANCE = 1e-12


def online(phi: Scores, shadows: Scores, inside: Mask, y: Codes, *, variance: VarianceOf = "global") -> Scores:
    """[n] ln p(φ | N(μ_in, σ²_in)) − ln p(φ | N(μ_out, σ²_out)): algorithm 1.

    Args:
        phi: [n] of the model attacked.
        shadows: [K', n] of the attacker's models; every row in some of them and out of some.
        inside: [K', n] whether the model was trained on the row.
        y: [n] classes; not looked at.
        variance: of each row by itself, or one for all rows, of each side.
    """
    within, without = moments(shadows, inside), moments(shadows, ~inside)
    hidden = rounding_variance(shadows)
    spread_in, spread_out = (_variance(one, other, hidden, variance) for one, other in _each(within, without))
    return _log_normal(phi, within.mean, spread_in) - _log_normal(phi, without.mean, spread_out)


def offline(phi: Scores, shadows: Scores, inside: Mask, y: Codes, *, variance: VarianceOf = "global") -> Scores:
    """[n] (φ − μ_out) / σ_out: orders as 1 − Pr[N(μ_out, σ²_out) > φ] does (equation 4), but never saturates.

    Models that were trained on a row are not looked at (but where of every row there is one model a side, and no
    variance without both): this attacker could train before knowing whom to look for.
    Arguments as of `online`.
    """
    within, without = moments(shadows, inside), moments(shadows, ~inside)
    return (phi - without.mean) / np.sqrt(_variance(without, within, rounding_variance(shadows), variance))


def _each(within: Moments, without: Moments) -> tuple[tuple[Moments, Moments], tuple[Moments, Moments]]:
    return (within, without), (without, within)


def _log_normal(phi: Scores, mean: Scores, variance: Scores) -> Scores:
    return np.asarray(-0.5 * (np.square(phi - mean) / variance + np.log(variance)))


def _variance(models: Moments, others: Moments, hidden: Scores, of: VarianceOf) -> Scores:
    """[n] never below what rounding hides."""
    own = models.variance if of == "example" else np.full_like(models.mean, _pooled(models, others))
    return np.maximum(own, np.maximum(hidden, _LEAST_VARIANCE))


def _pooled(models: Moments, others: Moments) -> float:
    """One variance for all rows; where none has two models of a side, half the squared distance of the sides."""
    freedom = models.freedom.sum()
    if freedom > 0:
        return float(models.squares.sum() / freedom)
    return float(np.square(models.mean - others.mean).mean() / 2)
