"""Where a layer's weights have its incoming and its outgoing channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

End = Literal["in", "out"]

_DENSE: Mapping[str, Mapping[int, End]] = {"kernel": {0: "in", 1: "out"}, "bias": {0: "out"}}
_CONVOLUTION: Mapping[str, Mapping[int, End]] = {"kernel": {-2: "in", -1: "out"}, "bias": {0: "out"}}
_TRANSPOSED: Mapping[str, Mapping[int, End]] = {"kernel": {-1: "in", -2: "out"}, "bias": {0: "out"}}
_DEPTHWISE: Mapping[str, Mapping[int, End]] = {"depthwise_kernel": {-2: "in"}, "bias": {0: "out"}}
_SEPARABLE: Mapping[str, Mapping[int, End]] = {
    "depthwise_kernel": {-2: "in"},
    "pointwise_kernel": {-2: "in", -1: "out"},
    "bias": {0: "out"},
}
_NORMALIZATION: Mapping[str, Mapping[int, End]] = {
    name: {0: "out"} for name in ("gamma", "beta", "moving_mean", "moving_variance")
}


@dataclass(frozen=True)
class Mixing:
    """A layer whose every outgoing channel is made of all incoming ones."""

    weights: Mapping[str, Mapping[int, End]]
    """Weight → its axes that run over channels, and which."""
    size: str
    """Key of the layer's configuration that says how many channels it gives."""


MIXING: Mapping[str, Mixing] = {
    "Dense": Mixing(_DENSE, "units"),
    **{f"Conv{n}D": Mixing(_CONVOLUTION, "filters") for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": Mixing(_TRANSPOSED, "filters") for n in (1, 2, 3)},
    **{f"SeparableConv{n}D": Mixing(_SEPARABLE, "filters") for n in (1, 2)},
}
"""Layers whose filters and units can be removed, by class."""

_BY_CHANNEL: Mapping[str, Mapping[str, Mapping[int, End]]] = {
    "BatchNormalization": _NORMALIZATION,
    "DepthwiseConv1D": _DEPTHWISE,
    "DepthwiseConv2D": _DEPTHWISE,
}


def channel_axes(layer: Any, axis: int) -> Mapping[str, Mapping[int, End]]:
    """Which axes of which weights run over the layer's channels.

    Args:
        layer: a tf_keras layer.
        axis: of the channels in what the layer gives, without the batch dimension.

    Returns:
        Weight → axis → whether it has the incoming or the outgoing channels; none for layers without such weights.
    """
    kind = type(layer).__name__
    if kind in MIXING:
        return MIXING[kind].weights
    if kind == "PReLU":
        return {} if layer.alpha.shape[axis] == 1 else {"alpha": {axis: "out"}}
    return _BY_CHANNEL.get(kind, {})


def name_of(variable: Any) -> str:
    """The bare name of a weight: `kernel` of `conv2d_3/kernel:0`."""
    return str(variable.name).rsplit("/", 1)[-1].split(":")[0]


def spread(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """A mask over channels as a mask over an axis that has several entries for each, side by side.

    Where all channels stay, so does the whole axis, also if it is not cut by channel: of a kernel with its filters in
    groups, or of a layer that works along another axis.
    """
    return np.ones(size, bool) if mask.all() else np.repeat(mask, size // len(mask))
