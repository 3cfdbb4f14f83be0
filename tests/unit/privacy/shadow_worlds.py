"""Worlds in which it is known how much a model gives away: φ of rows under shadows and a target."""

from __future__ import annotations

import numpy as np

from audit_pipeline.measurement import GroupKey
from audit_pipeline.privacy.shadow_table import ShadowTable

STEP = 1 / 256


def as_int8(phi: np.ndarray) -> np.ndarray:
    """φ of a device whose probabilities have 256 values."""
    p = np.clip(np.round(1 / (1 + np.exp(-phi)) / STEP), 0, 255) * STEP
    return np.log((p + STEP / 2) / (1 - p + STEP / 2))


def world(
    rng: np.random.Generator,
    *,
    members: int = 300,
    others: int = 300,
    shadows: int = 16,
    leak: float = 0.0,
    people: int = 0,
    sureness: float = 3.0,
    int8: bool = False,
) -> ShadowTable:
    """A table of rows that differ in how easy they are, and how much they scatter.

    Args:
        rng: draws everything.
        members: of the target.
        others: non-members.
        shadows: even; halves come as complements.
        leak: mean of how much surer a model is of a row that it was trained on, in standard deviations of the row.
        people: on each side, whose rows scatter together; 0: nobody is named.
        sureness: mean φ.
        int8: whether outputs are quantized.
    """
    rows = members + others
    member = np.arange(rows) < members
    person = np.where(member, np.arange(rows) % max(people, 1), people + np.arange(rows) % max(people, 1))
    unit = person if people else np.arange(rows)
    inside = np.zeros((shadows, rows), dtype=bool)
    for pair in range(0, shadows, 2):
        chosen = np.zeros(unit.max() + 1, dtype=bool)
        chosen[rng.permutation(len(chosen))[: len(chosen) // 2]] = True
        inside[pair], inside[pair + 1] = chosen[unit], ~chosen[unit]
    y = rng.integers(0, 2, rows)
    mean = rng.normal(sureness, 2.0, rows) + y
    spread = np.exp(rng.normal(-0.5, 0.5, rows))
    shift = leak * spread * rng.exponential(1.0, rows)

    def phi(trained_on: np.ndarray) -> np.ndarray:
        noise = rng.standard_t(6, rows)
        if people:
            noise = 0.8 * noise + 0.6 * rng.normal(0, 1, 2 * people)[person]
        drawn = mean + spread * noise + shift * trained_on
        return as_int8(drawn) if int8 else drawn

    sex = np.where(unit % 2 == 0, "f", "m")
    groups = {
        "overall": [(GroupKey(), np.ones(rows, dtype=bool))],
        "sex": [(GroupKey(by=("sex",), values=(value,)), sex == value) for value in ("f", "m")],
    }
    return ShadowTable(
        shadows=np.array([phi(half) for half in inside]),
        inside=inside,
        target=phi(member),
        member=member,
        people=person if people else None,
        y=y,
        groups=groups,
    )
