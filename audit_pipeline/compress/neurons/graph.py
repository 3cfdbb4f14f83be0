"""A tf_keras model as the calls of its layers, in an order in which each can be computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit_pipeline.model.runtime import tensorflow


@dataclass(frozen=True)
class Call:
    """One layer, applied once. A shared layer has several calls."""

    layer: Any
    inputs: tuple[str, ...]
    """Keys of the tensors it takes, in the order of its arguments."""
    outputs: tuple[str, ...]
    """Keys of the tensors it gives; an input of the model takes nothing and gives itself."""
    shapes: tuple[tuple[int, ...], ...]
    """Shapes of what it gives, without the batch dimension."""
    arguments: Callable[[dict[str, list[Any]]], tuple[Any, Any]]
    """From values by key to the positional and the named arguments of the call."""

    @property
    def kind(self) -> str:
        """The layer's class, by name."""
        return type(self.layer).__name__


@dataclass(frozen=True)
class Graph:
    """All calls between a model's inputs and outputs."""

    calls: tuple[Call, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, values: Any, gate: Callable[[Call, int, Any], Any]) -> list[Any]:
        """Compute the outputs call by call, as at inference.

        Args:
            values: tensors for the model's inputs, in their order.
            gate: called with a call, the number of one of its inputs and that input's value; what it gives is used
                instead, by this call alone.
        """
        tf = tensorflow()
        known: dict[str, Any] = dict(zip(self.inputs, values, strict=True))
        for call in self.calls:
            if not call.inputs:
                continue
            taken: dict[str, list[Any]] = {}
            for number, key in reversed(list(enumerate(call.inputs))):  # Keras takes them from the end
                taken.setdefault(key, []).append(gate(call, number, known[key]))
            positional, named = call.arguments(taken)
            given = tf.nest.flatten(call.layer(*positional, **named))
            known |= dict(zip(call.outputs, given, strict=True))
        return [known[key] for key in self.outputs]


def read_calls(model: Any) -> Graph:
    """Walk back from a model's outputs to its inputs.

    Args:
        model: a Functional or Sequential tf_keras model that knows the shape of its inputs.
    """
    inputs = {str(id(tensor)): tensor for tensor in model.inputs}
    calls: dict[int, Call] = {}
    given: set[str] = set()
    waiting = [tensor.node for tensor in reversed(model.outputs)]
    while waiting:
        node = waiting[-1]
        before = [] if set(node.flat_output_ids) <= set(inputs) else node.keras_inputs
        missing = [tensor.node for tensor in reversed(before) if str(id(tensor)) not in given]
        if missing:
            waiting.extend(missing)
            continue
        waiting.pop()
        if id(node) not in calls:
            calls[id(node)] = _call(node, before)
            given |= set(node.flat_output_ids)
    return Graph(tuple(calls.values()), tuple(inputs), tuple(str(id(tensor)) for tensor in model.outputs))


def _call(node: Any, before: Any) -> Call:
    shapes = [tensor.shape[1:] for tensor in tensorflow().nest.flatten(node.outputs)]
    return Call(
        layer=node.layer,
        inputs=tuple(str(id(tensor)) for tensor in before),
        outputs=tuple(node.flat_output_ids),
        shapes=tuple(tuple(shape) for shape in shapes),
        arguments=node.map_arguments,
    )
