"""Training of the model as it stands: what pruning or sharing took is made up for by the weights that are left."""

from __future__ import annotations

from typing import Any

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.training import copied, fit, trained_part
from audit_pipeline.evidence import StepPart
from audit_pipeline.policy.steps import FineTune
from audit_pipeline.progress import Progress


def fine_tune(model: Any, settings: FineTune, lesson: Lesson, seed: int, progress: Progress) -> tuple[Any, StepPart]:
    """Train towards the labels.

    Args:
        model: an uncompiled tf_keras model; it is not changed.
        settings: the step as the policy writes it.
        lesson: what to train on, and the loss.
        seed: of the order of the rows, of dropout and of who is held out.
        progress: told the share of epochs that are done.

    Returns:
        The trained model, and the step as it was carried out.

    Raises:
        InputError: as `fit`.
    """
    trained = copied(model, seed)
    notes = fit(trained, settings, lesson, seed, progress, "fine-tune")
    return copied(trained, seed), trained_part("fine_tune", settings, lesson, notes)
