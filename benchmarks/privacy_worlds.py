"""Worlds in which it is known how much a model gives away: φ of rows under shadows and a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.measurement import GroupKey
from audit_pipeline.privacy.shadow_table import Mask, Scores, ShadowTable

STEP = 1 / 256
_TAIL = 6.0
"""Degrees of freedom of a row's noise."""


def as_int8(phi: Scores) -> Scores:
    """φ of a device whose probabilities have 256 values."""
    p = np.clip(np.round(1 / (1 + np.exp(-phi)) / STEP), 0, 255) * STEP
    return np.asarray(np.log((p + STEP / 2) / (1 - p + STEP / 2)))


@dataclass(frozen=True)
class Nature:
    """Rows that differ in how easy they are and how much they scatter, and shadows of which φ is drawn."""

    mean: Scores
    spread: Scores
    shift: Scores
    """[n] how much surer a model is of a row that it was trained on."""
    y: NDArray[np.int64]
    member: Mask
    unit: NDArray[np.int64]
    """[n] number of the person, or of the row where nobody is named."""
    people: int
    """On each side, whose rows scatter together; 0: nobody is named."""
    inside: Mask
    shadows: Scores
    int8: bool

    def table(self, rng: np.random.Generator, *, drift: float = 0.0) -> ShadowTable:
        """Draw a target, by `drift` surer of everybody than the shadows are."""
        female = self.unit % 2 == 0
        groups = {
            "overall": [(GroupKey(), np.ones(len(self.y), dtype=bool))],
            "sex": [
                (GroupKey(by=("sex",), values=("f",)), female),
                (GroupKey(by=("sex",), values=("m",)), ~female),
            ],
        }
        return ShadowTable(
            shadows=self.shadows,
            inside=self.inside,
            target=self.phi(rng, self.member, drift),
            member=self.member,
            people=self.unit if self.people else None,
            y=self.y,
            groups=groups,
        )

    def phi(self, rng: np.random.Generator, trained_on: Mask, drift: float = 0.0) -> Scores:
        """Draw [n] φ under one model."""
        noise = rng.standard_t(_TAIL, len(self.y))
        if self.people:
            noise = 0.8 * noise + 0.6 * rng.normal(0, 1, 2 * self.people)[self.unit]
        drawn = self.mean + drift + self.spread * noise + self.shift * trained_on
        return as_int8(drawn) if self.int8 else np.asarray(drawn)


def nature(
    rng: np.random.Generator,
    *,
    members: int = 300,
    others: int = 300,
    shadows: int = 16,
    leak: float = 0.0,
    people: int = 0,
    sureness: float = 3.0,
    int8: bool = False,
) -> Nature:
    """Draw rows and shadows.

    Args:
        rng: draws everything.
        members: of the target.
        others: non-members.
        shadows: even; halves come as complements.
        leak: mean of the shift, in standard deviations of the row.
        people: on each side; 0: nobody is named.
        sureness: mean φ.
        int8: whether outputs are quantized.
    """
    count = members + others
    number = np.arange(count)
    member = number < members
    unit = np.where(member, number % people, people + number % people) if people else number
    y = rng.integers(0, 2, count)
    spread = np.exp(rng.normal(-0.5, 0.5, count))
    inside = np.zeros((shadows, count), dtype=bool)
    for pair in range(0, shadows, 2):
        chosen = np.zeros(int(unit.max()) + 1, dtype=bool)
        chosen[rng.permutation(len(chosen))[: len(chosen) // 2]] = True
        inside[pair], inside[pair + 1] = chosen[unit], ~chosen[unit]
    bare = Nature(
        mean=rng.normal(sureness, 2.0, count) + y,
        spread=spread,
        shift=leak * spread * rng.exponential(1.0, count),
        y=y,
        member=member,
        unit=unit,
        people=people,
        inside=inside,
        shadows=np.zeros(inside.shape),
        int8=int8,
    )
    return Nature(**{**vars(bare), "shadows": np.array([bare.phi(rng, half) for half in inside])})


def world(rng: np.random.Generator, **settings: float) -> ShadowTable:
    """A table of a target and its shadows; settings as of `nature`."""
    return nature(rng, **settings).table(rng)  # type: ignore[arg-type]
