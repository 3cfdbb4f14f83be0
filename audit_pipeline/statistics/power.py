"""What an undecided sample could have shown, and how large a sample would decide.

A verdict is reached where the estimate passes a critical value, and 80 % of samples pass it if the truth lies z(20 %)
standard deviations of the estimate beyond it. For one share that is the sample size of the score test (Fleiss, Levin &
Paik 2003, section 2.5), for paired shares the one of Connett, Smith & McHugh (1987), Stat. Med. 6:537, carried to
limits other than zero by Nam (1997), Biometrics 53:1422; but where few independent rows change, the critical value is
the count at which the exact test rejects. Any other estimate lends the standard error of its own interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import stdtrit

from audit_pipeline.measurement import Outcome
from audit_pipeline.statistics.critical import Aim, Design, design
from audit_pipeline.statistics.estimate import Estimate

POWER = 0.8
"""Share of samples in which the true value would have been found: the usual bar of a study."""

_MOST_COPIES = 1e4
_ON_THE_LIMIT = 1e-9
"""A distance from the limit that is rounding."""


@dataclass(frozen=True)
class Outlook:
    """What an undecided finding could have shown, and what it would take to decide it, with 80 % power."""

    detectable: float | None
    """Smallest true value beyond the limit that would have been found; None where not even the worst one would."""
    settles: Outcome | None
    """PASS or FAIL, were the truth what was measured; None where that lies on the limit."""
    more: int | None
    """How many more people it takes for that, or rows where nobody is named; None where no number helps."""


def outlook(
    estimate: Estimate,
    limit: float,
    *,
    at_most: bool,
    level: float,
    family: int,
    reach: tuple[float, float] = (-math.inf, math.inf),
) -> Outlook:
    """What the sample behind an estimate can show about its limit, and how much larger one would decide.

    Args:
        estimate: of a finding that is neither PASS nor FAIL.
        limit: of the policy.
        at_most: whether values above the limit break it, rather than those below.
        level: one-sided level of a verdict, (1 − confidence) / 2.
        family: findings tested together. A FAIL has to show at level / family, Holm's first step; a PASS at `level`.
        reach: smallest and largest value that the estimate could have; shares and their changes know theirs.
    """
    fail = Aim(limit, at_most, Outcome.FAIL, level / family, POWER)
    detectable = _detectable(design(estimate, fail, reach), fail)
    distance = estimate.value - limit
    if abs(distance) <= _ON_THE_LIMIT:
        return Outlook(detectable, None, None)
    aim = fail if (distance > 0) == at_most else Aim(limit, at_most, Outcome.PASS, level, POWER)
    copies = _copies(design(estimate, aim, reach), aim, estimate.value)
    units = estimate.rows if estimate.subjects is None else estimate.subjects
    more = None if copies is None else max(math.ceil((copies - 1) * units), 1)
    return Outlook(detectable, aim.outcome, more)


def _detectable(like: Design, aim: Aim) -> float | None:
    if aim.side * (like.worst - aim.limit) <= 0 or _surplus(like, aim, like.worst, 1) < 0:
        return None
    return float(brentq(lambda truth: _surplus(like, aim, truth, 1), aim.limit, like.worst, xtol=1e-9))


def _copies(like: Design, aim: Aim, truth: float) -> float | None:
    """How many copies of the sample decide: a real number from 1 on."""
    if _surplus(like, aim, truth, 1) >= 0:
        return 1.0
    if _surplus(like, aim, truth, _MOST_COPIES) < 0:
        return None
    return math.exp(brentq(lambda log: _surplus(like, aim, truth, math.exp(log)), 0, math.log(_MOST_COPIES), xtol=1e-3))


def _surplus(like: Design, aim: Aim, truth: float, copies: float) -> float:
    """How much further beyond the critical value the truth lies than it has to."""
    beyond = aim.side * (truth - like.critical(copies))
    return beyond - aim.z_power * like.deviation(truth, copies) * _doubt(aim, like.people, copies)


def _doubt(aim: Aim, people: int | None, copies: float) -> float:
    """By how much more than the estimate the distance to its critical value scatters.

    Over people the critical value rests on a standard deviation that is estimated itself, with a relative error of
    √(1 / 2 df): the normal approximation to the noncentral t (Johnson, Kotz & Balakrishnan 1995, chapter 31).
    """
    if people is None:
        return 1.0
    freedom = max(people * copies - 1, 1.0)
    return math.sqrt(1 + float(stdtrit(freedom, 1 - aim.alpha)) ** 2 / (2 * freedom))
