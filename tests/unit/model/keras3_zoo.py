"""Small Keras 3 models, saved by Keras 3 with what it computes: `python keras3_zoo.py FOLDER`.

A process of its own, because a process that runs the project has Keras 2. For each model: NAME.keras, NAME.h5, and
NAME.npz with its output `y` and its input `x`, or its inputs by their names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
os.environ |= {"TF_ENABLE_ONEDNN_OPTS": "0"}
os.environ.pop("TF_USE_LEGACY_KERAS", None)

import keras  # type: ignore[import-untyped]
import numpy as np
from keras import layers

Model = Callable[[], Any]
ZOO: dict[str, Model] = {}


def zoo(make: Model) -> Model:
    """Put a model into the zoo under its function's name."""
    ZOO[make.__name__] = make
    return make


def _chain(shape: tuple[int, ...], *chain: Any) -> Any:
    return keras.Sequential([layers.Input(shape), *chain])


@zoo
def conv1d() -> Any:
    return _chain(
        (16, 3),
        layers.ZeroPadding1D((1, 2)),
        layers.Conv1D(6, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(epsilon=0.01, momentum=0.9),
        layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.05),
        layers.Conv1D(4, 3, dilation_rate=2, padding="causal", activation="silu"),
        layers.Conv1D(4, 3, groups=2, activation="gelu"),
        layers.MaxPooling1D(2),
        layers.DepthwiseConv1D(2, depth_multiplier=2),
        layers.UpSampling1D(3),
        layers.Cropping1D(1),
        layers.Flatten(),
        layers.Dense(3, activation="softmax", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)),
    )


@zoo
def conv2d() -> Any:
    return _chain(
        (9, 8, 2),
        layers.Rescaling(0.5, offset=0.1),
        layers.Conv2D(4, (3, 2), strides=2, padding="same", kernel_constraint=keras.constraints.MaxNorm(2)),
        layers.BatchNormalization(center=False),
        layers.LeakyReLU(negative_slope=0.17),
        layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu6"),
        layers.SeparableConv2D(5, 3, padding="same", activation="elu"),
        layers.BatchNormalization(scale=False),
        layers.PReLU(shared_axes=[1, 2]),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="tanh"),
        layers.Cropping2D(((1, 0), (2, 1))),
        layers.ZeroPadding2D(1),
        layers.AveragePooling2D(2, padding="same"),
        layers.GlobalAveragePooling2D(keepdims=True),
        layers.Reshape((3,)),
        layers.Dense(3),
        layers.Softmax(),
    )


@zoo
def separable_1d() -> Any:
    return _chain(
        (12, 3),
        layers.SeparableConv1D(4, 3, padding="same", depth_multiplier=2),
        layers.Activation("mish"),
        layers.LayerNormalization(epsilon=0.01),
        layers.Conv1DTranspose(4, 3, strides=2),
        layers.GroupNormalization(2),
        layers.AveragePooling1D(2),
        layers.ELU(0.7),
        layers.SpatialDropout1D(0.3),
        layers.Permute((2, 1)),
        layers.GlobalMaxPooling1D(),
        layers.RepeatVector(2),
        layers.UnitNormalization(),
        layers.Flatten(),
        layers.Dropout(0.5, seed=3),
        layers.Dense(1, activation="sigmoid"),
    )


@zoo
def recurrent() -> Any:
    return _chain(
        (7, 3),
        layers.LSTM(4, return_sequences=True),
        layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="concat"),
        layers.GRU(4, reset_after=False, dropout=0.1, seed=4),
        layers.Dense(2),
    )


@zoo
def cells() -> Any:
    return _chain(
        (5, 3),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode="sum"),
        layers.TimeDistributed(layers.Dense(5, activation="softsign")),
        layers.SimpleRNN(4, go_backwards=True, return_sequences=True),
        layers.RNN(layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(3), layers.LSTMCell(3)])),
        layers.Dense(2),
    )


@zoo
def residual() -> Any:
    entrance = keras.Input((10, 4), name="beat")
    first = layers.Conv1D(6, 3, padding="same", name="zebra")(entrance)
    second = layers.Conv1D(6, 3, padding="same", name="ape")(first)
    merged = layers.Add()([first, second]) - layers.Maximum()([first, second])
    merged = layers.Concatenate()([merged, layers.Multiply()([first, second]), entrance])
    weighed = layers.Dense(16, activation="sigmoid")(layers.GlobalAveragePooling1D()(merged))
    merged = layers.Multiply()([merged, layers.Reshape((1, 16))(weighed)])
    shared = layers.Dense(5, activation="relu", name="shared")
    merged = shared(layers.Average()([merged, layers.Subtract()([merged, merged])])) + shared(merged)
    product = layers.Dot(axes=(1, 1))([merged, merged])
    return keras.Model(entrance, layers.Dense(3)(layers.Flatten()(product)))


@zoo
def nested() -> Any:
    """Branches of equal shapes whose depth-first order is not the order they were made in, some frozen."""
    entrance = keras.Input((6,))
    left, right = layers.Dense(6, name="left"), layers.Dense(6, name="right", trainable=False)
    late = layers.Dense(6, name="late")(right(entrance))
    inner = keras.Model(entrance, layers.Add()([left(entrance), late]), name="inner")
    tail = keras.Sequential([layers.Input((6,)), layers.BatchNormalization(), layers.Dense(6, activation="selu")])
    frozen = keras.Sequential([layers.Input((6,)), layers.BatchNormalization(), layers.Dense(6)])
    frozen.trainable = False
    return _chain((6,), inner, frozen, tail, layers.Dense(2))


@zoo
def normalized() -> Any:
    learnt = layers.Normalization()
    learnt.adapt(np.random.default_rng(5).normal(3, 2, (100, 4)))
    return _chain((4,), learnt, layers.Normalization(mean=[1, 2, 3, 4.0], variance=[2, 2, 3.0, 1]), layers.Dense(2))


@zoo
def attention() -> Any:
    entrance = keras.Input((6, 4))
    attended = layers.MultiHeadAttention(2, 3)(entrance, entrance)
    attended = layers.MultiHeadAttention(2, 3, value_dim=2)(attended, entrance, key=attended)
    attended = layers.Attention(use_scale=True)([attended, entrance])
    attended = layers.AdditiveAttention()([attended, entrance])
    attended = layers.EinsumDense("abc,cd->abd", output_shape=(6, 3), bias_axes="d")(attended)
    return keras.Model(entrance, layers.Dense(2)(layers.Flatten()(attended)))


@zoo
def two_inputs() -> Any:
    patient, beat = keras.Input((2,), name="patient"), keras.Input((12, 3), name="beat")
    seen = layers.GlobalAveragePooling1D()(layers.Conv1D(4, 3, activation="relu")(beat))
    known = layers.Dense(3, activation="relu")(patient)
    return keras.Model([beat, patient], layers.Dense(3, activation="softmax")(layers.Concatenate()([seen, known])))


@zoo
def named_inputs() -> Any:
    beat, age = keras.Input((5,), name="beat"), keras.Input((5,), name="age")
    return keras.Model({"beat": beat, "age": age}, layers.Dense(2)(layers.Subtract()([beat, age])))


def _weigh(model: Any, random: np.random.Generator) -> None:
    """Weights that no initialiser gives, so that one that is lost or swapped shows."""
    for variable in model.weights:
        if variable.path.startswith("normalization"):
            continue
        spread = 0.3 if len(variable.shape) < 2 else 2 / np.sqrt(np.prod(variable.shape[:-1]))
        value = random.normal(0, spread, variable.shape)
        variable.assign(np.abs(value) + 0.1 if "variance" in variable.path else value)


def main(folder: Path) -> None:
    """Save the zoo."""
    random = np.random.default_rng(0)
    for name, make in ZOO.items():
        keras.backend.clear_session()
        model = make()
        _weigh(model, random)
        model.compile("adam", keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        rows = {each.name: random.normal(0, 1, (5, *each.shape[1:])).astype(np.float32) for each in model.inputs}
        if len(rows) == 1:
            rows = {"x": rows.popitem()[1]}
        y = model(rows if name == "named_inputs" else list(rows.values()) if len(rows) > 1 else rows["x"])
        np.savez(folder / f"{name}.npz", **rows | {"y": np.asarray(y)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
