from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.convert import convert, convert_float
from audit_pipeline.compress.float_graph import FloatGraph, float_graph
from audit_pipeline.compress.integers import require_integers
from audit_pipeline.compress.mixed import mixed, operator_names
from audit_pipeline.compress.quantize import Calibration, quantize
from audit_pipeline.data.population import Population, Split
from audit_pipeline.device.interpreters import litert_reference, run, tflite_micro
from audit_pipeline.device.kernels import predict_device
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import CandidatePart
from audit_pipeline.model.feed import feed
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.runtime import keras_runtime
from audit_pipeline.policy.steps import Quantize
from audit_pipeline.predictions import Reading, Task
from audit_pipeline.progress import silent
from audit_pipeline.quantization import dequantize_output, quantize_inputs
from audit_pipeline.tflite import read_graph

OPERATORS = ("conv1d", "dense", "dense_1", "output")


@pytest.fixture(scope="module")
def rows(population: Population) -> NDArray[np.float32]:
    return population.calibration.x[:40]


@pytest.fixture(scope="module")
def graph_in_floats(trained: Any, rows: NDArray[np.float32]) -> FloatGraph:
    return float_graph(trained, rows)


@pytest.fixture(scope="module")
def wide(trained: Any, rows: NDArray[np.float32]) -> bytes:
    return convert(trained, rows, "int16x8", silent)


def answers(tflite: bytes, x: NDArray[np.float32], kernels: Any = tflite_micro) -> NDArray[np.float32]:
    main = read_graph(tflite).main
    q = quantize_inputs(x, [main.tensors[index] for index in main.inputs])
    return dequantize_output(run(kernels(tflite), q, "", silent), main.tensors[main.outputs[0]])


def types(tflite: bytes) -> dict[str, str]:
    main = read_graph(tflite).main
    computed = [index for operator in main.operators for index in operator.outputs]
    return {main.tensors[index].name: main.tensors[index].dtype for index in (*main.inputs, *computed)}


def as_candidate(tflite: bytes) -> Candidate:
    part = CandidatePart(sha256="0" * 64, size_bytes=len(tflite), zipped_bytes=1, seed=0, steps=())
    return Candidate(tflite, part)


def test_int16x8_holds_int16_from_end_to_end_and_is_nearer_to_the_floats(
    wide: bytes, candidate: Candidate, trained: Any, population: Population
) -> None:
    assert set(types(wide).values()) == {"INT16"}
    x = population.evaluation.x[:50]
    expected = trained.predict(x, verbose=0)
    error, coarse = (np.abs(answers(tflite, x) - expected).max() for tflite in (wide, candidate.tflite))
    assert error < 0.5 * coarse


def test_a_finished_model_may_have_int16_ends(wide: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(wide)
    assert inspect_model(tmp_path / "m.tflite").part.output_shape == (3,)


def test_without_a_lifted_operator_everything_is_int8(graph_in_floats: FloatGraph) -> None:
    assert set(OPERATORS) <= set(operator_names(graph_in_floats.graph))
    assert set(types(mixed(graph_in_floats, ())).values()) == {"INT8"}


def test_a_lifted_output_is_read_in_16_bits_and_what_comes_after_is_int8_again(graph_in_floats: FloatGraph) -> None:
    found = types(mixed(graph_in_floats, ["dense"]))
    assert (found["input"], found["dense"], found["dense_1"], found["output"]) == ("INT8", "INT16", "INT16", "INT8")
    assert found["conv1d"] == "INT8"


def test_readers_behind_a_reshape_are_lifted_too(graph_in_floats: FloatGraph) -> None:
    found = types(mixed(graph_in_floats, ["conv1d"]))
    assert (found["conv1d"], found["dense"]) == ("INT16", "INT16")
    assert found["dense_1"] == "INT8"


def test_the_end_is_int16_only_where_its_operator_is_lifted(graph_in_floats: FloatGraph) -> None:
    found = types(mixed(graph_in_floats, ["output"]))
    assert (found["input"], found["output"]) == ("INT8", "INT16")


def test_an_unknown_operator_is_named_with_the_nearest_one(graph_in_floats: FloatGraph) -> None:
    with pytest.raises(InputError) as caught:
        mixed(graph_in_floats, ["dense_l"])
    assert caught.value.code == "compress.unknown-operator"
    assert "did you mean dense" in caught.value.what
    assert "conv1d" in str(caught.value.hint)


def test_graphs_over_int16_are_always_answered_by_tflite_micro(
    wide: bytes, graph_in_floats: FloatGraph, population: Population
) -> None:
    x = population.evaluation.x[:20]
    for tflite in (wide, mixed(graph_in_floats, ["conv1d"])):
        predictions, check = predict_device(as_candidate(tflite), x, np.arange(5), Reading(Task.CLASSIFICATION))
        assert check.used == "tflite-micro"
        assert "int16 activations" in check.note
        np.testing.assert_array_equal(predictions.scores, answers(tflite, x))


def test_the_step_says_what_was_lifted_and_what_it_cost(trained: Any, population: Population) -> None:
    calibration = Calibration(population.calibration.take(np.arange(40)), "of the tests")
    settings = Quantize(scheme="mixed", lift=2, groups="group")
    made, part = quantize(trained, settings, calibration, None, 0, silent)
    lifted = part.settings["lift"]
    assert len(lifted) == 2
    assert set(lifted) <= set(OPERATORS)
    assert {name for name in OPERATORS if types(made)[name] == "INT16"} >= set(lifted)
    assert any(note.endswith(f"{len(made):,} so") for note in part.notes)
    named, _ = quantize(trained, Quantize(scheme="mixed", lift=tuple(lifted)), calibration, None, 0, silent)
    assert named == made


def test_a_graph_left_in_floats_is_refused_with_the_operators_name(trained: Any) -> None:
    with pytest.raises(InputError) as caught:
        require_integers(read_graph(convert_float(trained)), "the scheme int8")
    assert caught.value.code == "compress.float-operator"
    assert "the scheme int8 leaves the operator" in caught.value.what


def test_an_operator_the_quantizer_does_not_know_is_refused(population: Population) -> None:
    keras = keras_runtime(seed=2)
    layers = keras.layers
    model = keras.Sequential([layers.Input((20, 1)), layers.Flatten(), layers.Dense(4), layers.ELU(), layers.Dense(2)])
    source = float_graph(model, population.calibration.x[:10])
    with pytest.raises(InputError) as caught:
        mixed(source, ())
    assert caught.value.code == "compress.float-operator"
    assert "ELU" in caught.value.what


@pytest.fixture(scope="module")
def several() -> tuple[Any, NDArray[np.float32]]:
    """A model whose inputs do not stand in the order of their names, and rows with ranges of their own for each."""
    keras = keras_runtime(seed=3)
    layers = keras.layers
    inputs = [layers.Input((6, 2), name="wave"), layers.Input((3,), name="age"), layers.Input((4,), name="sensor")]
    pooled = layers.GlobalAveragePooling1D()(layers.Conv1D(4, 3, activation="relu")(inputs[0]))
    joined = layers.Concatenate()([pooled, layers.Dense(4, activation="relu")(inputs[1]), layers.Dense(3)(inputs[2])])
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(joined))
    spread = np.concatenate([np.ones(12), np.full(3, 5.0), np.full(4, 0.1)])
    x = np.random.default_rng(0).normal(size=(40, 19)) * spread
    return model, x.astype(np.float32)


@pytest.mark.parametrize("scheme", ["int8", "int16x8", "mixed"])
def test_a_model_with_several_inputs_gets_each_in_its_place(
    scheme: str, several: tuple[Any, NDArray[np.float32]]
) -> None:
    model, x = several
    split = Split(x, np.zeros(len(x), np.int64), {}, None)
    settings = Quantize.model_validate({"scheme": scheme} | ({"lift": ("dense",)} if scheme == "mixed" else {}))
    tflite, _ = quantize(model, settings, Calibration(split, "of the tests"), None, 0, silent)
    main = read_graph(tflite).main
    assert [main.tensors[index].name for index in main.inputs] == ["wave", "age", "sensor"]
    expected = model.predict(feed(model, x), verbose=0)
    for kernels in (tflite_micro, litert_reference):
        assert np.abs(answers(tflite, x, kernels) - expected).max() < 0.03
    predictions, _ = predict_device(as_candidate(tflite), x, np.arange(5), Reading(Task.CLASSIFICATION))
    np.testing.assert_array_equal(predictions.scores, answers(tflite, x))
