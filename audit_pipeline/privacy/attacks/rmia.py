"""The robust membership inference attack, RMIA (Zarifzadeh, Liu & Shokri 2024, ICML, arXiv:2312.03262)."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from audit_pipeline.privacy.shadow_table import Codes, Mask, Scores

_LEAST_PROBABILITY = 1e-30


def score(phi: Scores, shadows: Scores, inside: Mask, y: Codes) -> Scores:
    """[n] share of the other rows z with LR(x, z) = [p(x|θ) / p(x)] / [p(z|θ) / p(z)] ≥ γ: equations 3 and 4.

    p(x|θ) is the probability of the true class, 1 / (1 + e^−φ), and p(x) its mean over models half of which were
    trained on x (section 3.2, online). All rows attacked are the population that z is drawn from, and γ = 1: a larger γ
    would only tie the rows that stand out. Ties count half.

    Arguments as of `lira.online`.
    """
    likelihood = expit(shadows)
    within, without = _mean(likelihood, inside), _mean(likelihood, ~inside)
    ratio = expit(phi) / np.maximum((within + without) / 2, _LEAST_PROBABILITY)
    ordered = np.sort(ratio)
    below, up_to = np.searchsorted(ordered, ratio, "left"), np.searchsorted(ordered, ratio, "right")
    return np.asarray((below + up_to) / (2 * len(ratio)))


def _mean(values: Scores, chosen: Mask) -> Scores:
    return np.asarray(np.where(chosen, values, 0.0).sum(axis=0) / np.maximum(chosen.sum(axis=0), 1))
