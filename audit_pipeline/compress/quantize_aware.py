"""Quantization-aware training: a model learns with int8's rounding in the loop, by tensorflow-model-optimization.

Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
section 3: weights and activations are rounded in the forward pass, gradients go past the rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.training import fit
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.errors import InputError
from audit_pipeline.model.feed import feed
from audit_pipeline.model.runtime import keras, quiet
from audit_pipeline.policy.steps import Training
from audit_pipeline.progress import Progress

_DECAY = 0.999
"""Of TFMOT's moving averages of ranges: `MovingAverageQuantizer`."""

_ROWS = 512
"""Rows that ranges are first measured on."""

_GROWTH = 1.1
"""A range that grows by less from one pass to the next was not clipped by the ranges before it."""

_FOLDED_INTO = ("Conv2D", "DepthwiseConv2D", "Dense")


def quantize_aware(
    model: Any, settings: Training, lesson: Lesson, seed: int, progress: Progress
) -> tuple[Any, tuple[str, ...]]:
    """Train a model with int8's rounding of weights and activations in the loop.

    Args:
        model: an uncompiled tf_keras model; it is not changed.
        settings: how to train.
        lesson: what to train on, and the loss.
        seed: of the rows that ranges are first measured on, of their order, of dropout and of who is held out.
        progress: told the share of epochs that are done.

    Returns:
        A tf_keras model that holds its ranges, ready for conversion; parts that TFMOT does not know hold none and need
        calibration. And notes on what was trained and what was left.

    Raises:
        InputError: `compress.nothing-aware`: TFMOT knows no layer that has weights, or not how they are joined; or as
            `fit`.
    """
    keras().utils.set_random_seed(seed)
    with quiet():
        import tensorflow_model_optimization as tfmot

        aware, left = _annotated(model, tfmot.quantization.keras)
        _measure(aware, lesson, seed)
    notes = fit(aware, settings, lesson, seed, progress, "train with rounding")
    if left:
        note = "trained without rounding, as tensorflow-model-optimization has none for them"
        notes += (f"{note}: {', '.join(left)}",)
    return aware, notes


def _annotated(model: Any, tfmot: Any) -> tuple[Any, list[str]]:
    """A copy that rounds, and the layers with weights that do not."""
    shared = [each["config"]["name"] for each in model.get_config()["layers"] if len(each.get("inbound_nodes", ())) > 1]
    if shared:
        raise _nothing(f"tensorflow-model-optimization puts no rounding into a layer used twice: {', '.join(shared)}")
    known = _known(model, tfmot)
    weighty = [layer.name for layer in model.layers if layer.weights]
    if not known & set(weighty):
        raise _nothing("tensorflow-model-optimization has no rounding for any layer of this model that has weights")

    def annotate(layer: Any) -> Any:
        copy = type(layer).from_config(layer.get_config())
        return tfmot.quantize_annotate_layer(copy) if layer.name in known else copy

    annotated = keras().models.clone_model(model, clone_function=annotate)
    annotated.set_weights(model.get_weights())
    try:
        aware = tfmot.quantize_apply(annotated, quantized_layer_name_prefix="")
    except (ValueError, RuntimeError, KeyError, AttributeError, IndexError) as error:  # by how the layers are joined
        raise _nothing(f"tensorflow-model-optimization cannot put rounding into this model ({error})") from error
    aware.set_weights(aware.get_weights())  # Normalization computes with what it finds when its weights are set
    return aware, [name for name in weighty if name not in known]


def _known(model: Any, tfmot: Any) -> set[str]:
    """Names of the layers that TFMOT rounds.

    It also rounds the output of a layer of a kind it knows where the next layer alone is to be rounded, whatever its
    activation: what follows a layer with an activation that it does not know is left as well.
    """
    registry = tfmot.default_8bit.Default8BitQuantizeRegistry()
    kinds = [layer for layer in model.layers if registry.supports(layer)]
    odd = [layer for layer in kinds if not _has_known_activation(layer, registry, tfmot)]
    after = [node.layer for layer in odd for node in layer.outbound_nodes]
    known = {layer.name for layer in kinds} - {layer.name for layer in [*odd, *after]}
    return known | {layer.name for layer in model.layers if _is_folded(layer, known)}


def _has_known_activation(layer: Any, registry: Any, tfmot: Any) -> bool:
    copy = type(layer).from_config(layer.get_config())
    try:
        tfmot.QuantizeWrapperV2(copy, registry.get_quantize_config(copy)).build(layer.input_shape)
    except ValueError:
        return False
    return True


def _is_folded(layer: Any, known: set[str]) -> bool:
    """Whether a batch normalisation becomes part of the layer before it, as in the .tflite."""
    if type(layer).__name__ != "BatchNormalization" or len(layer.inbound_nodes) != 1:
        return False
    before = layer.input.node.layer
    linear = getattr(getattr(before, "activation", None), "__name__", None) == "linear"
    alone = len(before.outbound_nodes) == 1
    return type(before).__name__ in _FOLDED_INTO and before.name in known and linear and alone


def _measure(aware: Any, lesson: Lesson, seed: int) -> None:
    """Set the ranges of activations to those of some rows, drawn evenly over groups.

    TFMOT starts every range at [-6, 6] and moves it by a thousandth a step, which leaves it far off after the few
    epochs of a fine-tuning. A pass in training mode moves a range r to d·r + (1 - d)·m, so what was measured is
    m = (r' - d·r) / (1 - d). A range that was too narrow clips what later layers see; passes are repeated until none
    grows. The statistics of batch normalisations, which training mode also moves, are put back.
    """
    rows = feed(aware, lesson.x[stratified_sample(lesson.split, _ROWS, seed)])
    statistics = [(variable, variable.numpy()) for variable in _named(aware, lambda name: name.startswith("moving_"))]
    moving = _named(aware, lambda name: name.endswith(("activation_min", "activation_max", "output_min", "output_max")))
    for _ in moving:
        before = np.array([variable.numpy() for variable in moving])
        aware(rows, training=True)
        measured = (np.array([variable.numpy() for variable in moving]) - _DECAY * before) / (1 - _DECAY)
        for variable, value in zip(moving, measured, strict=True):
            variable.assign(value)
        if np.all(np.abs(measured) <= _GROWTH * np.abs(before)):
            break
    for variable, value in statistics:
        variable.assign(value)


def _named(model: Any, is_meant: Callable[[str], bool]) -> list[Any]:
    return [each for each in model.non_trainable_variables if is_meant(each.name.split(":")[0].rsplit("/", 1)[-1])]


def _nothing(what: str) -> InputError:
    return InputError("compress.nothing-aware", what, hint="leave aware out of the recipe's quantize step")
