"""The intervals that were considered for a share, measured alike: the tables of ADR 8.

`make bench-interval_methods` prints them. Independent rows are computed exactly, for 10 to 200 rows and shares from 0.8
to 0.99; people are simulated under the three laws of `coverage.py`. No bar is set: what has to hold is checked there.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from scipy.special import betaincinv, ndtri
from scipy.stats import binom, chi2

from audit_pipeline.statistics.intervals import clopper_pearson, three_quarter_p
from benchmarks.coverage import LEVEL, Cell, Floats, cells, wilson_ends
from benchmarks.people_methods import METHODS, Sample

_SAMPLES = 1000
_TAIL = (1 - LEVEL) / 2
Ends = tuple[Floats, Floats]


def main() -> None:
    """Print both tables."""
    print("| independent rows | lowest cell | mean | widest over Wilson |\n|---|---|---|---|")
    for name, ends in _FOR_ROWS.items():
        cells_of_rows = [_exactly(ends, n) for n in range(10, 201)]
        lowest, mean, width = np.transpose(cells_of_rows)
        print(f"| {name} | {lowest.min():.4f} | {mean.mean():.4f} | {width.max():.3f} |")
    everything = list(cells(harm_in_most=True))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = np.array(list(pool.map(_simulated, everything, chunksize=8)))
    _print_people(everything, found)


def _print_people(everything: list[Cell], found: Floats) -> None:
    """`found` is [cells, methods, coverage and width]."""
    correlations = (0.0, 0.05, 0.1, 0.3, 0.5)
    names = ("beta", "logit-normal", "harm in few", "harm in most")
    kinds = [names[3] if cell.law == "two kinds" and cell.harmed > 0.5 else cell.law for cell in everything]
    groups = [
        np.array([kind == wanted for kind in kinds]) for wanted in ("beta", "logit-normal", "two kinds", names[3])
    ]
    usual = ~groups[3]
    print(f"\n| rows of people | lowest: {' | '.join(names)} | below 0.92 | mean | width at ", end="")
    print(" | ".join(f"{rho:g}" for rho in correlations), "|\n" + "|---" * (8 + len(correlations)) + "|")
    for column, name in enumerate(METHODS):
        coverage, width = found[:, column, 0], found[:, column, 1]
        lowest = " | ".join(f"{coverage[group].min():.3f}" for group in groups)
        low = f"{(coverage[usual] < 0.92).mean():.0%}"
        of_width = [width[usual & [cell.correlation == rho for cell in everything]].mean() for rho in correlations]
        widths = " | ".join(f"{each:.3f}" for each in of_width)
        print(f"| {name} | {lowest} | {low} | {coverage[usual].mean():.3f} | {widths} |")


def _simulated(cell: Cell) -> list[tuple[float, float]]:
    """Coverage and mean width of every method on the same samples of one cell."""
    sample = Sample(cell, *cell.draw(_SAMPLES))
    found = []
    for method in METHODS.values():
        low, high = method(sample)
        found.append((float(((low <= cell.share) & (cell.share <= high)).mean()), float((high - low).mean())))
    return found


def _exactly(ends: Callable[[int], Ends], n: int) -> tuple[float, float, float]:
    """Lowest and mean coverage over shares, and the largest mean width over Wilson's."""
    hits, truths = np.arange(n + 1), np.arange(0.8, 0.99001, 0.0005)[:, np.newaxis]
    chance = binom.pmf(hits, n, truths)
    low, high = ends(n)
    coverage = (chance * ((low <= truths) & (truths <= high))).sum(axis=1)
    wilson = _wilson(n)
    wider = (chance @ (high - low)) / (chance @ (wilson[1] - wilson[0]))
    return float(coverage.min()), float(coverage.mean()), float(wider.max())


def _wilson(n: int) -> Ends:
    return wilson_ends(np.arange(n + 1) / n, np.full(n + 1, float(n)))


def _modified_wilson(n: int) -> Ends:
    """Brown, Cai & DasGupta (2001): Poisson ends for counts next to none or all."""
    low, high = _wilson(n)
    few = np.arange(1, (2 if n <= 50 else 3) + 1)
    low[few] = np.minimum(low[few], chi2.ppf(2 * _TAIL, 2 * few) / (2 * n))
    high[n - few] = 1 - low[few]
    return low, high


def _agresti_coull(n: int) -> Ends:
    z = float(-ndtri(_TAIL))
    rows = n + z * z
    middle = (np.arange(n + 1) + z * z / 2) / rows
    half = z * np.sqrt(middle * (1 - middle) / rows)
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def _jeffreys(n: int) -> Ends:
    hits = np.arange(n + 1)
    low, high = betaincinv(hits + 0.5, n - hits + 0.5, _TAIL), betaincinv(hits + 0.5, n - hits + 0.5, 1 - _TAIL)
    return np.where(hits > 0, low, 0), np.where(hits < n, high, 1)


def _continuity_corrected(n: int, correction: float = 0.3) -> Ends:
    """Wilson's ends of a count moved outwards by less than the usual half."""
    hits = np.maximum(np.arange(n + 1) - correction, 0)
    low = np.where(np.arange(n + 1) > 0, wilson_ends(hits / n, np.full(n + 1, float(n)))[0], 0)
    return low, 1 - low[::-1]


def _one_by_one(method: Callable[[float, float, float], tuple[float, float]]) -> Callable[[int], Ends]:
    def ends(n: int) -> Ends:
        low, high = np.transpose([method(hits / n, n, LEVEL) for hits in range(n + 1)])
        return low, high

    return ends


def _counting(part: float) -> Callable[[int], Ends]:
    """Tails that count this part of the observed outcome: one half is the mid-P."""

    def ends(n: int) -> Ends:
        hits = np.arange(n + 1)
        low, high = np.zeros(n + 1), hits / n
        for _ in range(50):
            middle = (low + high) / 2
            out = binom.sf(hits, n, middle) + part * binom.pmf(hits, n, middle) < _TAIL
            low, high = np.where(out, middle, low), np.where(out, high, middle)
        return low, 1 - low[::-1]

    return ends


_FOR_ROWS: dict[str, Callable[[int], Ends]] = {
    "Wilson": _wilson,
    "Wilson as modified by Brown, Cai & DasGupta": _modified_wilson,
    "Agresti-Coull": _agresti_coull,
    "Jeffreys": _jeffreys,
    "mid-P": _counting(0.5),
    "continuity-corrected score, 0.3": _continuity_corrected,
    "Clopper-Pearson": _one_by_one(clopper_pearson),
    "three-quarter P (chosen)": _one_by_one(three_quarter_p),
}


if __name__ == "__main__":
    main()
