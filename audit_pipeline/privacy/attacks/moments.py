"""Means and variances of a row's φ over some of the shadow models: those that were trained on the row, or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audit_pipeline.privacy.shadow_table import Mask, Scores


@dataclass(frozen=True)
class Moments:
    """Of every row, over the models of one kind."""

    count: Scores
    """[n] models."""
    mean: Scores
    """[n] 0 where there is no model."""
    squares: Scores
    """[n] sum of squared distances from the mean."""

    @property
    def variance(self) -> Scores:
        """[n] maximum-likelihood variance, Σ(φ − mean)² / count."""
        return self.squares / np.maximum(self.count, 1)

    @property
    def freedom(self) -> Scores:
        """[n] degrees of freedom of the squares."""
        return np.maximum(self.count - 1, 0)


def moments(shadows: Scores, chosen: Mask) -> Moments:
    """Of [K, n] values, over the chosen [K, n]."""
    count = chosen.sum(axis=0).astype(np.float64)
    mean = np.where(chosen, shadows, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(chosen, np.square(shadows - mean), 0.0).sum(axis=0)
    return Moments(count, mean, squares)


def rounding_variance(shadows: Scores) -> Scores:
    """[n] variance that rounding hides, on average over a row's [K, n] values: width²/12 of the value's cell.

    An int8 output has at most 256 values, and where it saturates all models give the same: a variance of zero that says
    nothing. A value that no other row or model shares is not taken for rounded. A cell reaches half-way to the next
    values; the outermost are as wide as they are far from their one neighbour.
    """
    values, at, seen = np.unique(shadows, return_inverse=True, return_counts=True)
    if len(values) == 1:
        return np.zeros(shadows.shape[1])
    gaps = np.diff(values)
    width = (np.r_[gaps[0], gaps] + np.r_[gaps, gaps[-1]]) / 2
    hidden = np.where(seen > 1, np.square(width) / 12, 0.0)
    return np.asarray(hidden[at.reshape(shadows.shape)].mean(axis=0))
