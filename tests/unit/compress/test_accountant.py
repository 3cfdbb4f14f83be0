from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import comb, logsumexp

from audit_pipeline.compress.dp_sgd.accountant import ORDERS, epsilon, noise_for, rdp

# rate, noise, steps, delta; epsilon by dp-accounting 0.6.0 with Rényi accounting, and with privacy loss distributions,
# which are as good as exact. Where its series of a fractional order does not end, it takes the next order.
BY_DP_ACCOUNTING = [
    (256 / 60000, 1.3, 3515, 1e-5, 0.9544295087299243, 0.8644586715033307),
    (256 / 60000, 1.1, 14062, 1e-5, 2.5965558697943036, 2.381686002234784),
    (256 / 60000, 0.7, 10546, 1e-5, 6.3194644981868615, 5.639446665980107),
    (0.01, 4.0, 10000, 1e-5, 1.0354900660364362, 0.9469993068930963),
    (1.0, 2.0, 10, 1e-6, 8.84687435850794, 8.306225083547787),
    (0.1, 0.5, 100, 1e-5, 36.96666522047155, 31.37099507850233),
    (0.5, 10.0, 50, 1e-3, 1.044034498247999, 0.9035729449556645),
    (0.001, 0.8, 1000, 1e-6, 1.4618758595413746, 0.4676949607840331),
    (0.9, 1.0, 3, 1e-4, 7.669634937360092, 7.0029566733131485),
    (0.02, 0.3, 20, 1e-5, 27.205543937892152, 22.481063384370927),
]


@pytest.mark.parametrize(("rate", "noise", "steps", "delta", "renyi", "exact"), BY_DP_ACCOUNTING)
def test_epsilon_lies_between_what_is_exact_and_dp_accountings(
    rate: float, noise: float, steps: int, delta: float, renyi: float, exact: float
) -> None:
    found = epsilon(rate, noise, steps, delta)
    assert exact < found <= renyi * (1 + 1e-9)
    assert found == pytest.approx(renyi, rel=0.05)


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "published"),
    [
        (0.01, 4.0, 10_000, 1.26),  # Abadi et al. 2016, section 3.2, by moments
        (256 / 60000, 1.12, 14_062, 2.92),  # tutorials of TensorFlow Privacy, on MNIST
        (256 / 60000, 1.2, 2_343, 1.20),
    ],
)
def test_by_the_conversion_of_their_time_published_values_come_out(
    rate: float, noise: float, steps: int, published: float
) -> None:
    """Mironov 2017, proposition 3: ε(α) + log(1/δ) / (α − 1); the conversion of 2020 gives less."""
    by_moments = min(steps * rdp(rate, noise, order) + math.log(1e5) / (order - 1) for order in ORDERS)
    assert by_moments == pytest.approx(published, abs=0.006)
    assert epsilon(rate, noise, steps, 1e-5) < by_moments


@given(
    rate=st.floats(1e-4, 0.999),
    noise=st.floats(0.3, 20),
    order=st.integers(2, 64),
)
def test_whole_orders_are_the_binomial_sum(rate: float, noise: float, order: int) -> None:
    """Mironov, Talwar & Zhang 2019, section 3.3, for whole α."""
    k = np.arange(order + 1)
    terms = np.log(comb(order, k)) + (order - k) * math.log1p(-rate) + k * math.log(rate)
    expected = logsumexp(terms + (k * k - k) / (2 * noise**2)) / (order - 1)
    assert rdp(rate, noise, order) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("rate", "noise", "order"), [(0.1, 0.5, 1.1), (0.01, 1.0, 2.7), (0.5, 2.0, 10.3)])
def test_broken_orders_are_the_integral(rate: float, noise: float, order: float) -> None:
    def integrand(z: float) -> float:
        density = math.exp(-z * z / (2 * noise**2)) / (noise * math.sqrt(2 * math.pi))
        return float(density * (1 - rate + rate * math.exp((2 * z - 1) / (2 * noise**2))) ** order)

    pieces = np.arange(math.floor(-12 * noise), order + 12 * noise)
    total = sum(quad(integrand, at, at + 1, epsabs=0, epsrel=1e-13)[0] for at in pieces)
    assert rdp(rate, noise, order) == pytest.approx(math.log(total) / (order - 1), rel=1e-9)


@given(st.floats(1.05, 200), st.floats(0.3, 10))
def test_where_everybody_is_drawn_it_is_the_gaussian_mechanism(order: float, noise: float) -> None:
    assert rdp(1.0, noise, order) == order / (2 * noise**2)
    assert rdp(1 - 1e-12, noise, order) == pytest.approx(order / (2 * noise**2), rel=1e-6)


def test_noise_is_the_least_that_keeps_the_budget() -> None:
    noise = noise_for(3.0, 0.1, 200, 1e-5)
    assert noise is not None
    assert epsilon(0.1, noise, 200, 1e-5) <= 3.0 < epsilon(0.1, noise * (1 - 2e-4), 200, 1e-5)


def test_a_budget_that_no_noise_keeps_is_told() -> None:
    assert noise_for(1e-6, 1.0, 1000, 1e-5) is None
