"""Constants of a model that are a training row up to scale, offset and rounding.

A tensor, or any stretch of one, as long as a row (or as one channel of it) is compared with every row by Pearson's
correlation, after the mean of each channel was taken off both. Were a stretch of n independent normal numbers, its
squared correlation r² with anything fixed would be Beta(1/2, (n − C − 1)/2) (Fisher 1915; C channels), so

    P(|r| ≥ r₀) = I₁₋ᵣ²((n − C − 1)/2, 1/2).

Neighbouring values are alike, in data and in some constants, so n is Bartlett's (1935) effective number
n / (1 + 2 Σ (1 − k/n) ρ(k) ρ'(k)), and no larger than 3 (Σv²)²/Σv⁴, which is n of normal numbers and small where a few
peaks make all of the correlation. A find needs |r| ≥ 0.99 and P times the number of stretches × rows of the whole
search ≤ 10⁻⁶; and as values may be few (two, in binary columns and ternary weights), it also needs their Shannon
entropy times n to exceed the binary logarithm of 10⁶ × that number: as many even guesses would have to come right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from audit_pipeline.privacy.opened.section import Constant, Section
from audit_pipeline.privacy.sketches import Floats, Places, Sketches
from audit_pipeline.privacy_part import BlobHit

LEAST_CORRELATION = 0.99
_LEAST_REST = 1e-5
"""1 − r² is taken for no less: that two curves agree to the last digit says that one formula made both."""
CHANCE = 1e-6
"""Most that all false finds of one search may add up to."""
_LEAST_STEPS = 8
_PAIRS_AT_ONCE = 4096


@dataclass(frozen=True)
class _Targets:
    """Rows, or channels of rows, in the form in which they are compared."""

    said: str
    rows: Floats
    """[targets, width] without the mean of each channel, of length 1."""
    channels: int

    @property
    def width(self) -> int:
        """Values of each."""
        return int(self.rows.shape[1])


@dataclass(frozen=True)
class _Found:
    offset: int
    correlation: float


def find_constants(sections: Sequence[Section], x: NDArray[np.float32]) -> tuple[BlobHit, ...]:
    """Look for constants that are training rows.

    Args:
        sections: a file, taken apart.
        x: [rows, ...] training rows, the last axis their channels where there are several.
    """
    kinds = [targets for targets in _targets(x) if targets.width >= _LEAST_STEPS * targets.channels]
    constants = [(section, constant) for section in sections for constant in section.constants]
    stretches = sum(
        (constant.values.size - targets.width + 1) * len(targets.rows)
        for _, constant in constants
        for targets in kinds
        if constant.values.size >= targets.width
    )
    return tuple(
        hit
        for targets in kinds
        if any(constant.values.size >= targets.width for _, constant in constants)
        for sketches in [Sketches(targets.rows, targets.channels)]
        for section, constant in constants
        if constant.values.size >= targets.width
        for hit in _hits(section, constant, targets, sketches, stretches)
    )


def _targets(x: NDArray[np.float32]) -> Iterator[_Targets]:
    channels = x.shape[-1] if x.ndim > 2 else 1
    steps = x.reshape(len(x), -1, channels)
    yield _Targets("a training row", _standardised(steps), channels)
    if channels > 1 and steps.shape[1] > 1:
        yield _Targets(
            "a channel of a training row", _standardised(np.moveaxis(steps, 2, 1).reshape(-1, steps.shape[1], 1)), 1
        )


def _standardised(steps: NDArray[np.float32]) -> Floats:
    """[rows, width] of [rows, steps, channels]: without what varies nowhere."""
    centred = (steps - steps.mean(axis=1, keepdims=True)).reshape(len(steps), -1)
    length = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    kept = length > 1e-6 * np.abs(steps).max(axis=(1, 2), initial=0) * math.sqrt(centred.shape[1])
    return np.asarray(centred[kept] / length[kept, None], dtype=np.float32)


def _hits(
    section: Section, constant: Constant, targets: _Targets, sketches: Sketches, stretches: int
) -> Iterator[BlobHit]:
    flat = constant.values.ravel()
    series = _series(flat)
    found: dict[int, float] = {}
    for offsets, rows in sketches.candidates(series):
        for each in _confirmed(series, offsets, rows, targets, stretches):
            found[each.offset] = max(found.get(each.offset, 0.0), each.correlation)
    for start in _best(found, targets.width):
        inside = constant.offset + (start * flat.dtype.itemsize if constant.contiguous else 0)
        yield BlobHit(
            kind="training-constant",
            offset=section.base + inside,
            detail=f"{targets.width} values that are {targets.said} up to scale and offset, with a correlation of "
            f"{found[start]:.4f}",
            where=f"{section.name}: {constant.name}",
        )


def _series(flat: NDArray[Any]) -> Floats:
    """Between −1 and 1, with zero for what is no number: any bytes can be called floats."""
    with np.errstate(invalid="ignore"):
        values = np.nan_to_num(flat.astype(np.float64), posinf=0, neginf=0)
    return np.asarray(values / max(float(np.abs(values).max()), np.finfo(np.float64).tiny), dtype=np.float32)


def _confirmed(series: Floats, offsets: Places, rows: Places, targets: _Targets, stretches: int) -> Iterator[_Found]:
    width, channels = targets.width, targets.channels
    for start in range(0, len(offsets), _PAIRS_AT_ONCE):
        at, row = offsets[start : start + _PAIRS_AT_ONCE], rows[start : start + _PAIRS_AT_ONCE]
        held = series[at[:, None] + np.arange(width)].reshape(len(at), -1, channels)
        held = (held - held.mean(axis=1, keepdims=True)).reshape(len(at), width)
        length = np.sqrt(np.einsum("ij,ij->i", held, held))
        product = np.abs(np.einsum("ij,ij->i", held, targets.rows[row]))
        likely = np.flatnonzero((product >= LEAST_CORRELATION * length) & (length > 0))
        for place in likely:
            correlation = float(product[place] / length[place])
            if _is_no_chance(held[place], targets.rows[row[place]], correlation, channels, stretches):
                yield _Found(int(at[place]), min(correlation, 1.0))


def _is_no_chance(held: Floats, row: Floats, correlation: float, channels: int, stretches: int) -> bool:
    effective = min(_effective(held, row), _spread(held), _spread(row))
    degrees = effective - channels - 1
    if degrees <= 0:
        return False
    tail = float(betainc(degrees / 2, 0.5, max(1 - correlation**2, _LEAST_REST)))
    bits = min(_bits(held), _bits(row))
    return tail * stretches <= CHANCE and bits >= math.log2(max(stretches, 1) / CHANCE)


def _effective(held: Floats, row: Floats) -> float:
    """Bartlett 1935: how many independent values carry the correlation of two series."""
    n = len(held)
    common = 2 * (_autocorrelation(held) * _autocorrelation(row))[1:].sum()
    return n / max(1.0, 1 + float(common))


def _autocorrelation(values: Floats) -> NDArray[np.float64]:
    """[lags] the usual estimate, which falls by itself by 1 − k/n."""
    turned = np.fft.rfft(values.astype(np.float64), 2 * len(values))
    products = np.fft.irfft(turned * turned.conj())[: len(values)]
    return np.asarray(products / products[0])


def _spread(values: Floats) -> float:
    squares = values.astype(np.float64) ** 2
    return float(3 * squares.sum() ** 2 / (squares**2).sum())


def _bits(values: Floats) -> float:
    """Shannon entropy of the values that occur, times their number."""
    counts = np.unique(values, return_counts=True)[1] / len(values)
    return float(-len(values) * (counts * np.log2(counts)).sum())


def _best(found: dict[int, float], width: int) -> list[int]:
    """The best offset of every stretch of overlapping ones."""
    kept: list[int] = []
    for offset in sorted(found):
        if kept and offset - kept[-1] < width:
            if found[offset] > found[kept[-1]]:
                kept[-1] = offset
        else:
            kept.append(offset)
    return kept
