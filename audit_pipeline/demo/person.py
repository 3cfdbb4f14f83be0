"""People whose heart beats differ by sex and age as the literature says, and from each other at random.

The trace is that of one chest lead, such as CM5. What differs between groups, and where that comes from; sizes are
rounded, everybody varies around them, and where a paper gives only a direction the size is our choice:

- heart rate: women about 4 beats/min faster (Umetani et al. 1998, J Am Coll Cardiol 31:593; Mason et al. 2007,
  J Electrocardiol 40:228).
- heart rate variability: falls with age to about half (Umetani et al. 1998, SDNN index).
- QRS voltage in chest leads: lower in women, most so under 40, the difference shrinking as men's falls with age
  (Simonson et al. 1960, Circulation 22:598; Macfarlane 2018, Adv Exp Med Biol 1065:93; Rijnbeek et al. 2014,
  J Electrocardiol 47:914). Size chosen here: 1.6 mV in men of 20 and 1.25 mV at 80, 1.05 mV in women.
- QRS duration: some 8 ms, 8 %, shorter in women (Simonson et al. 1960; Yang & Macfarlane 1994, Br Heart J 72:197).
- QT interval: some 20 ms shorter in young men (Rautaharju et al. 1992, Can J Cardiol 8:690); closing with age here.
- T wave: lower in women and with age (Simonson et al. 1960; Macfarlane 2018). Size chosen here.
- PR interval: longer with age, shorter in women (Simonson et al. 1960; Mason et al. 2007). Size chosen here.
- where ventricular beats come from: the outflow tracts, which makes them point upwards here, in 87 % of women and 52 %
  of men (Nakagawa et al. 2002, J Cardiovasc Electrophysiol 13:633: 335 of 387 and 186 of 361 reported cases of
  idiopathic ventricular tachycardia; direction also in Tanaka et al. 2011, Circ J 75:1585).

Otherwise premature beats are made from the person's own waves: a ventricular beat is a broadened QRS of the person's
own duration and voltage, with an opposed T wave and no P. How many there are depends on neither sex nor age.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit_pipeline.demo.heartbeat import QRS, P, Q, S, T, Waves, reference_waves

FEMALE, MALE = "female", "male"

_UPWARDS = {FEMALE: 335 / 387, MALE: 186 / 361}
"""Share of people whose ventricular beats come from an outflow tract (Nakagawa et al. 2002)."""


@dataclass(frozen=True)
class Person:
    """What makes one person's trace theirs. Times in seconds, voltages in mV, shares as fractions of all beats."""

    mean_rr: float
    rr_variation: float
    """Standard deviation of the sinus RR interval over its mean."""
    waves: Waves
    """The normal beat, arrays of shape [5]."""
    focus: float
    """Height of the ventricular QRS over that of the normal one; negative where it points down."""
    focus_width: float
    """Width of the ventricular QRS over that of the normal one."""
    ventricular_share: float
    supraventricular_share: float
    noise: float
    """Standard deviation of muscle and electrode noise."""
    wander: float
    """Amplitude of the respiratory baseline; McSharry et al. 2003 take 0.15 mV."""


def draw_person(sex: str, age: int, rng: np.random.Generator) -> Person:
    """Draw one person around the means of their sex and age in years."""
    later = (age - 20) / 60
    mean_rr = 60 / float(np.clip(rng.normal(74 if sex == FEMALE else 70, 7), 50, 100))
    direction = 1.0 if rng.uniform() < _UPWARDS[sex] else -1.0
    return Person(
        mean_rr=mean_rr,
        rr_variation=(0.06 - 0.03 * later) * _around_one(rng, 0.2),
        waves=_draw_waves(sex, later, mean_rr, rng),
        focus=direction * 0.9 * _around_one(rng, 0.2),
        focus_width=float(rng.uniform(1.4, 1.8)),
        ventricular_share=float(rng.uniform(0.04, 0.08)),
        supraventricular_share=float(rng.uniform(0.06, 0.12)),
        noise=0.06 * _around_one(rng, 0.3),
        wander=0.15 * _around_one(rng, 0.3),
    )


def _draw_waves(sex: str, later: float, mean_rr: float, rng: np.random.Generator) -> Waves:
    """The normal beat; `later` is 0 at 20 years and 1 at 80."""
    woman = sex == FEMALE
    qrs_height = (1.05 if woman else 1.6 - 0.35 * later) * _around_one(rng, 0.18)
    qrs_width = (0.92 if woman else 1.0) * _around_one(rng, 0.07)
    t_height = (0.27 - 0.05 * later if woman else 0.42 - 0.12 * later) * _around_one(rng, 0.2)

    reference = reference_waves(mean_rr)
    centre, height, width = reference.centre.copy(), reference.height.copy(), reference.width.copy()
    centre[P] += (0.006 if woman else 0.0) - 0.015 * later + rng.normal(0, 0.01)
    centre[T] += (0.02 if woman else 0.02 * later) + rng.normal(0, 0.012)
    centre[QRS] *= qrs_width
    width[QRS] *= qrs_width
    height[QRS] *= qrs_height
    height[[Q, S]] *= _around_one(rng, 0.3)
    height[P] = 0.15 * _around_one(rng, 0.2)
    height[T] = t_height
    return Waves(centre, height, width)


def _around_one(rng: np.random.Generator, spread: float) -> float:
    """A log-normal factor with median one."""
    return float(np.exp(rng.normal(0, spread)))
