"""Integers only: int8, int8 trained with its rounding, int16 activations over int8 weights, or both by operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.fallback import Ranked, rank_operators
from audit_pipeline.compress.float_graph import float_graph
from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.mixed import mixed
from audit_pipeline.compress.outputs import coarser
from audit_pipeline.compress.quantize_aware import quantize_aware
from audit_pipeline.data.population import Split
from audit_pipeline.evidence import StepPart
from audit_pipeline.policy.steps import Quantize
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
            `compress.float-operator`: it leaves a part in floats; `compress.unknown-operator`: `lift` names none; or as
            `coarser`.
    """
    rows = calibration.split.x
    notes: tuple[str, ...] = (f"calibrated on {len(rows)} rows {calibration.drawn}",)
    if settings.aware is not None:
        assert lesson is not None, "a recipe that trains has a lesson"  # noqa: S101
        model, learned = quantize_aware(model, settings.aware, lesson, seed, progress)
        notes += learned
    given = settings.model_dump(mode="json") | {"calibration_rows": len(rows)}
    if settings.scheme == "mixed":
        tflite, lifted, told = _mixed(model, settings, calibration.split, progress)
        given["lift"], notes = lifted, notes + told
    else:
        tflite = convert(model, rows, settings.scheme, progress)
    if settings.outputs is not None:
        tflite, told = coarser(tflite, settings.outputs)
        notes += told
    return tflite, StepPart(technique="quantize", settings=given, notes=notes)


def _mixed(
    model: Any, settings: Quantize, split: Split, progress: Progress
) -> tuple[bytes, list[str], tuple[str, ...]]:
    """The .tflite, the operators that were lifted, and what is to be said of them."""
    source = float_graph(model, split.x, progress)
    ranking: tuple[str, ...] = ()
    if isinstance(settings.lift, int):
        ranked = rank_operators(model, source, split, settings.groups, progress)
        lifted = [each.name for each in ranked[: settings.lift]]
        ranking = (_ranking(ranked),)
    else:
        lifted = list(settings.lift or ())
    plain, tflite = mixed(source, ()), mixed(source, lifted)
    size = f"{len(plain):,} bytes with every operator in int8, {len(tflite):,} so"
    return tflite, lifted, (*ranking, f"lifted to int16x8: {', '.join(lifted)}", size)


def _ranking(ranked: tuple[Ranked, ...]) -> str:
    listed = ", ".join(f"{each.name} {each.score:.2g}" for each in ranked)
    return f"what each operator's rounding costs the group that it costs most ({ranked[0].group.label}): {listed}"
