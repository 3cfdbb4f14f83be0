"""What the float model and the device say of the same rows."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.data.population import Split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.evidence import KernelCheck
from audit_pipeline.inputs import Inputs
from audit_pipeline.model.predict import predict_float
from audit_pipeline.predictions import Predictions
from audit_pipeline.progress import Progress

KERNEL_SAMPLE_ROWS = 512
"""Rows on which the faster way to the device's answers is held against the device's own, drawn evenly over groups."""


@dataclass(frozen=True)
class Answers:
    """What was said of the rows of one split."""

    before: Predictions | None
    """By the float model; None where there is none."""
    after: Predictions
    """By the device."""
    kernels: KernelCheck


def answers(inputs: Inputs, candidate: Candidate, split: Split, name: str, progress: Progress) -> Answers:
    """Ask both.

    Args:
        inputs: give the float model.
        candidate: what the device runs; one that it can run.
        split: the rows.
        name: of the split, for the progress.
        progress: told how far each is.
    """

    def told(step: str, done: float) -> None:
        progress(f"{step}, {name}", done)

    source, reading = inputs.float_model, inputs.population.reading
    before = predict_float(source, split.x, reading, told) if source else None
    sample = stratified_sample(split, KERNEL_SAMPLE_ROWS, candidate.part.seed)
    after, kernels = predict_device(candidate, split.x, sample, reading, told)
    return Answers(before, after, kernels)
