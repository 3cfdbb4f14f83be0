"""Conversion by the TFLite converter: float, full int8, or int16 activations over int8 weights.

Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference".
The ranges of activations come from representative rows that are run through the float model.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.integers import require_integers
from audit_pipeline.compress.repack import pack, repack
from audit_pipeline.errors import InputError
from audit_pipeline.model.feed import feeds
from audit_pipeline.model.runtime import quiet, tensorflow
from audit_pipeline.progress import Progress
from audit_pipeline.tflite import read_graph


def convert(
    model: Any, representative: NDArray[np.float32], scheme: Literal["int8", "int16x8"], progress: Progress
) -> bytes:
    """Convert a model to a .tflite of integers with a batch of one.

    Args:
        model: a tf_keras model; one trained with int8's rounding in the loop keeps the ranges it was trained with.
        representative: [rows, *input_shape] finite rows to take the ranges of activations from.
        scheme: `int8` for int8 throughout, `int16x8` for int16 activations, input and output over int8 weights.
        progress: told how far calibration is.

    Raises:
        InputError: `compress.unconvertible`: the converter has no such form for some part of the model;
            `compress.float-operator`: it left a part in floats.
    """
    tf = tensorflow()
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _rows(model, representative, progress)
    kernels, kind = {
        "int8": (tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.int8),
        "int16x8": (tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8, tf.int16),
    }[scheme]
    converter.target_spec.supported_ops = [kernels]
    converter.inference_input_type = converter.inference_output_type = kind
    tflite = repack(_converted(converter, model, scheme))
    require_integers(read_graph(tflite), f"the scheme {scheme}")
    return tflite


def convert_float(model: Any) -> bytes:
    """Convert a model to a float32 .tflite with a batch of one, as the converter writes it.

    Raises:
        InputError: `compress.unconvertible`.
    """
    return _converted(_converter(model), model, "a float graph")


def _converter(model: Any) -> Any:
    tf = tensorflow()
    rows = [
        tf.TensorSpec([1, *tensor.shape[1:]], tf.float32, name=name)
        for tensor, name in zip(model.inputs, _input_names(model), strict=True)
    ]

    def answer(*inputs: Any) -> Any:
        return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

    return tf.lite.TFLiteConverter.from_concrete_functions([tf.function(answer).get_concrete_function(*rows)], model)


def _input_names(model: Any) -> list[str]:
    """What the inputs are called in the .tflite: `input`, or their Keras names where there are several."""
    if len(model.inputs) == 1:
        return ["input"]
    names = [str(tensor.name) for tensor in model.inputs]
    return names if all(name.isidentifier() for name in names) else [f"input_{n}" for n in range(len(names))]


def _converted(converter: Any, model: Any, target: str) -> bytes:
    try:
        with quiet(), _unlogged():
            return _in_order(bytes(converter.convert()), _input_names(model))
    except Exception as error:  # the converter raises its own class, RuntimeError or ValueError, by no rule
        raise InputError(
            "compress.unconvertible",
            f"the TFLite converter cannot turn the model into {target} ({_reason(error)})",
            hint="replace the layer it names by one that TFLite has an integer kernel for",
        ) from error


def _in_order(tflite: bytes, names: list[str]) -> bytes:
    """The converter sorts inputs by name; firmware and evaluation feed them in the model's order."""
    if len(names) == 1:
        return tflite
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    index = {entry.name.decode(): entry.tensorIndex for entry in model.signatureDefs[0].inputs}
    model.subgraphs[0].inputs = [index[name] for name in names]
    return pack(model)


@contextmanager
def _unlogged() -> Iterator[None]:
    """The converter raises absl's level again and warns of what is checked here afterwards."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _rows(
    model: Any, representative: NDArray[np.float32], progress: Progress
) -> Iterator[dict[str, NDArray[np.float32]]]:
    names = _input_names(model)
    for number in range(len(representative)):
        yield dict(zip(names, feeds(model, representative[number : number + 1]), strict=True))
        progress("calibrate", (number + 1) / len(representative))


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (next((line for line in lines if "error:" in line), lines[0] if lines else type(error).__name__))[:300]
