"""How much each unit matters: by its filters' size, by the loss, or by the loss of the group that needs it most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.neurons.channels import Wiring
from audit_pipeline.compress.neurons.choice import Scope
from audit_pipeline.compress.neurons.magnitude import magnitudes
from audit_pipeline.compress.neurons.taylor import taylor_scores
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.measurement import GroupKey
from audit_pipeline.policy.steps import PruneNeurons
from audit_pipeline.progress import Progress

_FEW = 10
"""Rows below which nothing is estimated: the mean square of so few gradients is the largest of them."""


@dataclass(frozen=True)
class Importance:
    """A score for each unit."""

    scores: NDArray[np.float64]
    """[units], higher matters more; comparable within the settings' scope."""
    notes: tuple[str, ...]
    """How it was measured, in words."""


def importance(
    model: Any, wiring: Wiring, settings: PruneNeurons, lesson: Lesson, seed: int, progress: Progress
) -> Importance:
    """Score every unit as the settings ask.

    Args:
        model: an uncompiled tf_keras model.
        wiring: of this model.
        settings: the step as the policy writes it.
        lesson: rows, answers and loss; the size of filters needs none of them.
        seed: of the draw of rows.
        progress: told the share of rows that are done.
    """
    if settings.importance == "l1":
        return Importance(
            magnitudes(wiring),
            ("importance: L1 norm of the filters with batch normalisation folded in, relative to their layer's mean",),
        )
    if settings.importance == "taylor":
        rows = stratified_sample(lesson.split, settings.rows, seed)
        weights = np.full((1, len(rows)), 1 / len(rows))
        scores = taylor_scores(model, wiring, lesson, rows, weights, progress)
        return Importance(scores[0], (f"importance: first-order change of the loss, {_drawn(lesson, rows, '')}",))
    return _worst_group(model, wiring, settings, lesson, seed, progress)


def _worst_group(
    model: Any, wiring: Wiring, settings: PruneNeurons, lesson: Lesson, seed: int, progress: Progress
) -> Importance:
    """The largest of the groups' own scores.

    The square of a gradient is large where the loss is, so a mean over rows hears whoever is answered worst, and where
    rows of a class are few it does not hear them at all. So each class of each group has one vote: its mean scores,
    divided by their sum over the units that compete with each other. A group's score is the mean vote of its classes,
    as balanced accuracy is the mean of their recalls; rows are drawn evenly over classes as well as groups.
    """
    classes = {"class label": lesson.split.y.astype(np.str_)}  # no column can have this name
    by_class = replace(lesson.split, groups={**lesson.split.groups, **classes})
    rows = stratified_sample(by_class, settings.rows, seed)
    split = lesson.split.take(rows)
    groups = split.members(settings.groups)
    cells = {key.label: list(_classes(split.y, inside)) for key, inside in groups}
    if not any(cells.values()):  # so few rows that nobody can be asked alone
        cells = {GroupKey().label: [np.full(len(rows), 1 / len(rows))]}
    asked = {label: votes for label, votes in cells.items() if votes}
    weights = np.stack([vote for votes in asked.values() for vote in votes])
    votes = _shares(taylor_scores(model, wiring, lesson, rows, weights, progress), wiring, settings.scope)
    ends = np.cumsum([len(each) for each in asked.values()])[:-1]
    scores = np.stack([of_group.mean(axis=0) for of_group in np.split(votes, ends)]).max(axis=0)
    notes = [
        "importance: first-order change of the loss in the group that needs the unit most, "
        f"{_drawn(lesson, rows, ' and classes')}; every class of a group has the same say",
        f"groups asked: {', '.join(asked)}",
    ]
    if left := [label for label, votes in cells.items() if not votes]:
        notes.append(f"not asked, as no class has {_FEW} rows in them: {', '.join(left)}")
    return Importance(scores, tuple(notes))


def _classes(y: NDArray[np.int64], inside: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
    """[rows] the rows of each class in a group, weighted to a sum of 1; classes with too few rows are left out."""
    for number in np.unique(y[inside]):
        members = inside & (y == number)
        if (count := np.count_nonzero(members)) >= _FEW:
            yield members / count


def _shares(scores: NDArray[np.float64], wiring: Wiring, scope: Scope) -> NDArray[np.float64]:
    """[votes, units] scores as shares of their sum over the units that a unit competes with."""
    everybody = np.arange(wiring.units, dtype=np.int64)
    shares = np.zeros_like(scores)
    for units in [everybody] if scope == "model" else [family.units for family in wiring.families]:
        totals = scores[:, units].sum(axis=1, keepdims=True)
        shares[:, units] = scores[:, units] / np.where(totals > 0, totals, 1)
    return shares


def _drawn(lesson: Lesson, rows: NDArray[np.int64], also: str) -> str:
    return f"on {len(rows)} {lesson.taken} of the train split, drawn evenly over groups{also}"
