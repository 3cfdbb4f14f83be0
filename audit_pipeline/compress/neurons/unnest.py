"""A model whose layers are no models: what is nested takes its place among the others, so that it can be followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit_pipeline.compress.neurons.graph import Call, read_calls
from audit_pipeline.model.runtime import keras, quiet


def unnested(model: Any) -> Any:
    """The same function of the same inputs, with the layers of nested models in the model itself.

    A layer keeps its name, unless another layer has it: then the nested model's name comes before it.

    Args:
        model: a tf_keras model; it is not changed, and given back if nothing is nested.
    """
    if not any(_is_model(layer) for layer in model.layers):
        return model
    copies: dict[int, tuple[Any, Any]] = {}
    taken = {tensor.node.layer.name for tensor in model.inputs} | {layer.name for layer in model.layers}

    def copy(layer: Any, within: Any) -> Any:
        if id(layer) not in copies:
            name = layer.name
            while within is not model and name in taken:
                name = f"{within.name}_{name}"
            taken.add(name)
            copies[id(layer)] = layer, type(layer).from_config(layer.get_config() | {"name": name})
        return copies[id(layer)][1]

    def run(part: Any, values: Sequence[Any]) -> list[Any]:
        def apply(call: Call, given: Sequence[Any]) -> Any:
            return run(call.layer, given) if _is_model(call.layer) else call.of(given, copy(call.layer, part))

        return read_calls(part).run(values, apply)

    with quiet():
        inputs = [keras().Input(tensor.shape[1:], name=tensor.node.layer.name) for tensor in model.inputs]
        flat = keras().Model(inputs, run(model, inputs), name=model.name)
    for layer, made in copies.values():
        made.set_weights(layer.get_weights())
    return flat


def _is_model(layer: Any) -> bool:
    """Whether a layer is a model whose parts are known."""
    return isinstance(layer, keras().Model) and bool(getattr(layer, "inputs", None))
