"""Whether nominal 95 % intervals of a share cover the truth: over independent rows exactly, over people by simulation.

People's rates follow one of three laws, so that no method can be right by assuming the law it was made from: beta;
logit-normal; and two kinds of people, where all harm is done to one of them and that is at most half of everybody.
The correlation within a person is the share of the variance of a single row that lies between people, in each law.
Coverage needs no interval: the truth is covered where neither tail at the truth is below its nominal size. That is
computed for all samples of a cell at once, and held against `Share` itself for the first samples of every cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, expit, ndtr, ndtri
from scipy.stats import binom

from audit_pipeline.statistics.design_effect import OUTCOME_CORRELATION, Contributions, design_effect
from audit_pipeline.statistics.intervals import three_quarter_p
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Tally
from benchmarks.table import Row

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Law = Literal["beta", "logit-normal", "two kinds"]

LEVEL = 0.95
SHARES = (0.8, 0.9, 0.95, 0.99)
_SEED = 20261122
_SAMPLES = 2000
_CHECKED = 25
_TAIL = (1 - LEVEL) / 2
_DEEP = 0.999
_NORMAL: Floats = np.asarray(ndtri((np.arange(4000) + 0.5) / 4000))


def rows() -> list[Row]:
    """All figures; the seed is fixed."""
    exact = [_exactly(n) for n in range(10, 201)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = dict(zip(cells(), pool.map(_simulated, cells(), chunksize=8), strict=True))
    return [
        Row("coverage, independent rows: lowest cell", min(each[0] for each in exact), "", at_least=0.93),
        Row("mean width over Wilson's: largest cell", max(each[1] for each in exact), "", at_most=1.15),
        Row("one-sided error at 99.9 %, over nominal: largest cell", max(each[2] for each in exact), "", at_most=4 / 3),
        *(_lowest(f"coverage, 8-40 people, {law}: lowest cell", found, law) for law in ("beta", "logit-normal")),
        _lowest("coverage, 8-40 people, harm in at most half of them: lowest cell", found, "two kinds"),
        Row("coverage, 8-40 people: mean", float(np.mean(list(found.values()))), "", at_least=0.95),
    ]


def _lowest(what: str, found: dict[Cell, float], law: Law) -> Row:
    return Row(what, min(held for cell, held in found.items() if cell.law == law), "", at_least=0.92)


def _exactly(n: int) -> tuple[float, float, float]:
    """Over shares from 0.8 to 0.99: lowest coverage, largest width over Wilson's, largest deep error over nominal."""
    hits, truths = np.arange(n + 1), np.arange(0.8, 0.99001, 0.0005)[:, np.newaxis]
    chance = binom.pmf(hits, n, truths)
    low, high = np.transpose([three_quarter_p(x / n, n, LEVEL) for x in hits])
    coverage = (chance * ((low <= truths) & (truths <= high))).sum(axis=1)
    wilson = wilson_ends(hits / n, np.full(n + 1, float(n)))
    wider = (chance @ (high - low)) / (chance @ (wilson[1] - wilson[0]))
    low, high = np.transpose([three_quarter_p(x / n, n, _DEEP) for x in hits])
    errors = [(chance * (low > truths)).sum(axis=1).max(), (chance * (high < truths)).sum(axis=1).max()]
    return float(coverage.min()), float(wider.max()), float(max(errors)) / ((1 - _DEEP) / 2)


def wilson_ends(share: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Wilson's (1927) interval of each share of n rows."""
    z = float(-ndtri(_TAIL))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.maximum(centre - half, 0), np.minimum(centre + half, 1)


@dataclass(frozen=True)
class Cell:
    """People alike in everything but chance."""

    index: int
    law: Law
    correlation: float
    people: int
    rows: int
    unequal: bool
    """Whether the numbers of rows are log-normal (σ = 1) with that mean."""
    share: float

    def draw(self, samples: int) -> tuple[Counts, Counts]:
        """[samples, people] hits and rows; the cell's own random numbers."""
        rng = np.random.default_rng([_SEED, self.index])
        shape = (samples, self.people)
        rows = np.full(shape, self.rows)
        if self.unequal:
            rows = np.maximum(1, np.round(self.rows * rng.lognormal(-0.5, 1.0, shape))).astype(np.int64)
        return rng.binomial(rows, self._rates(shape, rng)), rows

    def _rates(self, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
        if self.correlation == 0:
            return np.full(shape, self.share)
        if self.law == "beta":
            size = 1 / self.correlation - 1
            return np.asarray(rng.beta(self.share * size, (1 - self.share) * size, shape), dtype=np.float64)
        if self.law == "logit-normal":
            mean, spread = _logit_normal(self.share, self.correlation)
            return np.asarray(expit(mean + spread * rng.standard_normal(shape)), dtype=np.float64)
        return np.asarray(1 - self.harm * (rng.random(shape) < self.harmed), dtype=np.float64)

    @property
    def harm(self) -> float:
        """Error rate of the kind of people who have errors at all."""
        return 1 - self.share * (1 - self.correlation)

    @property
    def harmed(self) -> float:
        """Share of people who are of that kind."""
        return (1 - self.share) / self.harm


@cache
def _logit_normal(share: float, correlation: float) -> tuple[float, float]:
    """Mean and standard deviation on the logit scale that give this share and correlation."""

    def mean(spread: float) -> float:
        return float(brentq(lambda m: float(expit(m + spread * _NORMAL).mean()) - share, -200, 200))

    def excess(spread: float) -> float:
        return float(expit(mean(spread) + spread * _NORMAL).var()) / (share * (1 - share)) - correlation

    spread = float(brentq(excess, 1e-3, 60))
    return mean(spread), spread


def cells(*, harm_in_most: bool = False) -> Iterator[Cell]:
    """Every cell; on request also those in which harm is the rule and the few are those without."""
    laws: tuple[Law, ...] = ("beta", "logit-normal", "two kinds")
    grid = product(laws, (0.0, 0.05, 0.1, 0.3, 0.5), (8, 12, 20, 40), (20, 50, 200), (False, True), SHARES)
    for index, (law, correlation, people, rows, unequal, share) in enumerate(grid):
        cell = Cell(index, law, correlation, people, rows, unequal, share)
        if (correlation > 0 or law == "beta") and (law != "two kinds" or cell.harmed <= 0.5 or harm_in_most):
            yield cell


def _simulated(cell: Cell) -> float:
    """Coverage in one cell."""
    hits, rows = cell.draw(_SAMPLES)
    held = covered(hits, rows, cell.share)
    for sample in range(_CHECKED):
        low, high = Share(Tally(hits[sample], rows[sample], named=True)).bounds(LEVEL)
        if (low <= cell.share <= high) != held[sample]:
            raise AssertionError(f"sample {sample} of {cell} is judged otherwise by its interval: {low} to {high}")
    return float(held.mean())


def covered(hits: Counts, rows: Counts, truth: float) -> NDArray[np.bool_]:
    """[samples] whether the interval of `Share` covers the truth."""
    total = rows.sum(axis=1).astype(np.float64)
    share = hits.sum(axis=1) / total
    sums = hits - share[:, np.newaxis] * rows
    squares = hits * (1 - 2 * share[:, np.newaxis]) + np.square(share)[:, np.newaxis] * rows
    effect = design_effect(Contributions(sums, squares, rows.astype(np.float64)), OUTCOME_CORRELATION)
    above, below = tails(share, total / factors_at(effect.factors, effect.beliefs), truth)
    return np.asarray((above >= _TAIL) & (below >= _TAIL))


def tails(share: Floats, n: Floats, truth: Floats | float) -> tuple[Floats, Floats]:
    """[samples] chance of a share so high, and of one so low, if this were the truth: counted as `Share` counts it."""
    hits = share * n
    as_many = np.where(hits > 0, betainc(np.maximum(hits, 1e-12), n - hits + 1, truth), 1.0)
    more = np.where(share < 1, betainc(hits + 1, np.maximum(n - hits, 1e-12), truth), 0.0)
    return 0.75 * as_many + 0.25 * more, 0.75 * (1 - more) + 0.25 * (1 - as_many)


def factors_at(factors: Floats, beliefs: Floats) -> Floats:
    """[samples] `DesignEffect.at` for many samples, by bisection."""
    z, roots = float(-ndtri(_TAIL)), np.sqrt(factors)
    low, high = roots[:, 0].copy(), roots[:, -1].copy()
    for _ in range(40):
        middle = (low + high) / 2
        wider = (beliefs * ndtr(-z * middle[:, np.newaxis] / roots)).sum(axis=1) > _TAIL
        low, high = np.where(wider, middle, low), np.where(wider, high, middle)
    return np.square(high)
