"""How well a model does on a row: the one number that every attack on membership reads.

From the outputs it is what anybody sees; from the logits, the values before the last softmax or sigmoid, what whoever
holds the model's file sees: an int8 output is 255/256 for all rows that the model is sure of, its logits still differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split
from audit_pipeline.predictions import OutputKind, Predictions, Score, Task

_FLOAT_STEP = 2.0**-24
"""Spacing of float32 just below 1, where a sure model's probabilities lie."""


def sureness(predictions: Predictions, split: Split, *, bounded: bool) -> NDArray[np.float64]:
    """How well the model does on each row, [rows]; only the order matters.

    - Of classes, and of an anomaly score that is a probability, φ = ln((p + h) / (1 − p + h)) of the true class, the
      logit of Carlini et al. (2022), section VI; h, half a quantization step, keeps it finite, and equal for all that
      one int8 step holds.
    - Of any other anomaly score, how far it lies on the right side of the threshold.
    - Of a reconstruction, −score, the negative loss (Yeom et al. 2018).
    - Of a regression, −|predicted − true|, which orders rows as the negative squared error does.

    Args:
        predictions: for the rows of `split`.
        split: the rows' true classes or values.
        bounded: whether an anomaly score is a probability; told, since it must be the same for both sides.
    """
    scores = predictions.scores.astype(np.float64)
    if predictions.task is Task.REGRESSION:
        assert split.target is not None, "a regression's splits have targets"  # noqa: S101
        return np.asarray(-np.abs(scores[:, 0] - split.target))
    if predictions.score is Score.RECONSTRUCTION_ERROR:
        return np.asarray(-scores[:, 0])
    if predictions.task is Task.ANOMALY:
        if not bounded:
            margin = scores[:, 0] - (predictions.threshold or 0.0)
            return np.where(split.y == 1, margin, -margin)
        scores = np.concatenate([1 - scores, scores], axis=1)
    half = (predictions.step or _FLOAT_STEP) / 2
    p = scores[np.arange(len(split)), split.y]
    return np.asarray(np.log((p + half) / (1 - p + half)))


def margin(logits: NDArray[np.float32], y: NDArray[np.int64], kind: OutputKind) -> NDArray[np.float64]:
    """The same φ from logits, [rows], where nothing is rounded to 0 or 1 any more.

    φ = z_y − ln Σ exp(z_j) over j ≠ y, which is ln(p_y / (1 − p_y)) of their softmax without its cancellation (Carlini
    et al. 2022, section VI-A). One unit is the logit of the second of two classes. Of several sigmoid units, each its
    own probability, φ is the true class's logit.

    Args:
        logits: [rows, units]; of the device dequantized.
        y: [rows] true class.
        kind: what the model makes of them; `LOGITS` where it leaves that to the reader: then a softmax.
    """
    z = logits.astype(np.float64)
    if z.shape[1] == 1:
        return np.where(y == 1, z[:, 0], -z[:, 0])
    true = z[np.arange(len(y)), y]
    if kind is OutputKind.SIGMOID:
        return true
    others = np.where(np.arange(z.shape[1]) == y[:, None], -np.inf, z)
    return np.asarray(true - np.logaddexp.reduce(others, axis=1))


def are_probabilities(predictions: Predictions) -> bool:
    """Whether all scores could be probabilities; a NaN is none."""
    return bool(((predictions.scores >= 0) & (predictions.scores <= 1)).all())


def learnable(predictions: Predictions, split: Split) -> NDArray[np.bool_]:
    """[rows] which rows can be members or non-members: those that a model of this kind learns from.

    An autoencoder learns from normal rows: those that are odd by their label would be told apart by what they are, not
    by whether they were learnt.
    """
    return split.y == 0 if predictions.score is Score.RECONSTRUCTION_ERROR else np.ones(len(split), dtype=bool)
