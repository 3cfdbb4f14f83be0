"""Metrics of scores and predicted numbers, each with the influence of every cell on it.

With weights of cells as they were counted, value − truth ≈ Σ rows · influence / Σ rows, and Σ rows · influence = 0: so
any interval for a mean is one for these. The influence of a change is the difference of both models' influences.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.cells import Cells, Counts
from audit_pipeline.evaluate.factorise import Codes

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float32] | NDArray[np.float64]

BINS = 15
"""Of the expected calibration error, as in Guo et al. (2017)."""


@dataclass(frozen=True, eq=False)
class ScoreValue:
    """A metric of some cells."""

    value: float
    """NaN where it cannot be measured."""
    influence: NDArray[np.float64]
    """[cells] of one row of the cell; NaN where the metric cannot be measured."""
    scarce: int
    """Rows that the metric really rests on: of the rarer side for a ranking, else all."""
    inflation: float = 0.0
    """By how much chance alone raises the value on average, at most, were all rows independent."""


def score_metric(
    name: str, cells: Cells, scores: NDArray[np.float32], where: Codes, concerned: Collection[int] = ()
) -> ScoreValue:
    """A metric of a group.

    Args:
        name: `auc`, `expected_calibration_error`, `mae` or `rmse`.
        cells: counted with scores.
        scores: `cells.before_scores` or `cells.after_scores`.
        where: indices of the group's cells, ascending.
        concerned: for `auc`, index of each class that counts as positive; its score is the sum of theirs. The score of
            an anomaly stands for the second class.

    Raises:
        KeyError: there is no such metric.
    """
    rows, true, scores = cells.rows[where], cells.true[where], scores[where]
    if name == "auc":
        return auc(_score_of(scores, concerned), np.isin(true, sorted(concerned)), rows)
    if name == "expected_calibration_error":
        return expected_calibration_error(scores.max(1, initial=0), scores.argmax(1) == true, rows)
    error = scores[:, 0] - (np.zeros(len(where)) if cells.target is None else cells.target[where])
    return {"mae": mean_absolute_error, "rmse": root_mean_squared_error}[name](error, rows)


def auc(score: Numbers, positive: Mask, rows: Counts) -> ScoreValue:
    """Area under the ROC curve: how often a positive row scores higher than a negative one, ties counted half.

    The influence is that of DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837: the share of the other side that
    a row beats, against the mean.

    Args:
        score: [cells] higher for positive.
        positive: [cells] the truth.
        rows: [cells] at least 1.
    """
    levels, level = np.unique(score, return_inverse=True)
    up, down = (
        np.bincount(level[side], weights=rows[side], minlength=len(levels)).astype(np.int64)
        for side in (positive, ~positive)
    )
    ups, downs = int(up.sum()), int(down.sum())
    if not min(ups, downs):
        return _not_measurable(len(rows))
    # doubled, so that a half row stays an integer
    beaten_by_up = (2 * np.cumsum(down) - down)[level]
    beaten_by_down = (2 * ups - 2 * np.cumsum(up) + up)[level]
    value = int((up * (2 * np.cumsum(down) - down)).sum()) / (2 * ups * downs)
    placement = np.where(positive, beaten_by_up / (2 * downs), beaten_by_down / (2 * ups))
    weight = (ups + downs) / np.where(positive, ups, downs)
    return ScoreValue(value, weight * (placement - value), min(ups, downs))


def expected_calibration_error(confidence: Numbers, correct: Mask, rows: Counts) -> ScoreValue:
    """How far confidence lies from accuracy, over 15 bins (…, …] of equal width (Guo et al. 2017, eq. 3).

    It is a sum of absolute values: in small groups chance alone makes it larger than the truth, and where a bin is
    calibrated to the last row its influence has a kink. No bin is raised by more than the root mean square of its sum,
    were its truth 0 (Jensen's inequality), and by less where it is not.

    Args:
        confidence: [cells] highest class score, 0 to 1.
        correct: [cells] whether the class with that score is the true one.
        rows: [cells] at least 1.
    """
    total = int(rows.sum())
    if not total:
        return _not_measurable(0)
    edges = np.linspace(0, 1, BINS + 1, dtype=np.float32)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    excess = np.subtract(correct, confidence, dtype=np.float64)
    gaps = np.bincount(place, weights=rows * excess, minlength=BINS)
    value = float(np.abs(gaps).sum()) / total
    noise = np.sqrt(np.bincount(place, weights=rows * np.square(excess), minlength=BINS))
    return ScoreValue(value, np.sign(gaps)[place] * excess - value, total, float(noise.sum()) / total)


def mean_absolute_error(error: Numbers, rows: Counts) -> ScoreValue:
    """Mean of |error|. Both arguments are [cells]."""
    total = int(rows.sum())
    if not total:
        return _not_measurable(0)
    size = np.abs(error).astype(np.float64)
    value = float((rows * size).sum()) / total
    return ScoreValue(value, size - value, total)


def root_mean_squared_error(error: Numbers, rows: Counts) -> ScoreValue:
    """Root of the mean of error², whose influence follows from the root's derivative. Both arguments are [cells]."""
    total = int(rows.sum())
    if not total:
        return _not_measurable(0)
    unit = float(np.abs(error).max()) or 1.0  # squares of large errors would overflow
    squares = np.square(error / unit, dtype=np.float64)
    mean = float((rows * squares).sum()) / total
    if not mean:
        return ScoreValue(0.0, np.zeros(len(rows)), total)
    root = math.sqrt(mean)
    return ScoreValue(unit * root, unit * (squares - mean) / (2 * root), total)


def _score_of(scores: NDArray[np.float32], concerned: Collection[int]) -> NDArray[np.float64]:
    if scores.shape[1] == 1:
        return scores[:, 0].astype(np.float64)
    return np.asarray(scores[:, sorted(concerned)].sum(1, dtype=np.float64))


def _not_measurable(cells: int) -> ScoreValue:
    return ScoreValue(math.nan, np.full(cells, math.nan), 0)
