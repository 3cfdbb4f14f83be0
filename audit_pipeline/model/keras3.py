"""Keras 3 architectures in the words of Keras 2, which compression, conversion and every later stage run on.

Both versions compute the same with most layers and describe them in other words: other names of arguments, other
references between layers, and arguments that the older one does not have. What has no equal in Keras 2 is refused by
the layer's name; nothing of Keras 3 is ever imported.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from audit_pipeline.errors import InputError
from audit_pipeline.model.description import corrupt
from audit_pipeline.model.layers import LAYERS, MODELS
from audit_pipeline.model.runtime import keras

_OTHERWISE = frozenset({
    "CenterCrop", "ConvLSTM1D", "ConvLSTM2D", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip",
    "RandomRotation", "RandomTranslation", "RandomZoom", "SpectralNormalization",
})  # fmt: skip
"""Layers that the two versions compute, train or store in different ways."""

_RENAMED = {("LeakyReLU", "negative_slope"): "alpha"}
_ACTIVATIONS = {"silu": "swish"}
_OTHER_ACTIVATIONS = frozenset({"hard_sigmoid"})
"""Functions of one name and two definitions: 0.2·x + 0.5 in Keras 2, x/6 + 0.5 in Keras 3, both cut at 0 and 1."""

_WITHOUT_EFFECT: dict[str, Any] = {
    "data_format": "channels_last", "fill_mode": "constant", "fill_value": 0.0, "renorm_momentum": 0.99,
}  # fmt: skip
"""Arguments that Keras 2 lacks, and the value at which they do nothing. Null and false do nothing anywhere."""

_TRAINING_ONLY = frozenset({"seed", "lora_alpha"})
_UNDECLARED = frozenset({"zero_output_for_mask"})
"""Arguments that Keras 2 takes without declaring them."""

_LEFT_OPEN: dict[str, dict[str, Any]] = {
    "MultiHeadAttention": {"query_shape": None, "key_shape": None, "value_shape": None}
}
"""What Keras 2 wants to read and finds out for itself when the layer is called."""

_MERGES = frozenset({"Add", "Maximum", "Minimum", "Multiply", "Subtract"})
"""Operations that a layer of the same name computes where both sides have one shape: `a + b` in a model."""

_EXTRA_TENSORS = {"MultiHeadAttention": ("value", "key")}
"""What the second and third argument of a call stand for."""


def in_keras_2(config: dict[str, Any], where: str) -> dict[str, Any]:
    """Translate a checked Keras 3 architecture.

    Initial values are left out: every weight is carried over from the file.

    Args:
        config: `class_name` and `config` of a Functional or Sequential model, as Keras 3 serialises it.
        where: the file's name.

    Returns:
        The same, as Keras 2 serialises it, with the layers in the same order and of the same names.

    Raises:
        InputError: `model.keras-3`: a layer or an argument has no equal in Keras 2; `model.operator-layer`;
            `model.corrupt`: Keras 3 does not write such an architecture.
    """
    try:
        return _model(config, where)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        what = f"the architecture is none that Keras 3 writes ({type(error).__name__}: {error})"
        raise corrupt(what, where) from error


def _model(said: dict[str, Any], where: str) -> dict[str, Any]:
    config = said["config"]
    if said["class_name"] == "Sequential":
        made = {"name": config["name"], "layers": [_layer(layer, where) for layer in config["layers"]]}
        shape = config.get("build_input_shape")
        return {"class_name": "Sequential", "config": made | ({"build_input_shape": shape} if shape else {})}
    made = {
        "name": config["name"],
        "layers": [_in_graph(layer, where) for layer in config["layers"]],
        "input_layers": _ends(config["input_layers"]),
        "output_layers": _ends(config["output_layers"]),
    }
    return {"class_name": "Functional", "config": made}


def _ends(ends: Any) -> list[Any]:
    """References to the inputs or outputs; Keras 3 writes one by itself, and several as a list or by name."""
    several = list(ends.values()) if isinstance(ends, dict) else ends
    return [several] if isinstance(several[0], str) else several


def _in_graph(said: dict[str, Any], where: str) -> dict[str, Any]:
    name, calls = said["config"]["name"], said["inbound_nodes"]
    place = f"{where}: layer {name!r}"
    if _is_operation(said):
        merge = {"class_name": said["class_name"], "config": {"name": name}}
        return merge | {"name": name, "inbound_nodes": [_merged(said["class_name"], call, place) for call in calls]}
    nodes = [_call(said["class_name"], call, place) for call in calls]
    return _layer(said, where) | {"name": name, "inbound_nodes": nodes}


def _is_operation(said: dict[str, Any]) -> bool:
    """Whether it is a function called on tensors: `keras.ops.relu(x)`, `a + b`. Every layer says if it is trained."""
    is_input, is_model = said["class_name"] == "InputLayer", said["class_name"] in MODELS
    return not is_input and not is_model and "trainable" not in said["config"]


def _merged(kind: str, call: dict[str, Any], place: str) -> list[Any]:
    tensors = call["args"]
    shapes = [tensor["config"]["shape"] for tensor in tensors if _is_tensor(tensor)]
    alike = len(tensors) == len(shapes) == 2 and shapes[0] == shapes[1]
    if kind not in _MERGES or not alike or any(value is not None for value in call["kwargs"].values()):
        raise InputError(
            "model.operator-layer",
            f"the operation {kind} on tensors is no layer of its own",
            where=place,
            hint="use the layer instead, as Add()([a, b]), Activation('relu')(a) or Rescaling(0.5)(a), and save the "
            "model again",
        )
    return [[*_reference(tensor), {}] for tensor in tensors]


def _call(kind: str, call: dict[str, Any], place: str) -> list[Any]:
    """One call of a layer: the references to its inputs, each with the arguments by name, as Keras 2 wants it."""
    first, *others = call["args"] or [None]
    names = _EXTRA_TENSORS.get(kind, ())
    if first is None or len(others) > len(names):
        raise _no_equal(f"a call of the layer with {len(call['args'])} arguments", place)
    tensors = first if isinstance(first, list) else [first]
    named = dict(zip(names, others, strict=False)) | call["kwargs"]
    kwargs = {}
    for name, value in named.items():
        if _is_tensor(value):
            kwargs[name] = _reference(value)
        elif value is not None and value is not False and value != [None] * len(tensors):
            raise _no_equal(f"a call of the layer with {name} = {value}", place)
    return [[*_reference(tensor), kwargs] for tensor in tensors]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _reference(tensor: dict[str, Any]) -> list[Any]:
    layer, node, index = tensor["config"]["keras_history"]
    return [str(layer), int(node), int(index)]


def _layer(said: dict[str, Any], where: str) -> dict[str, Any]:
    kind, config = said["class_name"], said["config"]
    place = f"{where}: layer {config['name']!r}"
    if kind in MODELS:
        return _model(said, where)
    if kind not in LAYERS or kind in _OTHERWISE or not hasattr(keras().layers, kind):
        raise _no_equal(f"the layer {kind}", place)
    if kind == "InputLayer":
        config = {**config, "batch_input_shape": config["batch_shape"]}
        del config["batch_shape"]
    made = dict(_LEFT_OPEN.get(kind, {}))
    for key, value in config.items():
        name = _RENAMED.get((kind, key), key)
        if key.endswith("_initializer"):
            continue
        if name in _known_arguments(kind):
            made[name] = _argument(name, value, place)
        elif not _does_nothing(key, value):
            raise _no_equal(f"{kind} with {key} = {value}", place)
    return {"class_name": kind, "config": made}


def _does_nothing(key: str, value: Any) -> bool:
    """Whether an argument that Keras 2 lacks has no effect on what a trained layer computes."""
    return value is None or value is False or key in _TRAINING_ONLY or value == _WITHOUT_EFFECT.get(key)


@cache
def _known_arguments(kind: str) -> frozenset[str]:
    """Arguments that a layer class of Keras 2, or any class it is derived from, is made with."""
    import inspect

    classes = getattr(keras().layers, kind).__mro__[:-1]
    declared = {name for each in classes for name in inspect.signature(each.__init__).parameters}
    return frozenset(declared | _UNDECLARED | ({"batch_input_shape"} if kind == "InputLayer" else set()))


def _argument(key: str, value: Any, place: str) -> Any:
    if key == "dtype":
        return _float32(value, place)
    if key.endswith("activation"):
        return _activation(value, place)
    if isinstance(value, list):
        return [_argument("", item, place) for item in value]
    if not isinstance(value, dict):
        return value
    if value["class_name"] in LAYERS:  # wrapped by Bidirectional, TimeDistributed, RNN
        return _layer(value, place.rpartition(": layer")[0])
    return {"class_name": value["class_name"], "config": value["config"]}


def _float32(dtype: Any, place: str) -> str:
    name = dtype["config"]["name"] if isinstance(dtype, dict) else dtype
    if name != "float32":
        raise InputError(
            "model.keras-3",
            f"the layer computes in {name}; compression starts from float32",
            where=place,
            hint="build the model again under keras.config.set_dtype_policy('float32'), copy the weights with "
            "set_weights(get_weights()), and save that",
        )
    return "float32"


def _activation(value: Any, place: str) -> Any:
    name = value["config"] if isinstance(value, dict) else value
    if not isinstance(name, str) or name in _OTHER_ACTIVATIONS:
        named = name if isinstance(name, str) else value["class_name"]
        raise _no_equal(f"the activation {named}", place)
    return _ACTIVATIONS.get(name, name)


def _no_equal(what: str, place: str) -> InputError:
    return InputError(
        "model.keras-3",
        f"{what} of Keras 3 has no equal in Keras 2, which compression runs on",
        where=place,
        hint="replace it in Keras 3 by layers that both have, and save the model again",
    )
