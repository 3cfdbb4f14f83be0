"""Small models whose channels run in every way that is known, each with gates where its author says units are read.

A builder is given `gate(layer, tensor)` and calls it with everything that a layer with filters takes in, naming the
layer whose filters those channels are (two names: one's behind the other's). Where channels are coupled, one name
stands for all. The package under test never sees these gates: they are what it is held against.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from audit_pipeline.model.runtime import keras, keras_runtime

Gate = Callable[..., Any]


def with_random_weights(model: Any, seed: int = 0) -> Any:
    """Weights, and statistics of batch normalisations, of which no two are equal."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        is_variance = "moving_variance" in weight.name
        weight.assign(rng.uniform(0.5, 2, weight.shape) if is_variance else rng.normal(0, 0.5, weight.shape))
    return model


def _model(inputs: Any, outputs: Any) -> Any:
    return keras().Model(inputs, outputs)


def residual(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((6, 6, 3))
    a = layers.Conv2D(6, 3, padding="same", name="stem", use_bias=False)(x)
    a = layers.ReLU()(layers.BatchNormalization()(a))
    b = layers.Conv2D(4, 3, padding="same", name="inner", activation="sigmoid")(gate("stem", a))
    b = layers.Conv2D(6, 3, padding="same", name="outer")(gate("inner", b))
    y = layers.Activation("tanh")(layers.Add()([a, layers.BatchNormalization()(b)]))
    y = layers.GlobalAveragePooling2D()(y)
    return _model(x, layers.Dense(3, activation="softmax", name="class")(gate("stem", y)))


def flattened(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((7, 7, 2))
    a = layers.Conv2D(5, 3, name="conv", activation="relu")(x)
    a = layers.MaxPooling2D(2)(layers.ZeroPadding2D(((1, 0), (0, 1)))(a))
    a = layers.Flatten()(gate("conv", a))
    a = layers.Dense(8, name="hidden", activation="sigmoid")(a)
    return _model(x, layers.Dense(3, name="class")(gate("hidden", layers.Dropout(0.5)(a))))


def concatenated(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((6, 6, 3))
    a = layers.Conv2D(4, 3, padding="same", name="a", activation="sigmoid")(x)
    b = layers.Conv2D(6, 1, name="b", activation="relu")(x)
    both = layers.BatchNormalization(scale=False)(layers.Concatenate()([a, b]))
    c = layers.Conv2D(5, 3, name="c")(gate("a b", both))
    return _model(x, layers.Dense(2, name="class")(layers.Flatten()(gate("c", layers.Cropping2D(1)(c)))))


def depthwise(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((8, 8, 3))
    a = layers.Conv2D(6, 3, strides=2, padding="same", name="first", activation="relu")(x)
    a = layers.DepthwiseConv2D(3, padding="same", name="depth")(a)
    a = layers.ReLU(6.0)(layers.BatchNormalization()(a))
    a = layers.Conv2D(8, 1, name="point")(gate("first", a))
    a = layers.GlobalMaxPooling2D(keepdims=True)(gate("point", a))
    return _model(x, layers.Dense(2, name="class", activation="sigmoid")(layers.Reshape((8,))(a)))


def multiplied_depthwise(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((8, 8, 3))
    a = layers.Conv2D(6, 3, name="first", activation="relu")(x)
    a = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depth", activation="sigmoid")(a)
    a = layers.Conv2D(4, 1, name="point")(gate("first", a, repeats=2))
    return _model(x, layers.Dense(2, name="class")(layers.GlobalAveragePooling2D()(gate("point", a))))


def separable(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((8, 8, 3))
    a = layers.SeparableConv2D(6, 3, name="first", activation="sigmoid")(x)
    a = layers.SeparableConv2D(5, 3, depth_multiplier=2, name="second", activation="relu")(gate("first", a))
    return _model(x, layers.Dense(2, name="class")(layers.GlobalAveragePooling2D()(gate("second", a))))


def series(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((24, 2))
    a = layers.Conv1D(8, 5, strides=2, name="conv")(x)
    a = layers.PReLU()(layers.BatchNormalization()(a))
    a = layers.AveragePooling1D(2)(a)
    a = layers.SeparableConv1D(6, 3, name="next")(gate("conv", a))
    a = layers.UpSampling1D(2)(layers.LeakyReLU()(a))
    return _model(x, layers.Dense(3, name="class")(layers.Flatten()(gate("next", a))))


def units_to_image(gate: Gate) -> Any:
    """A dense layer's units laid out as an image: 16 of them are one channel."""
    layers = keras().layers
    x = layers.Input((5,))
    a = layers.Dense(4 * 4 * 6, name="units", activation="sigmoid")(x)
    a = layers.Reshape((4, 4, 6))(a)
    a = layers.Conv2DTranspose(4, 3, strides=2, name="up")(gate("units", a, repeats=1 / 16))
    return _model(x, layers.Conv2D(2, 1, name="image")(gate("up", a)))


def reshaped(gate: Gate) -> Any:
    """Rows side by side: the channels of two positions lie on one axis."""
    layers = keras().layers
    x = layers.Input((6, 6, 2))
    a = layers.Conv2D(5, 3, padding="same", name="conv", activation="relu")(x)
    a = layers.Reshape((-1, 10))(gate("conv", a))
    a = layers.Conv1D(4, 2, name="line")(a)
    a = layers.Permute((2, 1))(gate("line", a))
    return _model(x, layers.Dense(2, name="class")(layers.Flatten()(a)))


def three_readers(gate: Gate) -> Any:
    layers = keras().layers
    x = layers.Input((6, 6, 3))
    a = layers.Conv2D(8, 3, padding="same", name="shared", activation="sigmoid")(x)
    read = gate("shared", a)
    one = layers.Conv2D(4, 1, name="one")(read)
    two = layers.Conv2D(4, 3, padding="same", name="two")(read)
    three = layers.DepthwiseConv2D(3, padding="same")(a)
    three = layers.Conv2D(4, 1, name="three")(gate("shared", three))
    y = layers.Maximum()([layers.Subtract()([one, two]), three])
    y = layers.GlobalMaxPooling2D()(gate("one", y))
    return _model(x, layers.Dense(2, name="class")(y))


def squeezed(gate: Gate) -> Any:
    """Squeeze and excitation: every channel is multiplied by one number."""
    layers = keras().layers
    x = layers.Input((6, 6, 3))
    a = layers.Conv2D(8, 3, name="conv", activation="relu")(x)
    s = layers.Dense(3, name="squeeze", activation="relu")(gate("conv", layers.GlobalAveragePooling2D()(a)))
    s = layers.Dense(8, name="excite", activation="sigmoid")(gate("squeeze", s))
    y = layers.Multiply()([a, layers.Reshape((1, 1, 8))(s)])
    return _model(x, layers.Dense(2, name="class")(layers.GlobalAveragePooling2D()(gate("conv", y))))


def attended(gate: Gate) -> Any:
    """Spatial attention: one channel is multiplied with all of the others, and must stay."""
    layers = keras().layers
    x = layers.Input((6, 6, 3))
    a = layers.Conv2D(8, 3, name="conv", activation="relu")(x)
    s = layers.Conv2D(1, 1, name="where", activation="sigmoid")(gate("conv", a))
    y = layers.Multiply()([s, a])
    return _model(x, layers.Dense(2, name="class")(layers.GlobalAveragePooling2D()(gate("conv", y))))


def stacked_in_time(gate: Gate) -> Any:
    """Joined along time rather than channels: the branches' filters are coupled."""
    layers = keras().layers
    x = layers.Input((12, 2))
    a = layers.Conv1D(6, 3, name="a", activation="relu")(x)
    b = layers.Conv1D(6, 5, name="b", activation="sigmoid")(x)
    y = layers.Concatenate(axis=1)([a, b])
    return _model(x, layers.Dense(2, name="class")(layers.Flatten()(gate("a", y))))


def twice(gate: Gate) -> Any:
    """One layer called on two branches: their channels are coupled, as it has one kernel."""
    layers = keras().layers
    x = layers.Input((12, 2))
    a = layers.Conv1D(6, 3, padding="same", name="a", activation="relu")(x)
    b = layers.Conv1D(6, 5, padding="same", name="b", activation="sigmoid")(x)
    shared = layers.Conv1D(5, 3, name="shared", activation="tanh")
    y = layers.Average()([shared(gate("a", a)), shared(gate("a", b))])
    return _model(x, layers.Dense(2, name="class")(layers.Flatten()(gate("shared", y))))


def two_inputs(gate: Gate) -> Any:
    layers = keras().layers
    x, z = layers.Input((12, 2)), layers.Input((3,))
    a = layers.Conv1D(6, 3, name="conv", activation="relu")(x)
    a = layers.GlobalAveragePooling1D()(a)
    b = layers.Dense(4, name="dense", activation="sigmoid")(z)
    y = layers.Concatenate()([gate("conv", a), gate("dense", b)])
    return _model([x, z], layers.Dense(2, name="class", activation="softmax")(y))


def ungated(layers: str, tensor: Any, repeats: float = 1) -> Any:
    """No gate."""
    return tensor


def gated(keeps: Mapping[str, Any]) -> Gate:
    """Gates that multiply a layer's channels by 1 where its filter stays, else by 0.

    Args:
        keeps: layer → [filters] whether each stays.
    """

    def gate(layers: str, tensor: Any, repeats: float = 1) -> Any:
        keep = np.concatenate([np.asarray(keeps[layer], np.float32) for layer in layers.split()])
        factors = np.repeat(keep, int(repeats)) if repeats >= 1 else keep[: int(len(keep) * repeats)]
        return keras().layers.Lambda(lambda value: value * factors)(tensor)

    return gate


BUILDERS: dict[str, Callable[[Gate], Any]] = {
    builder.__name__: builder
    for builder in (
        residual, flattened, concatenated, depthwise, multiplied_depthwise, separable, series, units_to_image, reshaped,
        three_readers, squeezed, attended, stacked_in_time, twice, two_inputs,
    )
}  # fmt: skip


def built(name: str, gate: Gate = ungated) -> Any:
    """The model of that name."""
    keras_runtime(0)
    return BUILDERS[name](gate)


def rows_for(model: Any, rows: int = 5) -> Any:
    """Random rows as the model takes them."""
    rng = np.random.default_rng(3)
    fed = [rng.normal(size=(rows, *tensor.shape[1:])).astype(np.float32) for tensor in model.inputs]
    return fed if len(fed) > 1 else fed[0]
