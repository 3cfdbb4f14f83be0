"""Models that would run code, read files or fill the memory if Keras were let near them."""

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
from audit_pipeline.model.layers import LAYERS, check_architecture
from audit_pipeline.model.runtime import keras, quiet, tensorflow

Config = dict[str, Any]


def rewritten(saved: Path, tmp_path: Path, change: Callable[[Config], None]) -> Path:
    """A copy of an .h5 with another architecture."""
    path = tmp_path / "m.h5"
    path.write_bytes(saved.read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path


def layer_of(config: Config, number: int) -> Config:
    layer: Config = config["config"]["layers"][number]
    return layer


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        inspect_model(path)
    return caught.value


def test_a_lambda_layer_is_named_and_never_executed(tmp_path: Path) -> None:
    layers = keras().layers
    executed = tmp_path / "executed"
    inner = keras().Sequential([layers.Input((4,)), layers.Lambda(lambda x: x, name="payload")])
    outer = keras().Sequential([layers.Input((4,)), inner, layers.Dense(2)])
    for name in ("m.h5", "m.keras"):
        with quiet():
            outer.save(tmp_path / name)
        error = refusal(tmp_path / name)
        assert error.code == "model.lambda"
        assert "payload" in str(error)
    assert not executed.exists()


def test_a_tensorflow_operator_as_layer_is_refused(tmp_path: Path) -> None:
    entrance = keras().layers.Input((4,))
    with quiet():
        keras().Model(entrance, tensorflow().math.abs(entrance)).save(tmp_path / "m.h5")
    assert refusal(tmp_path / "m.h5").code == "model.operator-layer"


@pytest.mark.parametrize(
    "part",
    [
        {"class_name": "MyLayer", "config": {}},
        {"class_name": "Zeros", "module": "os", "config": {}},
        {"class_name": "Zeros", "module": "keras.initializers", "registered_name": "mine>Zeros", "config": {}},
        {"class_name": "function", "module": "builtins", "config": "eval"},
        {"class_name": ["Zeros"], "config": {}},
        {"module": "subprocess", "config": {}},
        {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
        {"class_name": "__typespec__", "spec_name": "x"},
    ],
)
def test_an_object_that_is_not_of_keras_is_refused_at_any_depth(
    part: Config, saved: dict[str, Path], tmp_path: Path
) -> None:
    def plant(config: Config) -> None:
        layer_of(config, -1)["config"]["kernel_initializer"] = {
            "class_name": "VarianceScaling",
            "config": {"deep": [{"deeper": part}]},
        }

    error = refusal(rewritten(saved["keras-h5"], tmp_path, plant))
    assert error.code in ("model.unknown-class", "model.lambda")
    assert "dense_1" in str(error)


def test_an_unknown_activation_is_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    def plant(config: Config) -> None:
        layer_of(config, -1)["config"]["activation"] = "os.system"

    assert "os.system" in str(refusal(rewritten(saved["keras-h5"], tmp_path, plant)))


@pytest.mark.parametrize(("units", "code"), [(10**15, "model.absurd-size"), (10**7, "model.absurd-size")])
def test_an_absurd_size_takes_no_memory(units: int, code: str, saved: dict[str, Path], tmp_path: Path) -> None:
    def plant(config: Config) -> None:
        layer_of(config, -2)["config"]["units"] = units

    assert refusal(rewritten(saved["keras-h5"], tmp_path, plant)).code == code


def test_an_architecture_keras_cannot_build_is_damaged(saved: dict[str, Path], tmp_path: Path) -> None:
    def plant(config: Config) -> None:
        del layer_of(config, -1)["config"]["units"]

    assert refusal(rewritten(saved["keras-h5"], tmp_path, plant)).code == "model.corrupt"


def test_a_deeply_nested_architecture_is_damaged(saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(saved["keras-h5"].read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = "[" * 30_000 + "]" * 30_000
    assert refusal(path).code == "model.corrupt"


def test_a_subclassed_root_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        check_architecture({"class_name": "MyModel", "config": {}}, "m.h5")
    assert caught.value.code == "model.unsupported-root"


def test_every_layer_that_is_allowed_exists_in_keras() -> None:
    assert all(hasattr(keras().layers, name) for name in LAYERS)


def _external_link(file: h5py.File) -> None:
    file["model_weights/stolen"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft_link(file: h5py.File) -> None:
    file["model_weights/again"] = h5py.SoftLink("/model_weights/dense")


def _loop(file: h5py.File) -> None:
    file["model_weights/loop"] = file["model_weights"]


def _external_storage(file: h5py.File) -> None:
    file.create_dataset("model_weights/stolen", (8,), "u1", external=[("/etc/passwd", 0, 8)])


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(8,), dtype="u1")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(8,))
    file.create_virtual_dataset("model_weights/stolen", layout)


def _objects(file: h5py.File) -> None:
    file.create_dataset("model_weights/text", data=np.array(["a"], dtype=object), dtype=h5py.string_dtype())


def _bomb(file: h5py.File) -> None:
    file.create_dataset("model_weights/bomb", (1 << 16, 1 << 16), "f4", chunks=(1 << 10, 1 << 10), compression="gzip")


@pytest.mark.parametrize(
    ("plant", "code"),
    [
        (_external_link, "model.unsafe-link"),
        (_soft_link, "model.unsafe-link"),
        (_loop, "model.unsafe-link"),
        (_external_storage, "model.unsafe-link"),
        (_virtual, "model.unsafe-link"),
        (_objects, "model.unsafe-type"),
        (_bomb, "model.unsafe-size"),
    ],
)
def test_hdf5_that_is_more_than_weights_is_refused(
    plant: Callable[[h5py.File], None], code: str, saved: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(saved["keras-h5"].read_bytes())
    with h5py.File(path, "r+") as file:
        plant(file)
    assert refusal(path).code == code


def test_weights_alone_and_other_versions_of_keras_are_explained(saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    for attribute, value, code in (
        ("keras_version", "3.4.1", "model.corrupt"),  # the architecture is one of Keras 2
        ("keras_version", "4.0.0", "model.keras-version"),
        ("keras_version", "1.2.2", "model.keras-version"),
        ("model_config", None, "model.weights-only"),
    ):
        path.write_bytes(saved["keras-h5"].read_bytes())
        with h5py.File(path, "r+") as file:
            del file.attrs[attribute]
            if value is not None:
                file.attrs[attribute] = value
        error = refusal(path)
        assert error.code == code
        assert error.hint


def zipped(saved: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of a .keras file with other members."""
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda m: m.update({"../../evil.py": b"x"}), "model.unsafe-member"),
        (lambda m: m.update({"assets/vocabulary.txt": b"x"}), "model.unsafe-member"),
        (lambda m: m.update({"config.json": b" " * (20 << 20)}), "model.unsafe-size"),
        (lambda m: m.update({"metadata.json": b'{"keras_version": "4.3.0"}'}), "model.keras-version"),
        (lambda m: m.update({"metadata.json": b"[]"}), "model.corrupt"),
        (lambda m: m.update({"config.json": b"\xff\xfe"}), "model.corrupt"),
        (lambda m: m.update({"model.weights.h5": b"nothing"}), "model.corrupt"),
        (lambda m: m.pop("config.json"), "model.corrupt"),
    ],
)
def test_a_zip_that_is_not_just_a_model_is_refused(
    change: Callable[[dict[str, bytes]], None], code: str, saved: dict[str, Path], tmp_path: Path
) -> None:
    assert refusal(zipped(saved["keras-zip"], tmp_path, change)).code == code


def test_a_saved_model_whose_graph_reads_files_is_refused(tmp_path: Path) -> None:
    tf = tensorflow()
    module = tf.Module()
    module.read = tf.function(tf.io.read_file, input_signature=[tf.TensorSpec([], tf.string)])
    with quiet():
        tf.saved_model.save(module, str(tmp_path / "m"))
    error = refusal(tmp_path / "m")
    assert error.code == "model.unsafe-operator"
    assert "ReadFile" in str(error)


def test_a_saved_model_without_keras_is_refused(tmp_path: Path) -> None:
    tf = tensorflow()
    module = tf.Module()
    module.twice = tf.function(lambda x: x * 2, input_signature=[tf.TensorSpec([1, 2])])
    with quiet():
        tf.saved_model.save(module, str(tmp_path / "m"))
    assert refusal(tmp_path / "m").code == "model.not-keras"


@pytest.mark.parametrize("name", ["saved_model.pb", "keras_metadata.pb"])
def test_a_damaged_saved_model_is_damaged(name: str, saved: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "m"
    copy.mkdir()
    for path in saved["savedmodel"].glob("*.pb"):
        (copy / path.name).write_bytes(path.read_bytes()[: 50 if path.name == name else None])
    assert refusal(copy).code == "model.corrupt"


def test_a_symbolic_link_in_a_saved_model_is_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "m"
    copy.mkdir()
    for path in saved["savedmodel"].glob("*.pb"):
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "variables").symlink_to(saved["savedmodel"] / "variables")
    assert refusal(copy).code == "model.unsafe-link"
