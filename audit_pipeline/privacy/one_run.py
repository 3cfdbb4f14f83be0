"""A lower bound of epsilon from one training run (Steinke, Nasr & Jagielski 2023, arXiv:2305.08846).

Each of m canaries was in the training set or not by its own fair coin. Whoever sees the model guesses r of the coins
and leaves the rest alone. If training is (ε, δ)-differentially private, many right guesses are improbable; every ε
under which what was seen is too improbable is refuted, and the largest of these is the bound. It is empirical leakage:
a bound from below, for these canaries and this attack, and never a guarantee.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, expit

_STEEPEST = 60.0
"""e^60 to 1 is more than any count of canaries can show."""
_SPREADS = 3.0


def guesses_for(canaries: int) -> int:
    """How many coins to guess, half as in and half as out, unless another number was fixed when planting.

    A side holds m/2 canaries give or take √m/2. To guess three such deviations fewer leaves a perfect attack without an
    error in 997 of 1,000 runs, and an attack of any strength loses little: those in the middle are the doubtful ones.
    """
    return 2 * max(math.floor(canaries / 2 - _SPREADS * math.sqrt(canaries) / 2), 1)


def p_value(canaries: int, guesses: int, correct: int, epsilon: float, *, delta: float) -> float:
    """Bound of the probability of so many right guesses, or more, were training (ε, δ)-differentially private.

    Theorem 5.2 and the program of appendix D: with W distributed as Binomial(r, e^ε / (1 + e^ε)),
    P[W ≥ v] + 2mδ · max over i ≥ 1 of P[v > W ≥ v − i] / i.

    Args:
        canaries: m, each in the training set by its own fair coin.
        guesses: r, at most m, fixed before anything of the model was seen.
        correct: v, at most r.
        epsilon: 0 or more.
        delta: 0 to 1.
    """
    right = float(expit(epsilon))
    pure = float(_at_least(np.asarray([correct]), guesses, right)[0])
    if not delta or not correct:
        return min(pure, 1.0)
    below = np.arange(1, correct + 1)
    slack = (_at_least(correct - below, guesses, right) - pure) / below
    return min(pure + 2 * canaries * delta * float(slack.max()), 1.0)


def epsilon_lower_bound(canaries: int, guesses: int, correct: int, *, delta: float, level: float) -> float:
    """The largest ε refuted at a one-sided confidence level; 0 where none is.

    Args:
        canaries: as for `p_value`, as are guesses, correct and delta.
        guesses: r.
        correct: v.
        delta: at which ε is asked for.
        level: between 0 and 1.

    Raises:
        ValueError: the counts do not fit each other.
    """
    if not 0 <= correct <= guesses <= canaries or not guesses:
        raise ValueError(f"{correct} right of {guesses} guesses on {canaries} canaries cannot be")

    def excess(epsilon: float) -> float:
        return p_value(canaries, guesses, correct, epsilon, delta=delta) - (1 - level)

    if excess(0.0) >= 0:
        return 0.0
    return float(brentq(excess, 0.0, _STEEPEST, xtol=1e-10))


def ceiling(canaries: int, guesses: int, *, delta: float, level: float) -> float:
    """The bound, were every guess right: more can never be shown with so few canaries."""
    return epsilon_lower_bound(canaries, guesses, guesses, delta=delta, level=level)


def _at_least(counts: NDArray[np.int64], trials: int, chance: float) -> NDArray[np.float64]:
    """P[Binomial(trials, chance) ≥ count], for counts of 0 to `trials`."""
    some = np.maximum(counts, 1)
    return np.where(counts > 0, betainc(some, trials - some + 1, chance), 1.0)
