"""A tf_keras model as the calls of its layers, in an order in which each can be computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """From values by key, as often as each is taken, to the positional and the named arguments of the call."""

    @property
    def kind(self) -> str:
        """The layer's class, by name."""
        return type(self.layer).__name__

    def of(self, values: Sequence[Any], layer: Any = None) -> Any:
        """Apply the layer, or another one in its place, to values in the order of `inputs`."""
        taken: dict[str, list[Any]] = {}
        for key, value in reversed(list(zip(self.inputs, values, strict=True))):  # Keras takes them from the end
            taken.setdefault(key, []).append(value)
        positional, named = self.arguments(taken)
        return (layer or self.layer)(*positional, **named)


Apply = Callable[[Call, Sequence[Any]], Any]
"""How a call is carried out: from values in the order of its inputs to what it gives."""


@dataclass(frozen=True)
class Graph:
    """All calls between a model's inputs and outputs."""

    calls: tuple[Call, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, values: Sequence[Any], apply: Apply = Call.of) -> list[Any]:
        """Compute the outputs call by call.

        Args:
            values: tensors for the model's inputs, in their order.
            apply: carries out a call.
        """
        tf = tensorflow()
        known: dict[str, Any] = dict(zip(self.inputs, values, strict=True))
        for call in self.calls:
            if call.inputs:
                given = tf.nest.flatten(apply(call, [known[key] for key in call.inputs]))
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
