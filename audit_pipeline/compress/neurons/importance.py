"""How much each unit matters: by its filters' size, by the loss, or by the loss of the group that needs it most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.neurons.channels import Wiring
from audit_pipeline.compress.neurons.magnitude import magnitudes
from audit_pipeline.compress.neurons.taylor import taylor_scores
from audit_pipeline.data.population import Split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.measurement import GroupKey
from audit_pipeline.policy.recipe import PruneNeurons
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

    Two things would let a group be overheard. A group whose loss is larger has larger gradients everywhere: each
    group's scores are divided by their sum over the units that compete with each other, so that every group has one
    vote to share out among them. And the rows of a rare class are few in every group: classes count the same within a
    group, as they do in balanced accuracy, and rows are drawn evenly over classes as well as groups.
    """
    classes = {"class": lesson.split.y.astype(np.str_)}
    by_class = replace(lesson.split, groups={**lesson.split.groups, **classes})
    rows = stratified_sample(by_class, settings.rows, seed)
    groups = dict(_votes(lesson.split.take(rows), settings.groups))
    asked = {key: votes for key, votes in groups.items() if votes is not None}
    if not asked:
        asked = {GroupKey(): np.full(len(rows), 1 / len(rows))}
    scores = taylor_scores(model, wiring, lesson, rows, np.stack(list(asked.values())), progress)
    rivals = [family.units for family in wiring.families]
    if settings.scope == "model":
        rivals = [np.arange(wiring.units, dtype=np.int64)]
    for units in rivals:
        totals = scores[:, units].sum(axis=1, keepdims=True)
        scores[:, units] /= np.where(totals > 0, totals, 1)
    worst = ", ".join(key.label for key in asked)
    notes = [
        "importance: first-order change of the loss in the group that needs the unit most, "
        f"{_drawn(lesson, rows, ' and classes')}; groups and, within them, classes count the same",
        f"groups asked: {worst}",
    ]
    if left := [key.label for key, votes in groups.items() if votes is None]:
        notes.append(f"not asked, as no class has {_FEW} rows in them: {', '.join(left)}")
    return Importance(scores.max(axis=0), tuple(notes))


def _votes(split: Split, spec: str) -> Iterator[tuple[GroupKey, NDArray[np.float64] | None]]:
    """Each group's rows, weighted so that its classes count the same; None where it has too few to say anything."""
    for key, inside in split.members(spec):
        counts = np.bincount(split.y[inside])
        known = counts >= _FEW
        if not known.any():
            yield key, None
            continue
        weight = np.where(known, 1 / (known.sum() * np.maximum(counts, 1)), 0)
        votes = np.zeros(len(split))
        votes[inside] = weight[split.y[inside]]
        yield key, votes


def _drawn(lesson: Lesson, rows: NDArray[np.int64], also: str) -> str:
    return f"on {len(rows)} {lesson.taken} of the train split, drawn evenly over groups{also}"
