"""Integers only: int8, int8 trained with its rounding, int16 activations over int8 weights, or both by operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.float_graph import FloatGraph, float_graph
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.mixed import mixed
from audit_pipeline.compress.quantize_aware import quantize_aware
from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.policy.recipe import Quantize
from audit_pipeline.progress import Progress


@dataclass(frozen=True)
class Calibration:
    """Rows that ranges are taken from."""

    split: Split
    drawn: str
    """In words, where they come from."""


def quantize(
    model: Any, settings: Quantize, calibration: Calibration, lesson: Lesson | None, seed: int, progress: Progress
) -> tuple[bytes, StepPart]:
    """Convert a model to a .tflite of integers with a batch of one.

    Args:
        model: a tf_keras model.
        settings: the step as the policy writes it.
        calibration: finite rows to take the ranges from.
        lesson: what to train on where the step trains; None where there is nothing to learn from.
        seed: of the order of the rows where the step trains.
        progress: told how far calibration is.

    Returns:
        The .tflite, and the step as it was carried out.

    Raises:
        InputError: `compress.unconvertible`: the converter has no such form for some part of the model;
            `compress.float-operator`: it leaves a part in floats; `compress.unknown-operator`: `lift` names none.
    """
    rows = calibration.split.x
    notes: tuple[str, ...] = (f"calibrated on {len(rows)} rows {calibration.drawn}",)
    if settings.aware is not None:
        assert lesson is not None, "a recipe that trains has a lesson"  # noqa: S101
        model, learned = quantize_aware(model, settings.aware, lesson, seed, progress)
        notes += learned
    if settings.scheme == "mixed":
        tflite, lifted = _mixed(model, settings, calibration.split, progress)
        notes += lifted
    else:
        tflite = convert(model, rows, settings.scheme, progress)
    return tflite, StepPart(
        technique="quantize",
        settings=settings.model_dump(mode="json") | {"calibration_rows": len(rows)},
        notes=notes,
    )


def _mixed(model: Any, settings: Quantize, split: Split, progress: Progress) -> tuple[bytes, tuple[str, ...]]:
    source = float_graph(model, split.x, progress)
    if not isinstance(settings.lift, int):
        assert settings.lift is not None, "mixed comes with lift"  # noqa: S101
        return _lifted(source, settings.lift)
    raise InputError("compress.not-built", "choosing the operators to lift is not built yet")


def _lifted(source: FloatGraph, names: tuple[str, ...]) -> tuple[bytes, tuple[str, ...]]:
    before, tflite = len(mixed(source, ())), mixed(source, names)
    return tflite, (f"lifted to int16x8: {', '.join(names)}", f"{before:,} bytes in int8, {len(tflite):,} so")
