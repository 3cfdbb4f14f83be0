"""The demo's model: a small convolutional network, trained without regard to groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from audit_pipeline.demo.recording import CHANNELS, CLASSES, WINDOW
from audit_pipeline.model.runtime import keras_runtime, quiet
from audit_pipeline.progress import Progress, silent

MODEL = "model.h5"

_EPOCHS = 8
_BATCH = 64


def train(folder: Path, seed: int, progress: Progress = silent) -> Path:
    """Train on the train split that `write_population` left in a folder, and save the model beside it.

    Plain cross-entropy over all beats, no class or group weights: what a first attempt looks like.

    Args:
        folder: holds `train.npz`.
        seed: of the initial weights and of the order of the beats.
        progress: told the share of epochs that are done.

    Returns:
        Path of a Keras 2 HDF5 file.
    """
    with np.load(folder / "train.npz", allow_pickle=False) as file:
        x, label = file["x"], file["y"]
    y = np.searchsorted(np.array(CLASSES), label)
    keras = keras_runtime(seed)
    path = folder / MODEL
    with quiet():
        model = _network(keras)
        model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=_BATCH, epochs=_EPOCHS, verbose=0, callbacks=[_reporter(keras, progress)])
        model.save(path)
    return path


def _network(keras: Any) -> Any:
    """Three strided convolutions along time and a linear read-out, 11,000 parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((WINDOW, CHANNELS)),
            layers.Reshape((WINDOW, 1, CHANNELS)),
            *_convolution(layers, filters=16, kernel=9),
            *_convolution(layers, filters=32, kernel=7),
            *_convolution(layers, filters=32, kernel=5),
            layers.Flatten(),
            layers.Dense(len(CLASSES), activation="softmax"),
        ]
    )


def _convolution(layers: Any, filters: int, kernel: int) -> list[Any]:
    return [
        layers.Conv2D(filters, (kernel, 1), strides=(2, 1), padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]


def _reporter(keras: Any, progress: Progress) -> Any:
    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _: progress("training the model", (epoch + 1) / _EPOCHS)
    )
