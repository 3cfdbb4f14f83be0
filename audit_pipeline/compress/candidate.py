"""The candidate as later stages see it."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.evidence import CandidatePart


@dataclass(frozen=True)
class Candidate:
    """The .tflite bytes and the recipe that made them."""

    tflite: bytes
    part: CandidatePart
