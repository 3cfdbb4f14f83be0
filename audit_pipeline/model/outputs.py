"""Whether a model gives what the task of a data set needs."""

from __future__ import annotations

from audit_pipeline.data.population import Development
from audit_pipeline.errors import InputError
from audit_pipeline.model.source import SourceModel
from audit_pipeline.predictions import Task


def check_output(source: SourceModel, data: Development) -> None:
    """Hold the shape of a model's output against the task.

    A classification needs one score per class, or one unit that stands for the second of two; a reconstruction error
    needs the shape of the input; every other score, and the value of a regression, is one unit.

    Raises:
        InputError: `model.output-shape`.
    """
    outputs, classes = source.part.output_shape, len(data.classes)
    if data.reading.reconstructs:
        _require(
            source,
            outputs == source.part.input_shape,
            f"gives {shape_text(outputs)} values for a row of {shape_text(source.part.input_shape)}; "
            "a reconstruction error needs the input given back",
            "give the whole autoencoder, or set `score: output` in the manifest for a model that gives a score",
        )
    elif data.task is Task.CLASSIFICATION:
        _require(
            source,
            outputs == (classes,) or (outputs == (1,) and classes == 2),
            f"gives {shape_text(outputs)} scores, the data set has {classes} classes",
            "list in the manifest's `classes` what the outputs stand for, in their order",
        )
    else:
        _require(
            source,
            outputs == (1,),
            f"gives {shape_text(outputs)} values a row, but the task is {data.task}, which needs one",
            "set `score: reconstruction_error` in the manifest for an autoencoder"
            if data.task is Task.ANOMALY
            else "end the model in one unit, or set the manifest's `task` to what the model is for",
        )


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as people read it: 96×96×3."""
    return "×".join(str(size) for size in shape)


def _require(source: SourceModel, holds: bool, what: str, hint: str) -> None:
    if not holds:
        raise InputError("model.output-shape", f"the model {what}", where=str(source.path), hint=hint)
