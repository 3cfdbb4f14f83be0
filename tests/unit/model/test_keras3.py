"""Keras 3 files: the oracle is Keras 3 itself, in a process of its own."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from audit_pipeline.errors import InputError
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.keras3 import in_keras_2
from audit_pipeline.model.layers import check_architecture
from audit_pipeline.model.load import load_keras, loaded_description

SINGLE = ("conv1d", "conv2d", "separable_1d", "recurrent", "cells", "residual", "nested", "normalized", "attention")
FORMATS = (".keras", ".h5")

Config = dict[str, Any]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", SINGLE)
def test_a_keras_3_model_computes_what_keras_3_computes(name: str, suffix: str, keras3: Path) -> None:
    expected = np.load(keras3 / f"{name}.npz")
    model = load_keras(inspect_model(keras3 / f"{name}{suffix}"))
    y = model(expected["x"], training=False).numpy()
    assert expected["y"].std(axis=0).max() > 1e-4, "rows that all give the same prove nothing"
    np.testing.assert_allclose(y, expected["y"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("suffix", FORMATS)
def test_both_formats_give_the_same_account(suffix: str, keras3: Path) -> None:
    part = inspect_model(keras3 / f"conv1d{suffix}").part
    assert (part.input_shape, part.output_shape) == ((16, 3), (3,))
    assert [layer.kind for layer in part.layers][:3] == ["ZeroPadding1D", "Conv1D", "BatchNormalization"]
    assert part.layers[1].parameters == 3 * 3 * 6


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_compiled_loss_is_read(suffix: str, keras3: Path) -> None:
    loss = loaded_description(inspect_model(keras3 / f"conv1d{suffix}")).loss
    assert loss["class_name"] == "CategoricalCrossentropy"
    assert loss["config"]["label_smoothing"] == 0.1


def changed(saved: Path, tmp_path: Path, change: Callable[[Config], None]) -> Path:
    """A copy of a .keras file with another architecture."""
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def of(kind: str, **config: Any) -> Config:
    """An object as Keras serialises it."""
    return {"class_name": kind, "config": config}


def layer_of(config: Config, name: str) -> Config:
    found: Config = next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == name)
    return found


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_keras(inspect_model(path))
    return caught.value


@pytest.mark.parametrize(
    ("layer", "change", "code", "said"),
    [
        ("conv1d", {"activation": "hard_sigmoid"}, "model.keras-3", "hard_sigmoid"),
        ("conv1d", {"dtype": of("DTypePolicy", name="mixed_float16")}, "model.keras-3", "mixed_float16"),
        ("conv1d", {"dtype": of("QuantizedDTypePolicy")}, "model.unknown-class", "Quantized"),
        ("conv1d", {"something_new": 3}, "model.keras-3", "something_new = 3"),
        ("conv1d", {"dtype": 5}, "model.keras-3", "float32"),
        ("batch_normalization", {"renorm": True}, "model.keras-3-weights", "shapes"),
        ("dense", {"quantization_config": of("Int8QuantizationConfig")}, "model.unknown-class", "Int8"),
        ("dense", {"activation": of("LeakyReLU", name="a")}, "model.keras-3", "LeakyReLU"),
        ("dense", {"units": 4}, "model.keras-3-weights", "shapes"),
    ],
)
def test_what_keras_2_has_no_equal_of_is_refused_with_the_layers_name(
    layer: str, change: Config, code: str, said: str, keras3: Path, tmp_path: Path
) -> None:
    def plant(config: Config) -> None:
        layer_of(config, layer)["config"].update(change)

    error = refusal(changed(keras3 / "conv1d.keras", tmp_path, plant))
    assert error.code == code
    assert said in str(error)
    assert error.hint
    assert f"layer '{layer}'" in str(error)


def test_arguments_that_are_off_are_dropped(keras3: Path, tmp_path: Path) -> None:
    def plant(config: Config) -> None:
        layer_of(config, "dense")["config"].update({"something_new": False, "another": None})

    load_keras(inspect_model(changed(keras3 / "conv1d.keras", tmp_path, plant)))


@pytest.mark.parametrize(
    ("name", "kind", "change"),
    [
        ("recurrent", "LSTM", lambda layer: layer["config"].update(recurrent_initializer=of("OrthogonalInitializer"))),
        ("attention", "Attention", lambda layer: layer["inbound_nodes"][0]["kwargs"].update(mask=[None, None])),
        ("conv1d", "Conv1D", lambda layer: layer["config"].update(dtype="float32")),
    ],
)
def test_what_earlier_versions_wrote_is_read(
    name: str, kind: str, change: Callable[[Config], None], keras3: Path, tmp_path: Path
) -> None:
    """Keras 3.0 to 3.6 named an initializer, wrote masks and data types in other ways."""

    def plant(config: Config) -> None:
        change(next(layer for layer in config["config"]["layers"] if layer["class_name"] == kind))

    load_keras(inspect_model(changed(keras3 / f"{name}.keras", tmp_path, plant)))


def test_an_augmentation_is_named(keras3: Path, tmp_path: Path) -> None:
    def plant(config: Config) -> None:
        flip = layer_of(config, "flatten")
        flip["class_name"], flip["config"]["name"] = "RandomFlip", "augment"

    error = refusal(changed(keras3 / "conv1d.keras", tmp_path, plant))
    assert error.code == "model.keras-3"
    assert "RandomFlip" in str(error)
    assert "augment" in str(error)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda merge: merge["inbound_nodes"][0]["args"].append(0.5), "model.operator-layer"),
        (lambda merge: merge["inbound_nodes"][0]["args"].pop(), "model.operator-layer"),
        (lambda merge: merge["inbound_nodes"][0]["args"][0]["config"].update(shape=[None, 1]), "model.operator-layer"),
        (lambda merge: merge.update(class_name="Power", registered_name="Power"), "model.unknown-class"),
        (lambda merge: merge.update(class_name="Dot", registered_name="Dot"), "model.operator-layer"),
        (lambda merge: merge["inbound_nodes"][0]["args"][0]["config"].pop("keras_history"), "model.corrupt"),
        (lambda merge: merge.pop("inbound_nodes"), "model.corrupt"),
    ],
)
def test_an_operation_on_tensors_is_a_layer_or_refused(
    change: Callable[[Config], None], code: str, keras3: Path, tmp_path: Path
) -> None:
    def plant(config: Config) -> None:
        operations = [layer for layer in config["config"]["layers"] if ".ops." in layer["module"]]
        assert operations, "the model subtracts with the minus sign"
        change(operations[0])

    assert refusal(changed(keras3 / "residual.keras", tmp_path, plant)).code == code


@pytest.mark.parametrize("name", ["attention", "recurrent", "conv2d"])
def test_a_translated_architecture_is_checked_like_any_other(name: str, keras3: Path) -> None:
    with zipfile.ZipFile(keras3 / f"{name}.keras") as archive:
        config = json.loads(archive.read("config.json"))
    translated = in_keras_2(config, "m.keras")
    check_architecture(translated, "m.keras")
    text = json.dumps(translated)
    assert not any(word in text for word in ("registered_name", "build_config", "DTypePolicy", "module"))


def test_an_h5_whose_weights_lack_a_layer_is_refused(keras3: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes((keras3 / "conv1d.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        del file["model_weights/dense"]
    error = refusal(path)
    assert error.code == "model.keras-3-weights"
    assert "'dense'" in str(error)


def test_weights_of_a_keras_3_file_that_are_not_numbers_are_named(keras3: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes((keras3 / "conv1d.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file["model_weights/conv1d_1/sequential/conv1d_1/kernel"][0] = np.nan
    assert refusal(path).code == "model.not-finite"
