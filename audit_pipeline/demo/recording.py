"""A person's recording: a rhythm with premature beats, cut into one window a beat.

Normal (N), premature supraventricular (S: early, its P wave altered) and premature ventricular beats (V: early,
broad, no P, opposed T, then a compensatory pause).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.demo.heartbeat import QRS, Floats, P, T, Waves
from audit_pipeline.demo.person import Person

CLASSES = ("N", "S", "V")
NORMAL, SUPRAVENTRICULAR, VENTRICULAR = range(3)

SAMPLE_RATE = 125.0
"""Hz."""
WINDOW = 128
"""Samples a beat."""
R_SAMPLE = 44
"""Where the R peak lies in the window."""
CHANNELS = 3
"""The trace in mV; the RR interval before the beat and the one after, less the median, in units of LARGE_SQUARE."""
LARGE_SQUARE = 0.2
"""Seconds: the large square of ECG paper, which puts intervals on the scale of the trace."""


@dataclass(frozen=True)
class Recording:
    """One person's beats, in the order they came."""

    x: NDArray[np.float32]
    """Shape [beats, WINDOW, CHANNELS]."""
    label: NDArray[np.int64]
    """Index into CLASSES, shape [beats]."""


def record(person: Person, beats: int, rng: np.random.Generator) -> Recording:
    """Record so many beats of a person; same person, number and generator state, same recording."""
    label = _draw_labels(person, beats + 2, rng)
    rr = _draw_intervals(person, label, rng)
    inner = slice(1, beats + 1)
    trace = _draw_trace(person, label, rr, rng)[inner]
    relative = (rr - np.median(rr)) / LARGE_SQUARE
    x = np.empty((beats, WINDOW, CHANNELS), dtype=np.float32)
    x[:, :, 0] = trace
    x[:, :, 1] = relative[inner, None]
    x[:, :, 2] = relative[2 : beats + 2, None]
    return Recording(x=x, label=label[inner])


def _draw_labels(person: Person, beats: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Premature beats in random places, never two in a row, none at either end."""
    label = np.zeros(beats, dtype=np.int64)
    places = 1 + 2 * rng.permutation((beats - 2) // 2)
    ventricular = round(person.ventricular_share * beats)
    supraventricular = round(person.supraventricular_share * beats)
    label[places[:ventricular]] = VENTRICULAR
    label[places[ventricular : ventricular + supraventricular]] = SUPRAVENTRICULAR
    return label


def _draw_intervals(person: Person, label: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """RR interval before each beat, seconds. The pause after V makes up for its earliness, after S it does not."""
    beats = len(label)
    breath = np.sin(2 * np.pi * (0.25 * person.mean_rr * np.arange(beats) + rng.uniform()))
    sinus = 1.0 + person.rr_variation * (breath + rng.normal(size=beats)) / np.sqrt(1.5)
    factor = sinus
    ventricular, supraventricular = label == VENTRICULAR, label == SUPRAVENTRICULAR
    factor[ventricular] = rng.uniform(0.55, 0.95, ventricular.sum())
    factor[supraventricular] = rng.uniform(0.5, 0.72, supraventricular.sum())
    pause = rng.uniform(size=beats) < np.where(ventricular, 0.8, 0.2)
    after = np.flatnonzero(pause & (ventricular | supraventricular)) + 1
    factor[after] = 2.0 - factor[after - 1] + rng.normal(0, 0.03, len(after))
    return np.asarray(factor * person.mean_rr)


def _draw_trace(person: Person, label: NDArray[np.int64], rr: Floats, rng: np.random.Generator) -> Floats:
    """Every beat's window, shape [beats, WINDOW], with its neighbours' waves, baseline wander and noise."""
    seconds = (np.arange(WINDOW) - R_SAMPLE) / SAMPLE_RATE
    waves = _draw_waves(person, label, rng)
    trace = waves.at(seconds)
    trace[1:] += _shifted(waves, slice(0, -1), -rr[1:]).at(seconds)
    trace[:-1] += _shifted(waves, slice(1, None), rr[1:]).at(seconds)
    phase = rng.uniform(0, 2 * np.pi, (len(label), 1))
    trace += person.wander * np.sin(2 * np.pi * 0.25 * seconds + phase)
    trace += rng.normal(0, person.noise, trace.shape)
    return trace


def _shifted(waves: Waves, which: slice, by: Floats) -> Waves:
    return Waves(waves.centre[which] + by[:, None], waves.height[which], waves.width[which])


def _draw_waves(person: Person, label: NDArray[np.int64], rng: np.random.Generator) -> Waves:
    """The waves of each beat, arrays of shape [beats, 5]; beats of one kind vary a little around their mean."""
    beats = len(label)
    centre = np.tile(person.waves.centre, (beats, 1))
    height = np.tile(person.waves.height, (beats, 1)) * np.exp(rng.normal(0, 0.05, (beats, 5)))
    width = np.tile(person.waves.width, (beats, 1)) * np.exp(rng.normal(0, 0.03, (beats, 5)))

    early = np.flatnonzero(label == SUPRAVENTRICULAR)
    centre[early, P] += rng.uniform(0.0, 0.04, len(early))
    height[early, P] *= rng.uniform(-1.2, -0.2, len(early))

    broad = np.flatnonzero(label == VENTRICULAR)
    size = person.focus * np.exp(rng.normal(0, 0.15, len(broad)))
    stretch = person.focus_width * np.exp(rng.normal(0, 0.08, len(broad)))
    height[broad, P] = 0.0
    height[np.ix_(broad, QRS)] *= size[:, None]
    height[broad, T] *= -1.0 * np.sign(person.focus)
    centre[np.ix_(broad, QRS)] *= stretch[:, None]
    centre[broad, T] += 0.03
    width[np.ix_(broad, QRS)] *= stretch[:, None]
    return Waves(centre, height, width)
