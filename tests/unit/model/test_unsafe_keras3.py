"""Keras 3 files that would run code or break the translation, if they were let near either."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.errors import InputError
from audit_pipeline.model.intake import inspect_model

Config = dict[str, Any]


def refusal(config: Config, saved: Path, tmp_path: Path) -> InputError:
    """The refusal of a .keras file of Keras 3 with that architecture."""
    with zipfile.ZipFile(saved) as archive:
        weights = archive.read("model.weights.h5")
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    with pytest.raises(InputError) as caught:
        inspect_model(path)
    return caught.value


def keras3_architecture(part: Config) -> Config:
    """A Keras 3 model of one layer with something planted in it."""
    layer = {"name": "hidden", "trainable": True, "dtype": "float32", "units": 2, "kernel_regularizer": part}
    entrance = {"batch_shape": [None, 4], "dtype": "float32", "name": "in", "sparse": False}
    layers: list[Config] = [{"class_name": "InputLayer", "module": "keras.layers", "config": entrance}]
    layers += [{"class_name": "Dense", "module": "keras.layers", "registered_name": None, "config": layer}]
    config = {"name": "m", "trainable": True, "layers": layers, "build_input_shape": [None, 4]}
    return {"class_name": "Sequential", "module": "keras", "registered_name": "Sequential", "config": config}


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ({"class_name": "Lambda", "module": "keras.layers", "config": {"name": "payload"}}, "model.lambda"),
        ({"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}, "model.lambda"),
        ({"class_name": "L2", "module": "os", "config": {}}, "model.unknown-class"),
        ({"class_name": "L2", "module": "keras.regularizers", "registered_name": "mine>L2"}, "model.unknown-class"),
        ({"class_name": "function", "module": "builtins", "config": "eval"}, "model.unknown-class"),
        ({"class_name": "TorchModuleWrapper", "module": "keras.layers", "config": {}}, "model.unknown-class"),
        ({"class_name": "TFSMLayer", "module": "keras.layers", "config": {}}, "model.unknown-class"),
        ({"class_name": "L2", "module": "keras.regularizers", "config": {"l2": 1 << 60}}, "model.absurd-size"),
        ({"class_name": "L2", "module": "keras.regularizers", "config": {"unheard": 1}}, "model.corrupt"),
        ({"class_name": "L2", "module": "keras.regularizers"}, "model.corrupt"),
    ],
)
def test_an_object_in_a_keras_3_file_is_refused_before_it_is_made(
    part: Config, code: str, saved: dict[str, Path], tmp_path: Path
) -> None:
    error = refusal(keras3_architecture(part), saved["keras-zip"], tmp_path)
    assert error.code == code
    assert error.hint


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "Sequential", "config": {"name": "m", "layers": 3}},
        {"class_name": "Sequential", "config": {"name": "m", "layers": [3]}},
        {"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "Dense"}]}},
        {"class_name": "Functional", "config": {"name": "m", "layers": [], "input_layers": [], "output_layers": []}},
        {"class_name": "Functional", "config": {"name": "m", "layers": [{"class_name": "Dense", "config": []}]}},
        {"class_name": "Functional", "config": {"name": "m"}},
    ],
)
def test_a_keras_3_architecture_that_is_none_is_damaged(config: Config, saved: dict[str, Path], tmp_path: Path) -> None:
    assert refusal(config, saved["keras-zip"], tmp_path).code == "model.corrupt"
