"""Training towards the float source's answers."""

from __future__ import annotations

from typing import Any

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.evidence import StepPart
from audit_pipeline.policy.recipe import Distill
from audit_pipeline.progress import Progress


def distill(
    student: Any, settings: Distill, teacher: Any, lesson: Lesson, seed: int, progress: Progress
) -> tuple[Any, StepPart]:
    """Carry out the step."""
    raise NotImplementedError
