"""One heart beat as a sum of Gaussians, after McSharry, Clifford, Tarassenko & Smith 2003.

*A dynamical model for generating synthetic electrocardiogram signals*, IEEE Trans Biomed Eng 50(3):289-294. The
paper's equation (1) moves a point around the unit circle, one turn a beat; five events P, Q, R, S, T push it up or
down as its angle passes theirs:

    dz/dt = -sum_i a_i dθ_i exp(-dθ_i² / 2b_i²) - (z - z0)

Integrated along the turn at constant angular velocity, and without the slow pull towards the baseline z0, that is
the closed form used here: z(θ) is proportional to sum_i a_i b_i² exp(-dθ_i² / 2b_i²). It needs no solver, and each
wave's height in mV can be set person by person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

P, Q, R, S, T = range(5)
QRS = np.array([Q, R, S])

_ANGLE = np.array([-np.pi / 3, -np.pi / 12, 0.0, np.pi / 12, np.pi / 2])  # Table I
_A = np.array([1.2, -5.0, 30.0, -7.5, 0.75])
_B = np.array([0.25, 0.1, 0.1, 0.1, 0.4])


@dataclass(frozen=True)
class Waves:
    """The five waves P, Q, R, S, T of one beat, or of many: every array is float64 of shape [..., 5]."""

    centre: Floats
    """Seconds after the R peak."""
    height: Floats
    """mV, negative below the baseline."""
    width: Floats
    """Seconds, the Gaussian's standard deviation."""

    def at(self, seconds: Floats) -> Floats:
        """The trace in mV, shape [..., len(seconds)], `seconds` after the R peak."""
        distance = (seconds[:, None] - self.centre[..., None, :]) / self.width[..., None, :]
        return np.asarray((self.height[..., None, :] * np.exp(-0.5 * distance**2)).sum(axis=-1))


def reference_waves(mean_rr: float) -> Waves:
    """The paper's Table I at a mean RR interval in seconds, scaled to an R wave of 1 mV.

    Angles and widths grow with heart rate as in the authors' own ECGSYN (PhysioNet, 1.0.0): Q and S with its square
    root, P and T with its fourth root, all widths with its square root. So the QT interval shortens less than RR.
    """
    stretch = np.sqrt(1.0 / mean_rr)
    angle = _ANGLE * np.array([np.sqrt(stretch), stretch, 1.0, stretch, np.sqrt(stretch)])
    seconds_per_radian = mean_rr / (2 * np.pi)
    height = _A * _B**2
    return Waves(
        centre=angle * seconds_per_radian,
        height=height / height[R],
        width=_B * stretch * seconds_per_radian,
    )
