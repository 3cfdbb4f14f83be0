"""The source model as later stages see it: a file that was inspected and found harmless."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.evidence import SourcePart


@dataclass(frozen=True)
class SourceModel:
    """A trained model on disk, inspected but not loaded."""

    path: Path
    part: SourcePart

    @property
    def is_finished(self) -> bool:
        """Whether it is a .tflite, which is not compressed again."""
        return self.part.format == "tflite"
