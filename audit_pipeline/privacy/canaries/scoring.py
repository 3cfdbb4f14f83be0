"""Guessing the coins from what a model says of the canaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import InputError
from audit_pipeline.privacy.canaries.record import Canaries
from audit_pipeline.privacy.one_run import ceiling, epsilon_lower_bound
from audit_pipeline.privacy_part import CanariesPart, Signal

Scores = NDArray[np.float64]


def audit_canaries(
    canaries: Canaries,
    phi: Mapping[tuple[Literal["float", "device"], Signal], Scores],
    *,
    level: float,
    delta: float,
) -> tuple[CanariesPart, ...]:
    """Bound epsilon by every model and signal.

    All bounds hold together at the level: each is made at 1 − (1 − level) / number of models and signals (Bonferroni),
    so that the highest may be taken.

    Args:
        canaries: of the record.
        phi: by model and signal, [m] φ of the canaries' wrong labels; the higher, the better the model knows them.
        level: one-sided confidence of all bounds together, between 0 and 1.
        delta: at which epsilon is asked for; that of the claim where there is one, else 0.

    Raises:
        InputError: `canaries.not-finite`: a model gives a canary no number.
    """
    each = 1 - (1 - level) / max(len(phi), 1)
    count, guesses = len(canaries.coins), canaries.guesses
    parts = []
    for (model, signal), scores in phi.items():
        if not np.isfinite(scores).all():
            raise InputError("canaries.not-finite", f"the {model} model's {signal} of a canary is no finite number")
        correct = right_guesses(above_label(scores, canaries.rows.y), canaries.coins, guesses)
        parts.append(
            CanariesPart(
                model=model,
                signal=signal,
                record_sha256=canaries.sha256,
                canaries=count,
                guesses=guesses,
                correct=correct,
                level=each,
                delta=delta,
                epsilon=epsilon_lower_bound(count, guesses, correct, delta=delta, level=each),
                ceiling=ceiling(count, guesses, delta=delta, level=each),
                distinct=len(np.unique(scores)),
            )
        )
    return tuple(parts)


def above_label(scores: Scores, y: NDArray[np.int64]) -> Scores:
    """[m] scores less the mean of the canaries of the same wrong label: a model gives some classes more readily.

    Labels know nothing of the coins, so that guesses may rest on them.
    """
    of_label = np.bincount(y, scores) / np.maximum(np.bincount(y), 1)
    return np.asarray(scores - of_label[y])


def right_guesses(scores: Scores, coins: NDArray[np.bool_], guesses: int) -> int:
    """How many guesses are right: the highest half of them as in, the lowest half as out, none in between.

    Guesses are made from the scores alone. Tied canaries go by their place, of which the coins know nothing.
    """
    if scores.shape != coins.shape:
        raise ValueError(f"{len(coins)} canaries need as many scores, not {scores.shape}")
    order = np.argsort(scores, kind="stable")
    half = guesses // 2
    return int((~coins[order[:half]]).sum() + coins[order[len(order) - half :]].sum())
