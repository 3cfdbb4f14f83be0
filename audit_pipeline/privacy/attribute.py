"""Attribute inference: guessing a group that a person belongs to from what the model says of their rows.

Whoever knows a row's true class and the person's other groups can often guess the one they do not know, with no model
at all. Only what the model's outputs add to that guess is the model's doing. Both guesses are made by the same
regularised logistic regression, once without and once with the outputs; people are cut into two halves, and each half
is guessed by what was learnt from the other (cross-fitting). On people who were not trained on, the gain shows what
the outputs tell of anybody; what members show beyond that, the model keeps of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import UNKNOWN, Split
from audit_pipeline.measurement import Measurement, NotMeasurable
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.logistic import fit_logistic
from audit_pipeline.privacy_part import AttributePart
from audit_pipeline.statistics.design_effect import OUTCOME_CORRELATION
from audit_pipeline.statistics.estimate import measure
from audit_pipeline.statistics.linear import linear
from audit_pipeline.statistics.tally import Counts, person_codes

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEWEST_ROWS = 20
FEWEST_PEOPLE = 4
"""Of one value: two for each half."""

_FLOAT_STEP = 2.0**-24

_HALVES = 2
"""By this the variance of a cross-fitted measurement may grow over that of independent rows. What is learnt from one
half by chance, and helps or hurts in the other, does the same the other way round: at worst both halves err together,
and are worth one."""


def attribute(
    model: Literal["float", "device"],
    member_predictions: Predictions,
    nonmember_predictions: Predictions,
    train: Split,
    evaluation: Split,
    column: str,
    *,
    seed: int,
    level: float,
) -> tuple[AttributePart, AttributePart]:
    """Attack one model's training people, and people it never saw.

    Args:
        model: whose predictions these are.
        member_predictions: for the rows of `train`.
        nonmember_predictions: for the rows of `evaluation`.
        train: the members.
        evaluation: the non-members.
        column: the group spec that is guessed: a column, or columns joined by `*`.
        seed: of the halving.
        level: two-sided confidence level.

    Returns:
        Members first, then non-members.
    """
    members = _attack(member_predictions, train, column, seed, level)
    others = _attack(nonmember_predictions, evaluation, column, seed, level)
    return (
        AttributePart(model=model, column=column, people="members", **members),
        AttributePart(model=model, column=column, people="non-members", **others),
    )


def _attack(predictions: Predictions, split: Split, column: str, seed: int, level: float) -> Mapping[str, Measurement]:
    """The three measurements of one side."""
    people, named = person_codes(split.subjects, len(split))
    if not named:
        people = np.arange(len(split))
    values = _values(split, column)
    usable, missing = _usable(values, people, named)
    missing = missing or _speechless(predictions.scores[usable])
    subjects = len(np.unique(people[usable])) if named else None
    if missing is not None:
        silent = NotMeasurable(reason=missing, rows=int(usable.sum()), subjects=subjects)
        return {"without": silent, "with_model": silent, "gain": silent}
    values, people = np.unique(values[usable], return_inverse=True)[1], people[usable]
    known = _known(split, column)[usable]
    outputs = _outputs(predictions)[usable]
    first = _halves(values, people, seed)
    blind = _hits(known, values, first)
    seeing = _hits(np.concatenate([known, outputs], axis=1), values, first)
    return _measurements(blind, seeing, values, people, named=named, level=level)


def _values(split: Split, column: str) -> NDArray[np.int64]:
    """[rows] the value of the spec as a number; −1 where a column of it is unknown."""
    values = np.full(len(split), -1, dtype=np.int64)
    for code, (group, mask) in enumerate(split.members(column)):
        if UNKNOWN not in group.values:
            values[mask] = code
    return values


def _usable(values: NDArray[np.int64], people: Counts, named: bool) -> tuple[Mask, str | None]:
    """[rows] those whose value enough people have, and why there is nothing to guess, if so."""
    usable = values >= 0
    who = "people" if named else "rows"
    for value in np.unique(values[usable]):
        if len(np.unique(people[values == value])) < FEWEST_PEOPLE:
            usable &= values != value
    rows, kinds = int(usable.sum()), len(np.unique(values[usable]))
    if kinds < 2:
        return usable, f"there is nothing to guess: {kinds} of its values has {FEWEST_PEOPLE} {who} or more, 2 must"
    if rows < FEWEST_ROWS:
        return usable, f"{rows} rows are too few: {FEWEST_ROWS} are needed"
    return usable, None


def _speechless(scores: NDArray[np.float32]) -> str | None:
    """Why outputs tell nothing of anybody, if so."""
    if not np.isfinite(scores).all():
        return "the model gives outputs that are no finite numbers"
    return "the model gives the same output for every row" if (scores == scores[:1]).all() else None


def _known(split: Split, column: str) -> Floats:
    """[rows, features] what the attacker knows anyway: the true class (or value), and every other group column."""
    guessed = set(column.split("*"))
    blocks = [_one_hot(split.y)] if split.target is None else [split.target[:, None]]
    blocks += [_one_hot(values) for name, values in split.groups.items() if name not in guessed]
    return np.concatenate(blocks, axis=1)


def _one_hot(values: NDArray[np.generic]) -> Floats:
    kinds, which = np.unique(values, return_inverse=True)
    return np.asarray(np.eye(len(kinds))[which.reshape(-1)], dtype=np.float64)


def _outputs(predictions: Predictions) -> Floats:
    """[rows, scores] what the model says: probabilities on the scale of logits, half a step from their ends."""
    scores = predictions.scores.astype(np.float64)
    if not ((scores >= 0) & (scores <= 1)).all():
        return scores
    half = (predictions.step or _FLOAT_STEP) / 2
    return np.asarray(np.log((scores + half) / (1 - scores + half)))


def _halves(values: NDArray[np.int64], people: Counts, seed: int) -> Mask:
    """[rows] whether a row is in the first half: whole people, of each value as many as in the second, ±1."""
    random = np.random.default_rng(seed)
    first = np.zeros(int(people.max()) + 1, dtype=bool)
    firsts = np.unique(people, return_index=True)
    for value in np.unique(values):
        same = firsts[0][values[firsts[1]] == value]
        first[random.permutation(same)[: len(same) // 2]] = True
    return np.asarray(first[people])


def _hits(features: Floats, values: NDArray[np.int64], first: Mask) -> Mask:
    """[rows] whether the guess, learnt from the other half, is right."""
    guessed = np.empty(len(values), dtype=np.int64)
    kinds = int(values.max()) + 1
    for half in (first, ~first):
        guessed[half] = fit_logistic(features[~half], values[~half], kinds).guess(features[half])
    return np.asarray(guessed == values)


def _measurements(
    blind: Mask, seeing: Mask, values: NDArray[np.int64], people: Counts, *, named: bool, level: float
) -> Mapping[str, Measurement]:
    """Balanced accuracies and their difference, by the influence of rows (see `statistics.linear`)."""
    rows = np.bincount(values)
    weight = math.sqrt(_HALVES) * len(values) / (len(rows) * rows)[values]
    scarce = max(len(rows) * int(rows.min()) // _HALVES, 1)
    measured: dict[str, Measurement] = {}
    for name, worth in (("without", blind), ("with_model", seeing), ("gain", seeing.astype(float) - blind)):
        of_value = np.bincount(values, worth) / rows
        estimate = linear(
            float(of_value.mean()),
            np.asarray(weight * (worth - of_value[values]), dtype=np.float64),
            np.ones(len(values), dtype=np.int64),
            people,
            named=named,
            range="difference" if name == "gain" else "share",
            scarce=scarce,
            correlation=OUTCOME_CORRELATION,
        )
        measured[name] = measure(estimate, level)
    return measured
