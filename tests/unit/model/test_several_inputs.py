"""Models with several inputs: their names and order, from the file to the device's arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audit_pipeline.compress.convert import convert
from audit_pipeline.data.population import Population, Split
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import DataPart, InputPart
from audit_pipeline.model.entrances import check_inputs
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.predict import predict_float
from audit_pipeline.model.runtime import keras_runtime, quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.predictions import Reading, Task
from audit_pipeline.progress import silent

BEAT, PATIENT = InputPart(name="beat", shape=(12, 3)), InputPart(name="patient", shape=(2,))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> SourceModel:
    """A Keras 2 classifier whose inputs are neither in the order of their names nor of their making, inspected."""
    keras = keras_runtime(seed=2)
    layers = keras.layers
    patient, zebra = layers.Input((2,), name="patient"), layers.Input((4, 3), name="zebra")
    seen = layers.Concatenate()([layers.Flatten()(zebra), layers.Dense(3, activation="relu")(patient)])
    path = tmp_path_factory.mktemp("two") / "m.h5"
    with quiet():
        keras.Model([zebra, patient], layers.Dense(3, activation="softmax")(seen)).save(path)
    return inspect_model(path)


def rows(number: int, total: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(number, total)).astype(np.float32)


def test_inputs_are_told_in_the_models_order(two: SourceModel) -> None:
    assert two.part.inputs == (InputPart(name="zebra", shape=(4, 3)), InputPart(name="patient", shape=(2,)))
    assert two.part.input_shape == (14,)


def test_rows_are_cut_into_the_inputs(two: SourceModel) -> None:
    x = rows(7, 14)
    expected = load_keras(two)([x[:, :12].reshape(7, 4, 3), x[:, 12:]]).numpy()
    scores = predict_float(two, x, Reading(Task.CLASSIFICATION)).scores
    np.testing.assert_allclose(scores, expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", ["two_inputs", "named_inputs"])
def test_a_keras_3_model_of_several_inputs_computes_the_same(name: str, suffix: str, keras3: Path) -> None:
    expected = np.load(keras3 / f"{name}.npz")
    source = inspect_model(keras3 / f"{name}{suffix}")
    x = np.concatenate([expected[each.name].reshape(5, -1) for each in source.part.inputs], axis=1)
    y = load_keras(source).predict_on_batch([expected[each.name] for each in source.part.inputs])
    np.testing.assert_allclose(y, expected["y"], rtol=1e-6, atol=1e-6)
    assert x.shape[1:] == source.part.input_shape


def test_the_tflite_has_the_models_names_and_order(two: SourceModel, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(convert(load_keras(two), rows(20, 14), "int8", silent))
    finished = inspect_model(path)
    assert finished.part.inputs == two.part.inputs
    assert finished.part.input_shape == (14,)


def population(*inputs: InputPart) -> Population:
    part = DataPart(
        name="d", description="d", source="s", synthetic=True, sha256="0" * 64, classes=("a", "b", "c"),
        alarm_classes=(), splits=(), inputs=inputs,
    )  # fmt: skip
    nothing = Split(rows(1, 14), np.zeros(1, np.int64), {}, None)
    return Population(part, nothing, nothing, nothing)


ZEBRA = InputPart(name="zebra", shape=(4, 3))


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ((PATIENT, ZEBRA), "model.inputs", "in the order zebra, patient, the manifest has patient, zebra"),
        ((), "model.inputs", "takes the inputs zebra, patient, the manifest's features are of one input"),
        ((ZEBRA, BEAT), "model.inputs", "takes the inputs zebra, patient, the manifest's features are zebra, beat"),
        ((InputPart(name="zebra", shape=(3, 4)), PATIENT), "model.input-shape", "zebra takes rows of shape 4×3"),
    ],
)
def test_inputs_that_do_not_fit_are_said_plainly(
    given: tuple[InputPart, ...], code: str, said: str, two: SourceModel
) -> None:
    with pytest.raises(InputError) as caught:
        check_inputs(two, population(*given))
    assert caught.value.code == code
    assert said in str(caught.value)
    assert "zebra" in str(caught.value.hint)


def test_inputs_that_fit_pass(two: SourceModel, source: SourceModel) -> None:
    check_inputs(two, population(ZEBRA, PATIENT))
    check_inputs(source, population())
    with pytest.raises(InputError, match="takes one input"):
        check_inputs(source, population(ZEBRA, PATIENT))
