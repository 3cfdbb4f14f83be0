"""What each kind of layer does to channels: passes them on, joins them, puts them elsewhere, or makes new ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from audit_pipeline.compress.neurons.graph import Call
from audit_pipeline.compress.neurons.partition import Ids, Partition
from audit_pipeline.compress.neurons.weights import MIXING


@dataclass(frozen=True)
class Channels:
    """A tensor, cut along the one axis on which its channels lie."""

    shape: tuple[int, ...]
    """Without the batch dimension."""
    axis: int
    ids: Ids
    """[shape[axis]] the channel that each slice belongs to."""


Rule = Callable[[Call, Sequence[Channels], Partition], Channels]
"""From a call and the channels that it takes to the channels that it gives."""


def flow(call: Call, inputs: Sequence[Channels], partition: Partition) -> tuple[Channels, ...]:
    """The channels that a call gives; joins and pins in `partition` what the call makes depend on each other.

    A layer that is not known here pins what it takes and what it gives.
    """
    rule = _RULES.get(call.kind)
    if rule is None or len(call.outputs) != 1 or _is_normalized_over_channels(call.layer):
        reason = f"the {call.kind} layer {call.layer.name} needs every channel"
        for channels in inputs:
            partition.pin(channels.ids, reason)
        return tuple(_pinned(shape, reason, partition) for shape in call.shapes)
    return (rule(call, inputs, partition),)


def _pinned(shape: tuple[int, ...], reason: str, partition: Partition) -> Channels:
    axis = max(len(shape) - 1, 0)
    return Channels(shape, axis, partition.fresh(shape[axis] if shape else 1, reason))


def _is_normalized_over_channels(layer: Any) -> bool:
    """A softmax behind the channels: its every value changes when a channel goes."""
    return (
        getattr(getattr(layer, "activation", None), "__name__", "") == "softmax" and type(layer).__name__ not in MIXING
    )


def _along(call: Call, channels: Channels, partition: Partition) -> Channels:
    """The tensor cut along the axis that the layer takes for its channels; pinned if they do not lie there."""
    first = getattr(call.layer, "data_format", "channels_last") == "channels_first"
    axis = 0 if first else len(channels.shape) - 1
    if channels.axis == axis:
        return channels
    reason = f"the {call.kind} layer {call.layer.name} works along another axis"
    partition.pin(channels.ids, reason)
    return Channels(channels.shape, axis, partition.fresh(channels.shape[axis], reason))


def _same(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    return inputs[0]


def _spatial(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    return replace(_along(call, inputs[0], partition), shape=call.shapes[0])


def _global(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    channels, shape = _along(call, inputs[0], partition), call.shapes[0]
    return Channels(shape, channels.axis if len(shape) > 1 else 0, channels.ids)


def _by_channel(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    """Batch normalisation: weights along one axis, which `axis` counts with the batch dimension."""
    channels = inputs[0]
    if [axis - 1 for axis in call.layer.axis] != [channels.axis]:
        reason = f"the {call.kind} layer {call.layer.name} works along another axis"
        partition.pin(channels.ids, reason)
    return channels


def _depthwise(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    channels = _along(call, inputs[0], partition)
    ids = np.repeat(channels.ids, call.layer.depth_multiplier)
    return Channels(call.shapes[0], channels.axis, ids)


def _mixing(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    channels, layer, shape = _along(call, inputs[0], partition), call.layer, call.shapes[0]
    reason = None
    if getattr(layer, "groups", 1) != 1:
        reason = f"{layer.name} has its filters in groups"
        partition.pin(channels.ids, reason)
    elif getattr(layer.activation, "__name__", "") == "softmax":
        reason = f"the softmax of {layer.name} needs every unit"
    axis = channels.axis
    return Channels(shape, axis, partition.fresh(shape[axis], reason))


def _merged(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    """Element by element, shapes aligned from the right; a single slice on the channel axis serves all channels."""
    shape = call.shapes[0]
    axes = {channels.axis - len(channels.shape) for channels in inputs if len(channels.ids) > 1} or {-1}
    axis = min(axes)
    sizes = [((1,) * len(shape) + channels.shape)[axis] for channels in inputs]
    whole = [channels.ids for channels in inputs if len(channels.ids) == shape[axis]]
    if len(axes) > 1 or not whole or any(size not in (1, len(c.ids)) for size, c in zip(sizes, inputs, strict=True)):
        return _refused(call, inputs, partition)
    for channels in inputs:
        if len(channels.ids) != shape[axis]:
            partition.pin(channels.ids, f"one channel serves all others in {call.layer.name}")
    for ids in whole[1:]:
        partition.tie(whole[0], ids)
    return Channels(shape, axis + len(shape), whole[0])


def _concatenated(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    shape = call.shapes[0]
    axis = call.layer.axis % (len(shape) + 1) - 1
    if len({channels.axis for channels in inputs}) > 1:
        return _refused(call, inputs, partition)
    if axis == inputs[0].axis:
        return Channels(shape, axis, np.concatenate([channels.ids for channels in inputs]))
    for channels in inputs[1:]:
        partition.tie(inputs[0].ids, channels.ids)
    return replace(inputs[0], shape=shape)


def _refused(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    reason = f"what {call.layer.name} joins has its channels on different axes"
    for channels in inputs:
        partition.pin(channels.ids, reason)
    return _pinned(call.shapes[0], reason, partition)


def _reshaped(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    """The same values in the same order.

    What is left after a removal must be a block again, so channels have to lie on one axis. Where they do not, those
    that share a place on the last axis are joined.
    """
    channels, shape = inputs[0], call.shapes[0]
    if call.kind == "Flatten" and getattr(call.layer, "data_format", "channels_last") == "channels_first":
        return _refused(call, inputs, partition)
    along = [1] * len(channels.shape)
    along[channels.axis] = -1
    ids = np.broadcast_to(channels.ids.reshape(along), channels.shape).reshape(shape)
    roots = partition.roots(ids)
    varying = [axis for axis in range(len(shape)) if np.any(roots != roots.take([0], axis))]
    axis = varying[0] if len(varying) == 1 else len(shape) - 1
    rows = np.moveaxis(ids, axis, -1).reshape(-1, shape[axis])
    if len(varying) > 1:
        partition.tie(np.broadcast_to(rows[0], rows.shape), rows)
    return Channels(shape, axis, rows[0].copy())


def _permuted(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    axis = list(call.layer.dims).index(inputs[0].axis + 1)
    return Channels(call.shapes[0], axis, inputs[0].ids)


def _repeated(call: Call, inputs: Sequence[Channels], partition: Partition) -> Channels:
    return Channels(call.shapes[0], 1, inputs[0].ids)


_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(MIXING, _mixing),
    **dict.fromkeys(("Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU", "GaussianDropout",
                     "GaussianNoise", "Identity", "LeakyReLU", "PReLU", "ReLU", "ThresholdedReLU"), _same),
    **{f"{kind}{n}D": _spatial for n in (1, 2, 3) for kind in (
        "AveragePooling", "Cropping", "MaxPooling", "SpatialDropout", "UpSampling", "ZeroPadding")},
    **{f"Global{kind}Pooling{n}D": _global for n in (1, 2, 3) for kind in ("Average", "Max")},
    **dict.fromkeys(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"), _merged),
    "BatchNormalization": _by_channel,
    "Concatenate": _concatenated,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "Flatten": _reshaped,
    "Permute": _permuted,
    "RepeatVector": _repeated,
    "Reshape": _reshaped,
}  # fmt: skip
"""Layers whose effect on channels is known, by class."""
