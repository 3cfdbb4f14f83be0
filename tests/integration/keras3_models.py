"""Trains two Keras 3 classifiers on a train split: `python keras3_models.py train.npz FOLDER`.

A process of its own, because a process that runs the project has Keras 2.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
os.environ.pop("TF_USE_LEGACY_KERAS", None)

import keras  # type: ignore[import-untyped]
import numpy as np
from keras import layers


def _seen(tone: Any) -> Any:
    first = layers.LeakyReLU(negative_slope=0.2)(layers.Conv1D(6, 5, padding="same")(tone))
    second = layers.BatchNormalization()(layers.Conv1D(6, 5, padding="same")(first))
    return layers.GlobalAveragePooling1D()(layers.ReLU()(first + second))


def one_input() -> Any:
    """A residual network."""
    tone = keras.Input((24, 1), name="tone")
    return keras.Model(tone, layers.Dense(2, activation="softmax")(_seen(tone)))


def two_inputs() -> Any:
    """The same, told of the person as well."""
    person, tone = keras.Input((2,), name="person"), keras.Input((24, 1), name="tone")
    known = layers.Dense(4, activation="relu")(person)
    joined = layers.Concatenate()([_seen(tone), known])
    return keras.Model([tone, person], layers.Dense(2, activation="softmax")(joined))


def main(train: Path, folder: Path) -> None:
    """Train and save them."""
    data = np.load(train)
    keras.utils.set_random_seed(4)
    tone, person = data["x"], np.stack([data["age"], data["level"]], axis=1)
    for name, model, x in (("one.keras", one_input(), tone), ("two.h5", two_inputs(), [tone, person])):
        model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
        model.fit(x, data["y"], epochs=8, batch_size=64, verbose=0)
        model.save(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
