from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from audit_pipeline.demo.heartbeat import QRS, P, Q, R, S, T, reference_waves


def test_waves_come_in_the_order_of_a_heart_beat_with_r_the_highest():
    waves = reference_waves(1.0)
    assert np.all(np.diff(waves.centre) > 0)
    assert waves.height[R] == 1.0
    assert np.all(np.abs(np.delete(waves.height, R)) < 0.5)
    assert np.all(waves.height[[Q, S]] < 0)
    assert np.all(waves.height[[P, T]] > 0)


def test_at_sixty_beats_a_minute_the_angles_are_those_of_the_paper():
    expected = np.array([-1 / 6, -1 / 24, 0, 1 / 24, 1 / 4])
    np.testing.assert_allclose(reference_waves(1.0).centre, expected)


def test_the_closed_form_is_the_integral_of_the_papers_equation_without_its_pull_to_the_baseline():
    a, b = np.array([1.2, -5.0, 30.0, -7.5, 0.75]), np.array([0.25, 0.1, 0.1, 0.1, 0.4])
    events = np.array([-np.pi / 3, -np.pi / 12, 0.0, np.pi / 12, np.pi / 2])

    def slope(t, _):
        distance = 2 * np.pi * t - events
        return [-(a * distance * np.exp(-(distance**2) / (2 * b**2))).sum()]

    seconds = np.linspace(-0.49, 0.49, 200)
    integral = solve_ivp(slope, (-0.49, 0.49), [0.0], t_eval=seconds, rtol=1e-9, atol=1e-10).y[0]
    trace = reference_waves(1.0).at(seconds)
    scale = 2 * np.pi / (a * b**2)[R]
    np.testing.assert_allclose(integral * scale - integral[0] * scale, trace - trace[0], atol=1e-4)


@pytest.mark.parametrize("mean_rr", [0.6, 0.8, 1.2])
def test_the_qt_interval_shortens_less_than_the_rr_interval(mean_rr):
    shortened = reference_waves(mean_rr).centre[T] / reference_waves(1.0).centre[T]
    assert abs(shortened - 1) < abs(mean_rr - 1)
    assert np.sign(shortened - 1) == np.sign(mean_rr - 1)


def test_many_beats_at_once_equal_one_at_a_time():
    waves = reference_waves(0.8)
    seconds = np.linspace(-0.3, 0.5, 50)
    stacked = type(waves)(*(np.stack([field] * 3) for field in (waves.centre, waves.height, waves.width)))
    assert stacked.at(seconds).shape == (3, 50)
    np.testing.assert_array_equal(stacked.at(seconds)[1], waves.at(seconds))
    assert sorted(QRS) == [Q, R, S]
