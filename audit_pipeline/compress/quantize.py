"""Full integer quantization: int8 weights, activations, input and output, by the TFLite converter.

Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference".
The ranges of activations come from representative rows that are run through the float model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.repack import repack
from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.model.runtime import quiet, tensorflow
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
    """Convert a model to an int8 .tflite with a batch of one.

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
        InputError: `compress.unconvertible`: the converter has no int8 form for some part of the model.
    """
    representative = calibration.split.x
    tf = tensorflow()
    row = tf.TensorSpec([1, *representative.shape[1:]], tf.float32, name="input")
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(row)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _rows(representative, progress)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        with quiet():
            tflite = repack(converter.convert())
    except Exception as error:  # the converter raises its own class, RuntimeError or ValueError, by no rule
        raise InputError(
            "compress.unconvertible",
            f"the TFLite converter cannot turn the model into int8 ({_reason(error)})",
            hint="replace the layer it names by one that TFLite has an int8 kernel for",
        ) from error
    return tflite, StepPart(
        technique="quantize",
        settings=settings.model_dump(mode="json") | {"calibration_rows": len(representative)},
        notes=(f"calibrated on {len(representative)} rows {calibration.drawn}",),
    )


def _rows(representative: NDArray[np.float32], progress: Progress) -> Iterator[list[NDArray[np.float32]]]:
    for number, row in enumerate(representative):
        yield [row[None]]
        progress("calibrate", (number + 1) / len(representative))


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (next((line for line in lines if "error:" in line), lines[0] if lines else type(error).__name__))[:300]
