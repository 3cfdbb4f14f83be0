"""Multinomial logistic regression with a quadratic penalty (Hastie, Tibshirani & Friedman 2009, section 4.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

Floats = NDArray[np.float64]

_PENALTY = 1.0
_ITERATIONS = 500


@dataclass(frozen=True)
class Logistic:
    """A fitted regression."""

    centre: Floats
    """[features] subtracted from each."""
    scale: Floats
    """[features] each is then divided by."""
    weights: Floats
    """[features + 1, kinds]; the last row is the constant."""

    def guess(self, features: Floats) -> NDArray[np.int64]:
        """[rows] the likeliest kind of each row of [rows, features]."""
        scores = _with_constant((features - self.centre) / self.scale) @ self.weights
        return np.asarray(np.argmax(scores, axis=1), dtype=np.int64)


def fit_logistic(features: Floats, kinds: NDArray[np.int64], count: int, penalty: float = _PENALTY) -> Logistic:
    """Fit weights to rows, every kind counting the same in all, so that the guess aims at balanced accuracy.

    The loss is Σ w · −log softmax over rows, w such that each kind weighs rows / kinds, plus penalty / 2 times the
    squares of all weights but the constant's; features are brought to mean 0 and deviation 1 first.

    Args:
        features: [rows, features] finite.
        kinds: [rows] 0 to count − 1.
        count: of kinds.
        penalty: of the squared weights, above 0.
    """
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    x = _with_constant((features - centre) / scale)
    truth = np.eye(count)[kinds]
    rows = truth.sum(axis=0)
    weight = (len(kinds) / (count * np.maximum(rows, 1)))[kinds]
    shrunk = np.ones((x.shape[1], 1))
    shrunk[-1] = 0.0

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(x.shape[1], count)
        scores = x @ weights
        of_rows = -weight @ (truth * log_softmax(scores, axis=1)).sum(axis=1)
        slope = x.T @ (weight[:, None] * (softmax(scores, axis=1) - truth)) + penalty * shrunk * weights
        return float(of_rows + penalty / 2 * (shrunk * np.square(weights)).sum()), slope.ravel()

    start = np.zeros(x.shape[1] * count)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS})
    return Logistic(centre, scale, found.x.reshape(x.shape[1], count))


def _with_constant(x: Floats) -> Floats:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)
