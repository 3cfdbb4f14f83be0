from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import keras, quiet

FORMATS = ("keras-h5", "keras-zip", "savedmodel")


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_account_of_the_model(kind: str, saved: dict[str, Path], trained: Any) -> None:
    part = inspect_model(saved[kind]).part
    assert part.format == kind
    assert part.parameters == trained.count_params()
    assert (part.input_shape, part.output_shape) == ((20, 1), (3,))
    assert [layer.kind for layer in part.layers][-2:] == ["Dense", "Dense"]
    assert part.layers[-1].parameters == 16 * 3 + 3


@pytest.mark.parametrize("kind", FORMATS)
def test_a_loaded_model_computes_what_the_saved_one_did(
    kind: str, saved: dict[str, Path], trained: Any, population: Population
) -> None:
    x = population.evaluation.x[:50]
    again = load_keras(inspect_model(saved[kind]))
    np.testing.assert_allclose(again.predict_on_batch(x), trained.predict_on_batch(x), atol=1e-6)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_digest_is_of_the_bytes(kind: str, saved: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / saved[kind].name
    if saved[kind].is_dir():
        shutil.copytree(saved[kind], copy)
        (copy / "fingerprint.pb").write_bytes(b"another")
    else:
        copy.write_bytes(saved[kind].read_bytes() + b"\0")
    assert inspect_model(saved[kind]).part.sha256 == inspect_model(saved[kind]).part.sha256
    assert inspect_model(copy).part.sha256 != inspect_model(saved[kind]).part.sha256


def test_a_finished_tflite_is_told_by_its_content(candidate: Candidate, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(candidate.tflite)
    source = inspect_model(path)
    assert source.is_finished
    assert (source.part.input_shape, source.part.output_shape) == ((20, 1), (3,))
    assert source.part.sha256 == candidate.part.sha256
    assert "FULLY_CONNECTED" in [layer.kind for layer in source.part.layers]
    with pytest.raises(InputError, match="cannot be loaded as a Keras model"):
        load_keras(source)


def test_a_model_that_changed_after_inspection_is_not_loaded(saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    shutil.copy(saved["keras-h5"], path)
    source = inspect_model(path)
    with path.open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(InputError) as caught:
        load_keras(source)
    assert caught.value.code == "model.changed"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.h5", b"", "model.unknown-format"),
        ("text.h5", b"not a model at all", "model.unknown-format"),
        ("head.h5", b"\x89HDF\r\n\x1a\n", "model.corrupt"),
        ("head.keras", b"PK\x03\x04 and nothing more", "model.corrupt"),
        ("head.tflite", b"\x1c\0\0\0TFL3", "tflite.corrupt"),
    ],
)
def test_what_is_no_model_is_refused_by_name(name: str, content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        inspect_model(path)
    assert caught.value.code == code
    assert str(path) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["keras-h5", "keras-zip"])
@pytest.mark.parametrize("share", [0.05, 0.4, 0.8, 0.99])
def test_a_truncated_file_is_damaged_not_a_traceback(
    kind: str, share: float, saved: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / saved[kind].name
    whole = saved[kind].read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError) as caught:
        inspect_model(path)
    assert caught.value.code == "model.corrupt"


@pytest.mark.parametrize("kind", ["keras-h5", "keras-zip", "tflite"])
def test_damage_anywhere_ends_in_an_input_error_or_a_model(
    kind: str, saved: dict[str, Path], candidate: Candidate, tmp_path: Path
) -> None:
    whole = candidate.tflite if kind == "tflite" else saved[kind].read_bytes()
    path = tmp_path / ("m.tflite" if kind == "tflite" else saved[kind].name)
    rng = np.random.default_rng(7)
    for _ in range(12):
        damaged = bytearray(whole)
        for place in rng.integers(8, len(whole), 40):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            inspect_model(path)
        except InputError as error:
            assert error.code.startswith(("model.", "tflite."))


def test_a_name_that_contradicts_the_content_is_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    shutil.copy(saved["keras-h5"], path)
    with pytest.raises(InputError) as caught:
        inspect_model(path)
    assert caught.value.code == "model.wrong-suffix"
    assert ".h5" in str(caught.value.hint)


def test_a_missing_path_and_a_plain_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.h5", tmp_path):
        with pytest.raises(InputError) as caught:
            inspect_model(path)
        assert caught.value.code in ("model.unreadable", "model.unknown-format")


def test_weights_that_are_not_numbers_are_named(trained: Any, tmp_path: Path) -> None:
    broken = keras().models.clone_model(trained)
    broken.layers[-1].set_weights([np.full((16, 3), np.nan), np.zeros(3)])
    with quiet():
        broken.save(tmp_path / "m.h5")
    with pytest.raises(InputError, match="NaN") as caught:
        load_keras(inspect_model(tmp_path / "m.h5"))
    assert caught.value.code == "model.not-finite"


def _several_outputs(layers: Any) -> tuple[Any, Any]:
    entrance = layers.Input((4,))
    return entrance, [layers.Dense(2)(entrance), layers.Dense(2)(entrance)]


def _fixed_batch(layers: Any) -> tuple[Any, Any]:
    entrance = layers.Input((4,), batch_size=8)
    return entrance, layers.Dense(2)(entrance)


def _open_length(layers: Any) -> tuple[Any, Any]:
    entrance = layers.Input((None, 4))
    return entrance, layers.Dense(2)(layers.GlobalAveragePooling1D()(entrance))


@pytest.mark.parametrize(
    ("make", "code"),
    [(_several_outputs, "model.several-ends"), (_fixed_batch, "model.shape"), (_open_length, "model.shape")],
)
def test_unsupported_ends_are_said_plainly(make: Any, code: str, tmp_path: Path) -> None:
    with quiet():
        keras().Model(*make(keras().layers)).save(tmp_path / "m.h5")
    with pytest.raises(InputError) as caught:
        inspect_model(tmp_path / "m.h5")
    assert caught.value.code == code


def test_a_file_without_a_single_weight_is_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    shutil.copy(saved["keras-h5"], path)
    with h5py.File(path, "r+") as file:
        for name in ("model_weights", "optimizer_weights"):
            del file[name]
    with pytest.raises(InputError) as caught:
        inspect_model(path)
    assert caught.value.code == "model.no-weights"


def test_a_model_that_has_nothing_to_train_is_refused(tmp_path: Path) -> None:
    with quiet():
        keras().Sequential([keras().layers.Input((4,)), keras().layers.Flatten()]).save(tmp_path / "m.keras")
    with pytest.raises(InputError) as caught:
        inspect_model(tmp_path / "m.keras")
    assert caught.value.code == "model.no-weights"


def test_a_model_that_was_made_before_still_answers(
    trained: Any, saved: dict[str, Path], population: Population
) -> None:
    """Keras swaps the classes of layers that are made in a graph, as inspecting does, for all layers there are."""
    x = population.evaluation.x[:5]
    before = trained(x)
    inspect_model(saved["keras-h5"])
    np.testing.assert_array_equal(trained(x), before)
