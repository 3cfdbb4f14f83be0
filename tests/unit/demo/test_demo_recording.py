from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from audit_pipeline.demo.person import FEMALE, MALE, draw_person
from audit_pipeline.demo.recording import (
    CHANNELS,
    NORMAL,
    R_SAMPLE,
    SUPRAVENTRICULAR,
    VENTRICULAR,
    WINDOW,
    record,
)

BEATS = 200


def recordings(sex, count=40):
    rng = np.random.default_rng(7)
    for _ in range(count):
        person = draw_person(sex, int(rng.integers(20, 90)), rng)
        yield person, record(person, BEATS, rng)


@cache
def people(sex):
    """Two hundred, each drawn after the recording of the one before."""
    return [person for person, _ in recordings(sex, 200)]


@pytest.mark.parametrize("sex", [FEMALE, MALE])
def test_recordings_are_finite_float32_in_millivolts(sex):
    for _, recording in recordings(sex, 10):
        assert recording.x.shape == (BEATS, WINDOW, CHANNELS)
        assert recording.x.dtype == np.float32
        assert np.isfinite(recording.x).all()
        assert np.abs(recording.x[:, :, 0]).max() < 6
        assert set(np.unique(recording.label)) == {NORMAL, SUPRAVENTRICULAR, VENTRICULAR}


@pytest.mark.parametrize("sex", [FEMALE, MALE])
def test_the_r_peak_dominates_the_mean_normal_beat(sex):
    for _, recording in recordings(sex, 20):
        mean = recording.x[recording.label == NORMAL, :, 0].mean(axis=0)
        assert abs(int(mean.argmax()) - R_SAMPLE) <= 1


def test_premature_beats_come_early_and_normal_ones_on_time():
    for person, recording in recordings(MALE, 20):
        before = recording.x[:, 0, 1]
        assert np.all(before[recording.label == SUPRAVENTRICULAR] < 0)
        assert before[recording.label == VENTRICULAR].mean() < -0.1 * person.mean_rr / 0.2
        assert np.median(before[recording.label == NORMAL]) == pytest.approx(0, abs=0.1)


def test_the_pause_after_a_ventricular_beat_is_longer_than_after_a_supraventricular_one():
    pauses = {SUPRAVENTRICULAR: [], VENTRICULAR: []}
    for _, recording in recordings(MALE, 20):
        for label, seen in pauses.items():
            seen.extend(recording.x[recording.label == label, 0, 2])
    assert np.mean(pauses[VENTRICULAR]) > np.mean(pauses[SUPRAVENTRICULAR]) > 0


def test_a_ventricular_beat_is_broad_and_has_no_p_wave():
    rng = np.random.default_rng(3)
    person = draw_person(MALE, 40, rng)
    person = dataclasses.replace(person, focus=1.0, focus_width=1.8, noise=0.0, wander=0.0)
    recording = record(person, BEATS, rng)
    normal, ventricular = (recording.x[recording.label == kind, :, 0].mean(axis=0) for kind in (NORMAL, VENTRICULAR))

    def samples_above_half(trace):
        near = trace[R_SAMPLE - 15 : R_SAMPLE + 16]
        return int((near > near.max() / 2).sum())

    assert samples_above_half(ventricular) > 1.4 * samples_above_half(normal)
    p_wave = slice(R_SAMPLE - 24, R_SAMPLE - 12)
    assert normal[p_wave].max() > ventricular[p_wave].max() + 0.05


def test_no_two_premature_beats_follow_each_other():
    for _, recording in recordings(FEMALE, 20):
        early = recording.label != NORMAL
        assert not np.any(early[1:] & early[:-1])


def test_women_have_lower_qrs_and_more_upward_ventricular_beats():
    women, men = people(FEMALE), people(MALE)
    r = [np.mean([person.waves.height.max() for person in drawn]) for drawn in (women, men)]
    upwards = [np.mean([person.focus > 0 for person in drawn]) for drawn in (women, men)]
    assert 0.6 < r[0] / r[1] < 0.9
    assert upwards[0] == pytest.approx(0.87, abs=0.08)
    assert upwards[1] == pytest.approx(0.52, abs=0.1)


def test_sex_does_not_change_how_often_premature_beats_come():
    shares = [np.mean([person.ventricular_share for person in people(sex)]) for sex in (FEMALE, MALE)]
    assert shares[0] == pytest.approx(shares[1], abs=0.005)
