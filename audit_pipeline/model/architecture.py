"""Building a checked architecture: first symbolically, where a layer of any size takes no memory, then for real."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from audit_pipeline.errors import InputError
from audit_pipeline.evidence import InputPart, Layer
from audit_pipeline.model.description import Description
from audit_pipeline.model.layers import LAYERS
from audit_pipeline.model.runtime import keras, quiet, tensorflow

MAX_PARAMETERS = 50_000_000
"""Most parameters: about 50 MB in int8."""

_MAX_ELEMENTS = 1 << 24


def build(description: Description, where: str) -> Any:
    """Build the tf_keras model that a checked description describes, with fresh weights and uncompiled.

    Raises:
        InputError: `model.corrupt`: Keras cannot build it.
    """
    tensorflow().random.set_seed(0)  # dropout cannot be built without one where determinism is asked for
    try:
        with quiet():
            return keras().models.model_from_config(description.config)
    except Exception as error:  # Keras raises anything at all over an inconsistent architecture
        raise InputError(
            "model.corrupt",
            f"Keras cannot build the architecture ({_first_line(error)})",
            where=where,
            hint="load the model in the Keras it was saved by and save it again",
        ) from error


def measure(description: Description, where: str) -> tuple[tuple[Layer, ...], tuple[InputPart, ...], tuple[int, ...]]:
    """Build symbolically and measure.

    Returns:
        The layers, the inputs in the model's order, and the output shape; shapes without the batch dimension.

    Raises:
        InputError: the model has several outputs, an open shape, or is absurdly large.
    """
    with _graph():
        model = build(description, where)
        shapes, outputs = _shapes(model.inputs, "input", where), _shapes(model.outputs, "output", where)
        if len(outputs) != 1:
            raise several_outputs(len(outputs), where)
        inputs = tuple(InputPart(name=name, shape=shape) for name, shape in zip(model.input_names, shapes, strict=True))
        layers = tuple(
            Layer(name=layer.name, kind=type(layer).__name__, parameters=layer.count_params()) for layer in model.layers
        )
        _check_size(model, where)
    return layers, inputs, outputs[0]


@contextmanager
def _graph() -> Iterator[None]:
    """A graph to build in, after which layers are what they were before.

    Keras turns the class of a layer that is made in a graph, and with it every such layer that there is, into what it
    had for TensorFlow 1: models made before could not be called any more. Making one outside turns the class back.
    """
    try:
        with tensorflow().Graph().as_default():
            yield
    finally:
        tf_keras = keras()
        for kind in [tf_keras.Sequential, *(getattr(tf_keras.layers, name, tf_keras.layers.Layer) for name in LAYERS)]:
            kind.__new__(kind)


def several_outputs(outputs: int, where: str) -> InputError:
    """The error for a model that does not have one output."""
    return InputError(
        "model.several-ends",
        f"the model has {outputs} outputs; models with one output are supported",
        where=where,
        hint="save the one output that the device needs",
    )


def _shapes(tensors: Any, what: str, where: str) -> list[tuple[int, ...]]:
    if not tensors:
        raise InputError(
            "model.unbuilt",
            f"the model does not say what shape its {what} has",
            where=where,
            hint="start it with keras.layers.Input(shape) and save it again",
        )
    for batch, *shape in (tuple(tensor.shape) for tensor in tensors):
        if batch is not None or None in shape:
            raise InputError(
                "model.shape",
                f"the {what} has the shape {(batch, *shape)}; it must be open in the batch dimension only",
                where=where,
                hint="build the model with Input(shape) of fixed sizes and without batch_size",
            )
    return [tuple(int(size) for size in tensor.shape[1:]) for tensor in tensors]


def _check_size(model: Any, where: str) -> None:
    parameters = model.count_params()
    if parameters > MAX_PARAMETERS:
        raise _absurd(f"the model has {parameters} parameters; at most {MAX_PARAMETERS} are taken", where)
    for layer in model.layers:
        for output in _tensors(layer.output):
            elements = math.prod(size or 1 for size in output.shape)
            if elements > _MAX_ELEMENTS:
                raise _absurd(f"layer {layer.name!r} gives {elements} values for one row", where)


def _tensors(output: Any) -> list[Any]:
    return list(output) if isinstance(output, (list, tuple)) else [output]


def _absurd(what: str, where: str) -> InputError:
    return InputError("model.absurd-size", what, where=where, hint="no microcontroller holds it; is it the right file?")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
