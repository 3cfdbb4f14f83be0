"""What noisy steps on Poisson samples come to: Rényi differential privacy, turned into epsilon and delta.

Own code, as dp-accounting 0.6 needs an attrs that other dependencies of this project have left behind; its values are
what the tests hold this against. Neighbouring data sets differ by one unit (a row, or a person) more or less.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ORDERS = np.array([*(1 + tenth / 10 for tenth in range(1, 100)), *range(11, 65), 128.0, 256.0, 512.0, 1024.0])
"""Of Rényi divergence; the best of them gives epsilon. Any set gives a true bound, a finer one a slightly lower."""

_TAIL = 40.0
"""Standard deviations beyond which a normal density is below 1e-347."""

_MOST_NOISE = 1e4
_SHARE = 1e-4
"""How much more noise than needed may be given, as a share of it."""


def rdp(rate: float, noise: float, order: float) -> float:
    """Rényi divergence of one step: the sampled Gaussian mechanism (Mironov, Talwar & Zhang 2019, section 3.3).

    ε(α) = log A / (α − 1) with A = E over z ~ N(0, σ²) of ((1 − q) + q · exp((2z − 1) / 2σ²))^α. The other direction is
    smaller (their theorem 5). The integrand is analytic in a strip about the real axis and falls off like a normal
    density, so equal steps (the trapezoidal rule) are exact up to rounding: at h of a quarter of σ, and an eighth at
    most, in standard deviations, the error is below e^−79.

    Args:
        rate: q, the chance that a unit is in a step's sample, above 0 and at most 1.
        noise: σ, the standard deviation of the noise in units of the largest norm of what a unit adds.
        order: α > 1.

    Returns:
        In nats.
    """
    if rate == 1:
        return order / (2 * noise**2)  # Mironov 2017, corollary 3: the Gaussian mechanism
    width = min(0.125, noise / 4)
    z = np.arange(-_TAIL, order / noise + _TAIL, width)
    ratio = np.logaddexp(math.log1p(-rate), math.log(rate) + z / noise - 1 / (2 * noise**2))
    terms = order * ratio - z**2 / 2
    peak = terms.max()
    log_a = peak + math.log(np.exp(terms - peak).sum()) + math.log(width) - math.log(2 * math.pi) / 2
    return max(0.0, float(log_a)) / (order - 1)


def epsilon(rate: float, noise: float, steps: int, delta: float) -> float:
    """The epsilon that so many steps keep at a delta.

    Steps add up order by order (Mironov 2017, proposition 1). ε = min over α of ε(α) + log((α − 1) / α)
    − (log δ + log α) / (α − 1) (Canonne, Kamath & Steinke 2020, proposition 12; Balle et al. 2020, theorem 21).

    Args:
        rate: as for `rdp`.
        noise: as for `rdp`.
        steps: how many, one at least.
        delta: above 0 and below 1.
    """
    spent = steps * np.array([rdp(rate, noise, order) for order in ORDERS])
    return max(0.0, float(_converted(spent, delta).min()))


def _converted(spent: NDArray[np.float64], delta: float) -> NDArray[np.float64]:
    found = spent + np.log1p(-1 / ORDERS) - (math.log(delta) + np.log(ORDERS)) / (ORDERS - 1)
    return np.asarray(found, np.float64)


def noise_for(budget: float, rate: float, steps: int, delta: float) -> float | None:
    """The least noise, up to one in ten thousand more, whose steps keep an epsilon; None where 10,000 is too little."""
    low, high = 0.0, 1.0
    while epsilon(rate, high, steps, delta) > budget:
        low, high = high, 2 * high
        if high > _MOST_NOISE:
            return None
    while high - low > _SHARE * high:
        middle = (low + high) / 2
        low, high = (middle, high) if middle < _SHARE or epsilon(rate, middle, steps, delta) > budget else (low, middle)
    return high
