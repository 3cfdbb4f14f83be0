"""How large a unit's filters are.

Li et al. 2017, "Pruning Filters for Efficient ConvNets": the L1 norm of a filter. A batch normalisation that follows
scales the filter anew, so its norm alone says nothing; what is measured is the filter as the device will have it, with
the normalisation folded in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.neurons.channels import Wiring
from audit_pipeline.compress.neurons.graph import Call, Graph
from audit_pipeline.compress.neurons.weights import MIXING, name_of


def magnitudes(wiring: Wiring) -> NDArray[np.float64]:
    """Mean over a unit's filters of their L1 norm, in units of the mean norm of each filter's layer.

    Returns:
        [units].
    """
    total, count = np.zeros(wiring.units), np.zeros(wiring.units)
    followers = _followers(wiring.graph)
    for call in wiring.graph.calls:
        if call.kind not in MIXING:
            continue
        norms = _norms(call) * _scale(call, followers[call.layer.name])
        ids = wiring.ends[call.layer.name].outputs[0].ids
        relative = norms / (norms.mean() or 1)
        np.add.at(total, ids[ids >= 0], relative[ids >= 0])
        np.add.at(count, ids[ids >= 0], 1)
    return total / np.maximum(count, 1)


def _followers(graph: Graph) -> dict[str, tuple[Call, ...]]:
    """Layer → the calls that take what it gives."""
    return {
        call.layer.name: tuple(other for other in graph.calls if set(call.outputs) & set(other.inputs))
        for call in graph.calls
    }


def _norms(call: Call) -> NDArray[np.float64]:
    """[filters] L1 norm of each filter's weights."""
    found = np.zeros(())
    for variable in call.layer.weights:
        axes = MIXING[call.kind].weights.get(name_of(variable), {})
        outgoing = [axis for axis, end in axes.items() if end == "out"]
        if outgoing and len(axes) > 1:
            weight = np.abs(variable.numpy().astype(np.float64))
            found = np.moveaxis(weight, outgoing[0], 0).reshape(weight.shape[outgoing[0]], -1).sum(axis=1)
    return found


def _scale(call: Call, followers: tuple[Call, ...]) -> Any:
    """What a batch normalisation multiplies each filter by, where one follows at once and nothing else does."""
    linear = getattr(call.layer.activation, "__name__", "") == "linear"
    if len(followers) != 1 or followers[0].kind != "BatchNormalization" or not linear:
        return 1.0
    layer = followers[0].layer
    gamma = np.abs(layer.gamma.numpy()) if layer.scale else 1.0
    return gamma / np.sqrt(layer.moving_variance.numpy().astype(np.float64) + layer.epsilon)
