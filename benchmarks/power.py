"""How many rows the paired test saves, and whether "a drop of so much would have been found" is true.

Powers over independent rows are computed, not simulated: all samples, with their probabilities. Over people they are
simulated, 500 samples a cell (± 0.04).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from audit_pipeline.statistics.paired_share import PairedShare, p_worse_than
from audit_pipeline.statistics.power import POWER, outlook
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import PairedTally, Tally
from benchmarks.table import Row

_LEVEL = 0.95
_ALPHA = (1 - _LEVEL) / 2
_SAMPLES = 500
_MOST_ROWS = 2000


def rows() -> list[Row]:
    """All figures; seeds are fixed."""
    both = [_rows_needed(*setting) for setting in product((0.8, 0.9, 0.95), (0.05, 0.1), (0.01, 0.03))]
    found, of_people = list(_power_at_the_detectable()), list(_over_people())
    return [
        Row("rows, paired over both independent samples: worst", max(n / (2 * m) for n, m in both), "", at_most=0.5),
        Row("rows, paired over one of the two samples: worst", max(n / m for n, m in both), "", at_most=1.0),
        Row("power at the smallest detectable drop: lowest cell", min(found), "", at_least=0.75),
        Row("power at the smallest detectable drop: highest cell", max(found), "", at_most=0.88),
        Row("the same, 20 and 40 people, correlation 0.1: mean", sum(of_people) / len(of_people), "", at_least=0.7),
        Row("the same, 20 and 40 people, correlation 0.1: lowest cell", min(of_people), "", at_least=0.5),
    ]


def _rows_needed(before: float, drop: float, better: float) -> tuple[int, int]:
    """Rows at which a drop is shown to be above 0 in 80 % of samples.

    Args:
        before: recall of the float model.
        drop: true loss.
        better: share of rows that only the compressed model gets right.

    Returns:
        paired rows, and rows of each of two independent samples.
    """
    paired = _smallest(lambda n: _paired_power(n, drop + better, better, 0.0, _ALPHA))
    return paired, _independent_rows_needed(before, before - drop)


@cache
def _independent_rows_needed(before: float, after: float) -> int:
    return _smallest(lambda rows: _independent_power(rows, before, after))


def _smallest(power: Callable[[int], float]) -> int:
    """Rows from which on the power stays at 80 %, as far as a dozen more show: exact powers rise in a saw-tooth."""
    low, high = 10, _MOST_ROWS
    while high - low > 4:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    short = [n for n in range(low, high + 12) if power(n) < POWER]
    return max(short) + 1


def _paired_power(rows: int, worse: float, better: float, limit: float, alpha: float) -> float:
    """Chance of FAIL over independent rows, from the fewest rows that have to get worse for each number of better."""
    few, many = binom.ppf((1e-7, 1 - 1e-7), rows, better).astype(int)
    gained = np.arange(few, many + 1)
    needed = np.array([_fewest_worse(rows, int(gain), limit, alpha) for gain in gained])
    chance = binom.sf(needed - 1, rows - gained, worse / (1 - better))
    return float(binom.pmf(gained, rows, better) @ chance)


@cache
def _fewest_worse(rows: int, better: int, limit: float, alpha: float) -> int:
    low, high = 0, rows - better + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _fails(_paired(middle, better, rows), limit, alpha) else (middle + 1, high)
    return low


def _paired(worse: int, better: int, rows: int) -> PairedShare:
    return PairedShare(PairedTally(np.array([worse]), np.array([better]), np.array([rows]), named=False))


def _fails(change: PairedShare, limit: float, alpha: float) -> bool:
    return p_worse_than(change, limit) <= alpha


def _independent_power(rows: int, before: float, after: float) -> float:
    """Chance that Newcombe's (1998) hybrid score interval of two independent shares lies above 0."""
    share = np.arange(rows + 1) / rows
    ends = [Share(Tally(np.array([hits]), np.array([rows]), named=False)).bounds(_LEVEL) for hits in range(rows + 1)]
    low, high = np.transpose(ends)
    apart = share[:, None] - share[None, :] - np.hypot((share - low)[:, None], (high - share)[None, :])
    hits = np.arange(rows + 1)
    return float(binom.pmf(hits, rows, before) @ (apart > 0) @ binom.pmf(hits, rows, after))


def _power_at_the_detectable() -> Iterator[float]:
    """Of each cell of independent rows."""
    cells = product((1, 20, 150), (0.0, 0.02, 0.05, 0.1), (50, 200, 1000), (0.0, 0.01, 0.05))
    for family, limit, total, better in cells:
        gained = round(better * total)
        found = outlook(_paired(gained, gained, total), limit, at_most=True, level=_ALPHA, family=family).detectable
        if found is not None:
            share = gained / total
            yield _paired_power(total, share + found, share, limit, _ALPHA / family)


def _over_people() -> Iterator[float]:
    """Of each cell of people: what one sample calls detectable (the median of 40), and how often another finds it."""
    rng = np.random.default_rng(20240602)
    better, limit, correlation = 0.01, 0.05, 0.1
    for people, each, family in product((20, 40), (20, 200), (1, 100)):
        told = [
            outlook(
                _people(people, each, better + 0.03, better, correlation, rng),
                limit,
                at_most=True,
                level=_ALPHA,
                family=family,
            ).detectable
            for _ in range(40)
        ]
        found = float(np.median([1.0 if one is None else one for one in told]))
        samples = (_people(people, each, better + found, better, correlation, rng) for _ in range(_SAMPLES))
        yield float(np.mean([_fails(sample, limit, _ALPHA / family) for sample in samples]))


def _people(
    people: int, each: int, worse: float, better: float, correlation: float, rng: np.random.Generator
) -> PairedShare:
    total = np.full(people, each)
    lost = rng.binomial(total, _rates(people, worse, correlation, rng))
    gained = rng.binomial(total - lost, _rates(people, better / (1 - worse), correlation, rng))
    return PairedShare(PairedTally(lost, gained, total, named=True))


def _rates(people: int, mean: float, correlation: float, rng: np.random.Generator) -> NDArray[np.float64]:
    weight = 1 / correlation - 1
    return rng.beta(mean * weight, (1 - mean) * weight, people)
