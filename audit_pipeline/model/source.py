"""The source model as later stages see it: a file that was inspected and found harmless."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_pipeline.evidence import InputPart, SourcePart


@dataclass(frozen=True)
class SourceModel:
    """A trained model on disk, inspected but not loaded."""

    path: Path
    part: SourcePart

    @property
    def is_finished(self) -> bool:
        """Whether it is a .tflite, which is not compressed again."""
        return self.part.format == "tflite"


def input_fields(inputs: tuple[InputPart, ...]) -> dict[str, Any]:
    """The fields of a `SourcePart` that tell of its inputs; rows of several lie flat, one input after the other."""
    if len(inputs) == 1:
        return {"input_shape": inputs[0].shape}
    return {"input_shape": (sum(math.prod(each.shape) for each in inputs),), "inputs": inputs}
