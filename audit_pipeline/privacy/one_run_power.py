"""What a one-run audit could have shown: whether a leak of twice the limit would have been noticed, and with how many.

A lower bound below a limit proves nothing by itself: too few canaries never prove much. So it is asked what the same
audit finds in the mechanism that leaks most for its ε, randomised response, in which every guess is right with the
probability e^ε / (1 + e^ε) (Steinke et al. 2023, section 5: there the bound is tight).
"""

from __future__ import annotations

from scipy.special import bdtrc, expit

from audit_pipeline.privacy.canaries.record import FEWEST, MOST
from audit_pipeline.privacy.one_run import guesses_for, p_value
from audit_pipeline.statistics.power import POWER

BEYOND = 2.0
"""A leak of so many times the limit must be noticeable before a bound below the limit counts for anything."""


def would_be_noticed(canaries: int, guesses: int, limit: float, *, delta: float, level: float) -> bool:
    """Whether randomised response of twice the limit brings the bound above the limit with 80 % power."""
    needed = _right_guesses_needed(canaries, guesses, limit, delta=delta, level=level)
    return needed is not None and float(bdtrc(needed - 1, guesses, expit(BEYOND * limit))) >= POWER


def canaries_needed(limit: float, *, delta: float, level: float) -> int | None:
    """How many canaries that takes, with the usual number of guesses; None where not even 50,000 are enough."""

    def enough(count: int) -> bool:
        return would_be_noticed(count, guesses_for(count), limit, delta=delta, level=level)

    most = FEWEST
    while not enough(most):
        if most == MOST:
            return None
        most = min(2 * most, MOST)
    fewest = max(most // 2, FEWEST)
    while fewest < most:
        middle = (fewest + most) // 2
        fewest, most = (fewest, middle) if enough(middle) else (middle + 1, most)
    return most


def _right_guesses_needed(canaries: int, guesses: int, limit: float, *, delta: float, level: float) -> int | None:
    """The fewest that bring the bound above the limit; None where not even all do."""

    def refuted(correct: int) -> bool:
        return p_value(canaries, guesses, correct, limit, delta=delta) < 1 - level

    if not refuted(guesses):
        return None
    least, most = 0, guesses
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if refuted(middle) else (middle + 1, most)
    return most
