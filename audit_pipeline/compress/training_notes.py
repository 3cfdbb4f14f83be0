"""How a step trained, in words: the notes that evidence bears."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.policy.steps import Training


def said(lesson: Lesson) -> str:
    """The loss, and where it comes from."""
    return f"{lesson.objective.loss}: {lesson.objective.origin}"


def weighing(lesson: Lesson, settings: Training) -> list[str]:
    """What was done so that rows count otherwise than alike, or weights are held back."""
    notes = []
    if lesson.class_weights is not None:
        notes.append("rows count by their class, as the manifest's class_weights say")
    if settings.balance != "overall":
        groups = len(lesson.split.members(settings.balance))
        notes.append(f"rows are weighted so that each of the {groups} groups by {settings.balance} counts the same")
    if settings.sampling == "square_root":
        people = " and people within them" if lesson.split.subjects is not None else ""
        notes.append(f"rows were drawn with classes{people} by the square root of their rows")
    if settings.decay == "cosine":
        notes.append("learning rate along half a cosine to zero")
    if settings.weight_decay:
        notes.append(f"kernels decay by {settings.weight_decay:g} × learning rate at each step")
    if settings.label_smoothing:
        notes.append(f"{settings.label_smoothing:.1%} of each label is spread over the classes")
    return notes


def stopping(early: Any, lesson: Lesson, out: NDArray[np.bool_]) -> str:
    """Which epoch was kept.

    Args:
        early: the callback of tf_keras that stopped it.
        lesson: what was trained on.
        out: [rows] of the lesson that were held out.
    """
    subjects = lesson.split.subjects
    watched = f"{len(np.unique(subjects[out]))} people" if subjects is not None else f"{int(out.sum())} rows"
    run = early.stopped_epoch + 1 if early.stopped_epoch else early.params["epochs"]
    return f"kept epoch {early.best_epoch + 1} of {run}, the one with the lowest loss on {watched} held out"
