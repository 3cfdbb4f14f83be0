"""Which parts a model may be made of: an allow-list, applied to the architecture before Keras sees it.

Deserialising a Keras architecture can import any module and run any code that the file names (Lambda layers, custom
objects, TensorFlow operators as layers). So every object in it, at any depth, must be a class of Keras known here.
Layers that look up tables, draw images or hash strings are left out: no microcontroller runs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from audit_pipeline.errors import InputError

MODELS = frozenset({"Functional", "Model", "Sequential"})
"""Classes of a whole model, or of a model used as a layer."""

LAYERS = frozenset({
    "Activation", "ActivityRegularization", "Add", "AdditiveAttention", "AlphaDropout", "Attention", "Average",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization", "Bidirectional", "CenterCrop",
    "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM1D",
    "ConvLSTM2D", "Cropping1D", "Cropping2D", "Cropping3D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dot",
    "Dropout", "ELU", "EinsumDense", "Embedding", "Flatten", "GRU", "GRUCell", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GroupNormalization", "Identity", "InputLayer", "LSTM", "LSTMCell",
    "LayerNormalization", "LeakyReLU", "LocallyConnected1D", "LocallyConnected2D", "Masking", "MaxPooling1D",
    "MaxPooling2D", "MaxPooling3D", "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Normalization", "PReLU",
    "Permute", "RNN", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "ReLU", "RepeatVector", "Rescaling", "Reshape", "Resizing", "SeparableConv1D",
    "SeparableConv2D", "SimpleRNN", "SimpleRNNCell", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
    "SpatialDropout3D", "SpectralNormalization", "StackedRNNCells", "Subtract", "ThresholdedReLU", "TimeDistributed",
    "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D",
})  # fmt: skip
"""Layer classes of Keras 2 that hold no code of their own."""

_PARTS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Ones",
    "Orthogonal", "OrthogonalInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
    "Zeros",
    "L1", "L1L2", "L2", "OrthogonalRegularizer",
    "MaxNorm", "MinMaxNorm", "NonNeg", "RadialConstraint", "UnitNorm",
    "DTypePolicy", "Policy", "__keras_tensor__",
})  # fmt: skip
"""Initializers, regularizers, constraints and references."""

_ACTIVATIONS = frozenset({
    "elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "swish", "tanh",
})  # fmt: skip

_CODE = frozenset({"Lambda", "__lambda__"})
_OPERATORS = frozenset({"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty",
                        "TensorFlowOpLayer"})  # fmt: skip
_KERAS_MODULE = re.compile(r"(tf_)?keras(\.[a-z_]\w*)*")
_MAX_INTEGER = 1 << 24
_MAX_NODES = 500_000


def check_architecture(config: dict[str, Any], where: str) -> None:
    """Check every object of a serialised architecture, nested models and wrapped layers included.

    Raises:
        InputError: `model.lambda`, `model.operator-layer`, `model.unknown-class`, `model.absurd-size` or
            `model.unsupported-root`; the error names the layer.
    """
    if config.get("class_name") not in MODELS or not isinstance(config.get("config"), dict):
        raise InputError(
            "model.unsupported-root",
            f"the model is a {config.get('class_name')}, not a Functional or Sequential model",
            where=where,
            hint="build it as a Functional or Sequential model and save that",
        )
    for count, (key, value, layer) in enumerate(_walk(config)):
        if count > _MAX_NODES:
            raise InputError("model.absurd-size", "the architecture has too many parts to be a model", where=where)
        _check(key, value, f"{where}: layer {layer!r}")


def _walk(config: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Every value with its key and the name of the layer around it, without recursion."""
    waiting: list[tuple[str, Any, str]] = [("", config, "model")]
    while waiting:
        key, value, layer = waiting.pop()
        yield key, value, layer
        if isinstance(value, dict):
            layer = _name(value) or layer
            waiting.extend((inner_key, inner, layer) for inner_key, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((key, inner, layer) for inner in value)


def _name(value: dict[str, Any]) -> str | None:
    config = value.get("config")
    name = value.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return name if isinstance(name, str) and "class_name" in value else None


def _check(key: str, value: Any, where: str) -> None:
    if isinstance(value, dict):
        _check_object(value, where)
    elif key.endswith("activation") and isinstance(value, str) and value not in _ACTIVATIONS:
        raise _unknown(f"the activation {value!r}", where)
    elif isinstance(value, int) and abs(value) > _MAX_INTEGER and key not in ("seed", "shared_object_id"):
        raise InputError("model.absurd-size", f"{key} is {value}", where=where, hint="the file is damaged or hostile")


def _check_object(value: dict[str, Any], where: str) -> None:
    if "class_name" not in value:
        if "module" in value or "registered_name" in value:
            raise _unknown("an object without a class", where)
        return
    kind, inner = value["class_name"], value.get("config")
    where = f"{where.rsplit(': layer', 1)[0]}: layer {_name(value)!r}" if _name(value) else where
    if not isinstance(kind, str):
        raise _unknown(f"the class {kind!r}", where)
    if kind in _CODE:
        raise InputError(
            "model.lambda",
            "a Lambda layer holds Python code, which is never executed here",
            where=where,
            hint="replace it by a built-in layer (Rescaling, Reshape, Add, Multiply …) and save the model again",
        )
    if kind in _OPERATORS:
        raise InputError(
            "model.operator-layer",
            f"a TensorFlow operator used as a layer ({kind}) can name any function, files included",
            where=where,
            hint="replace it by a built-in layer (Rescaling, Reshape, Add, Multiply …) and save the model again",
        )
    is_activation = kind == "function" and inner in _ACTIVATIONS
    if not is_activation and kind not in LAYERS | MODELS | _PARTS:
        raise _unknown(f"the class {kind!r}", where)
    module, registered = value.get("module"), value.get("registered_name")
    if module not in (None, "builtins") and not (isinstance(module, str) and _KERAS_MODULE.fullmatch(module)):
        raise _unknown(f"the class {module}.{kind}", where)
    if registered not in (None, kind, inner):
        raise _unknown(f"the custom object {registered!r}", where)


def _unknown(what: str, where: str) -> InputError:
    return InputError(
        "model.unknown-class",
        f"{what} is not a part of Keras that is known to be harmless",
        where=where,
        hint="replace it by a built-in layer (an operation such as keras.ops.relu too) and save the model again",
    )
