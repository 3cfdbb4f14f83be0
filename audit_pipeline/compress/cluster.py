"""Weight sharing."""

from __future__ import annotations

from typing import Any

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.evidence import StepPart
from audit_pipeline.policy.recipe import Cluster
from audit_pipeline.progress import Progress


def cluster(model: Any, settings: Cluster, lesson: Lesson, seed: int, progress: Progress) -> tuple[Any, StepPart]:
    """Carry out the step."""
    raise NotImplementedError
