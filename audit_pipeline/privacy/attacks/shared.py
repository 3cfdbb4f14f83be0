"""Evidence shared within a person: all their rows were trained on, or none was.

Whoever asks about one row of a person often holds more of them. Each of the others speaks for the person, and so for
this row. They do not speak independently: a model that knows somebody well for another reason knows all of their rows
well. So the others count as many as they are worth, n / (1 + (n − 1)ρ) of them (Kish 1965, Survey Sampling, section
5.4), ρ being the correlation within people that the shadows show where membership is the same.
"""

from __future__ import annotations

import numpy as np

from audit_pipeline.privacy.shadow_table import Codes, Mask, Scores

_MOST_OF_A_ROW = 10.0
"""Log-likelihood ratio, either way, beyond which one row does not speak for others: tails are known worst."""
_LEAST_CORRELATION, _MOST_CORRELATION = 1e-3, 1.0


def is_shared(people: Codes | None) -> bool:
    """Whether anybody has more than one row."""
    return people is not None and len(np.unique(people)) < len(people)


def share(scores: Scores, people: Codes, correlation: float) -> Scores:
    """[models, n] each row's score, with what the other rows of its person add.

    Args:
        scores: [models, n] log-likelihood ratios of rows.
        people: [n] number of each row's person.
        correlation: ρ, as `within_people` finds it on shadows.
    """
    _, person, rows = np.unique(people, return_inverse=True, return_counts=True)
    others = (rows - 1).astype(np.float64)
    worth = others / (1 + np.maximum(others - 1, 0) * correlation)
    return np.stack([one + worth[person] * _of_others(one, person, others) for one in scores])


def within_people(scores: Scores, inside: Mask, people: Codes) -> float:
    """Correlation of two rows' scores of one person under one model, given whether the model was trained on them.

    The estimator of an analysis of variance (Donner 1986, Int. Stat. Rev. 54:67, equation 1), pooled over models.

    Args:
        scores: [K, n] of shadows taken as targets.
        inside: [K, n] whether the shadow was trained on the row; the same for all rows of a person.
        people: [n] number of each row's person; somebody has more than one row.
    """
    _, person, rows = np.unique(people, return_inverse=True, return_counts=True)
    clipped = _clipped(scores)
    left = clipped - np.where(inside, clipped[inside].mean(), clipped[~inside].mean())
    means = np.stack([np.bincount(person, weights=one) / rows for one in left])
    between = float((rows * np.square(means)).sum()) / (len(scores) * (len(rows) - 1))
    within = float(np.square(left - means[:, person]).sum()) / (len(scores) * (len(people) - len(rows)))
    usual = (len(people) - np.square(rows).sum() / len(people)) / (len(rows) - 1)
    whole = between + (usual - 1) * within
    return float(np.clip((between - within) / whole if whole > 0 else 1.0, _LEAST_CORRELATION, _MOST_CORRELATION))


def _of_others(scores: Scores, person: Codes, others: Scores) -> Scores:
    """[n] mean over the other rows of each row's person; 0 where there is none."""
    clipped = _clipped(scores)
    return np.asarray((np.bincount(person, weights=clipped)[person] - clipped) / np.maximum(others, 1)[person])


def _clipped(scores: Scores) -> Scores:
    return np.asarray(np.clip(scores, -_MOST_OF_A_ROW, _MOST_OF_A_ROW))
