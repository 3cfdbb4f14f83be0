"""Removal of whole filters and units."""

from __future__ import annotations

from typing import Any

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.evidence import StepPart
from audit_pipeline.policy.recipe import PruneNeurons
from audit_pipeline.progress import Progress


def prune_neurons(
    model: Any, settings: PruneNeurons, lesson: Lesson, seed: int, progress: Progress
) -> tuple[Any, StepPart]:
    """Carry out the step."""
    raise NotImplementedError
