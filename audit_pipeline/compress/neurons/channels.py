"""Which filters and units of a model hang together, and can go as one without any tensor losing its shape.

A filter that goes takes its channel along: through normalisations, activations and poolings, into the rows of the next
kernel, and, where a residual addition or a depthwise convolution stands in between, the filters of other layers too.
What goes together is a *unit* here. Units that have filters in the same layers form a *family*; a ratio is a share of
each family, so coupled layers count once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.neurons.flow import Channels, flow
from audit_pipeline.compress.neurons.graph import Call, Graph, read_calls
from audit_pipeline.compress.neurons.partition import Ids, Partition
from audit_pipeline.compress.neurons.weights import MIXING


@dataclass(frozen=True)
class Ends:
    """What goes into a layer and what comes out; `Channels.ids` are unit numbers, -1 where a channel must stay."""

    inputs: tuple[Channels, ...]
    outputs: tuple[Channels, ...]


@dataclass(frozen=True)
class Family:
    """Units whose filters are in the same layers."""

    layers: tuple[str, ...]
    units: Ids
    """Ascending."""


@dataclass(frozen=True)
class Wiring:
    """How channels run through a model."""

    graph: Graph
    ends: Mapping[str, Ends]
    """Layer → its channels, in the order of the first call."""
    families: tuple[Family, ...]
    whole: Mapping[str, str]
    """Layer with filters or units of which none can go → why."""

    @property
    def units(self) -> int:
        """How many units there are; they are numbered from 0."""
        return sum(len(family.units) for family in self.families)


def kept(channels: Channels, gone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which slices of a tensor stay.

    Args:
        channels: with unit numbers.
        gone: [units] whether each unit goes.

    Returns:
        [len(channels.ids)].
    """
    stays: NDArray[np.bool_] = ~np.append(gone, False)[channels.ids]
    return stays


def wire(model: Any) -> Wiring:
    """Follow every channel through a model.

    The model's inputs and outputs are pinned, and so is what a layer gives or takes whose effect on channels is not
    known: what can go is then less than it could be, never more.

    Args:
        model: a Functional or Sequential tf_keras model that knows the shape of its inputs.
    """
    graph = read_calls(model)
    partition = Partition()
    ends, outputs = _trace(graph, partition)
    for channels in outputs:
        partition.pin(channels.ids, "its channels are the model's output")
    filters = {call.layer.name: ends[call.layer.name].outputs[0].ids for call in graph.calls if call.kind in MIXING}
    numbers, families = _families(filters, partition)
    whole = {
        layer: partition.reason(ids.tolist()) or ""
        for layer, ids in filters.items()
        if all(partition.is_pinned(channel) for channel in ids.tolist())
    }

    def numbered(channels: Channels) -> Channels:
        roots = partition.roots(channels.ids)
        return replace(channels, ids=np.array([numbers.get(root, -1) for root in roots.tolist()], dtype=np.int64))

    return Wiring(
        graph=graph,
        ends={
            name: Ends(tuple(map(numbered, end.inputs)), tuple(map(numbered, end.outputs)))
            for name, end in ends.items()
        },
        families=families,
        whole=whole,
    )


def _trace(graph: Graph, partition: Partition) -> tuple[dict[str, Ends], list[Channels]]:
    known: dict[str, Channels] = {}
    ends: dict[str, Ends] = {}
    for call in graph.calls:
        if not call.inputs:
            reason = "its channels are the model's input"
            given: tuple[Channels, ...] = tuple(
                Channels(shape, len(shape) - 1, partition.fresh(shape[-1], reason)) for shape in call.shapes
            )
        else:
            given = flow(call, [known[key] for key in call.inputs], partition)
        now = Ends(tuple(known[key] for key in call.inputs), given)
        before = ends.setdefault(call.layer.name, now)
        if before is not now:
            _tie_calls(call, before, now, partition)
        known |= dict(zip(call.outputs, given, strict=True))
    return ends, [known[key] for key in graph.outputs]


def _tie_calls(call: Call, before: Ends, now: Ends, partition: Partition) -> None:
    """A shared layer has one set of weights and settings: its calls take and give channels alike."""
    for one, other in zip(before.inputs + before.outputs, now.inputs + now.outputs, strict=True):
        if one.shape == other.shape and one.axis == other.axis:
            partition.tie(one.ids, other.ids)
        else:
            for channels in (one, other):
                partition.pin(channels.ids, f"{call.layer.name} is shared between tensors of different shapes")


def _families(filters: Mapping[str, Ids], partition: Partition) -> tuple[dict[int, int], tuple[Family, ...]]:
    """Number the sets that can go, family by family.

    Returns:
        The unit number of each set's root, and the families in the order of their first layer.
    """
    layers: dict[int, list[str]] = {}
    for layer, ids in filters.items():
        for root in np.unique(partition.roots(ids)).tolist():
            if not partition.is_pinned(root):
                layers.setdefault(root, []).append(layer)
    members: dict[tuple[str, ...], list[int]] = {}
    for root, names in layers.items():
        members.setdefault(tuple(names), []).append(root)
    numbers = {root: number for number, root in enumerate(root for roots in members.values() for root in roots)}
    families = tuple(
        Family(names, np.array([numbers[root] for root in roots], dtype=np.int64)) for names, roots in members.items()
    )
    return numbers, families
