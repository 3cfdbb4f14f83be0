from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphs import one_operator
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.convert import convert, convert_float
from audit_pipeline.compress.float_graph import single_rows, trace
from audit_pipeline.data.population import Population
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device import kernels
from audit_pipeline.device.interpreters import litert_reference, run, tflite_micro
from audit_pipeline.device.kernels import output_kind, predict_device, run_checked
from audit_pipeline.errors import InputError
from audit_pipeline.model.predict import predict_float
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.model.source import SourceModel
from audit_pipeline.predictions import OutputKind, Reading, Task
from audit_pipeline.progress import silent
from audit_pipeline.quantization import dequantize_output, quantize_input, quantize_inputs
from audit_pipeline.tflite import Tensor, read_graph

CLASSES = Reading(Task.CLASSIFICATION)


@pytest.fixture(scope="module")
def without_dense() -> bytes:
    """A convolution alone: no operator that LiteRT rounds otherwise."""
    rng = np.random.default_rng(0)
    from ai_edge_litert import schema_py_generated as schema

    options = schema.Conv2DOptionsT()
    options.strideW = options.strideH = 1
    options.padding = schema.Padding.VALID
    constants = {1: rng.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8), 2: np.zeros(4, np.int32)}
    return one_operator("CONV_2D", [[1, 3, 3, 2], [4, 3, 3, 2], [4]], [1, 1, 1, 4], constants, options=options)


def test_the_answers_are_tflite_micros_byte_for_byte(candidate: Candidate, population: Population) -> None:
    x = population.evaluation.x
    sample = stratified_sample(population.evaluation, 40, 0)
    predictions, check = predict_device(candidate, x, sample, CLASSES)
    graph = read_graph(candidate.tflite).main
    q = quantize_input(x, graph.tensors[graph.inputs[0]])
    expected = run(tflite_micro(candidate.tflite), q, "", silent)
    np.testing.assert_array_equal(predictions.scores, (expected.astype(np.float32) + 128) / 256)
    assert predictions.step == 1 / 256
    assert predictions.made_by == check.used == "tflite-micro"
    assert check.sample_rows == 40
    assert "FULLY_CONNECTED" in check.note
    assert check.authority.startswith("tflite-micro 0.")


def test_the_device_mostly_agrees_with_the_float_model(
    candidate: Candidate, source: SourceModel, population: Population
) -> None:
    split = population.evaluation
    device, _ = predict_device(candidate, split.x, np.arange(5), CLASSES)
    assert np.mean(device.labels == predict_float(source, split.x, CLASSES).labels) > 0.95
    assert np.mean(device.labels == split.y) > 0.8


def test_where_no_byte_differs_the_reference_kernels_are_used(without_dense: bytes) -> None:
    q = np.random.default_rng(1).integers(-128, 128, (50, 3, 3, 2)).astype(np.int8)
    outputs, check = run_checked(without_dense, q, np.arange(50))
    assert (check.used, check.differing_rows, check.largest_step) == ("litert-reference", 0, 0)
    np.testing.assert_array_equal(outputs, run(tflite_micro(without_dense), q, "", silent))
    assert "50 sampled rows" in check.note


def test_where_one_byte_differs_every_row_is_tflite_micros(
    without_dense: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def off_by_two(tflite: bytes) -> Any:
        real = litert_reference(tflite)
        return lambda row: np.where(real(row) < 0, 2, -2).astype(np.int8) * (row[0, 0, 0, 0] == 7) + real(row)

    q = np.random.default_rng(1).integers(-128, 128, (50, 3, 3, 2)).astype(np.int8)
    q[:, 0, 0, 0] = 0
    q[13, 0, 0, 0] = 7
    monkeypatch.setattr(kernels, "litert_reference", off_by_two)
    outputs, check = run_checked(without_dense, q, np.array([2, 13, 40]))
    assert (check.used, check.differing_rows, check.largest_step) == ("tflite-micro", 1, 2)
    assert "1 of 3" in check.note
    np.testing.assert_array_equal(outputs, run(tflite_micro(without_dense), q, "", silent))


@pytest.fixture(scope="module")
def remembering() -> tuple[bytes, NDArray[np.float32]]:
    """A recurrent model, and rows that it was calibrated on."""
    layers = keras_runtime(0).layers
    model = keras().Sequential([layers.Input((10, 3)), layers.LSTM(6), layers.Dense(3, activation="softmax")])
    x = np.random.default_rng(0).standard_normal((20, 10, 3)).astype(np.float32)
    return convert(model, x, "int8", silent), x


def test_a_recurrent_model_has_forgotten_the_row_before(remembering: tuple[bytes, NDArray[np.float32]]) -> None:
    tflite, x = remembering
    graph = read_graph(tflite).main
    q = quantize_inputs(x, [graph.tensors[graph.inputs[0]]])
    for interpreter in (tflite_micro, litert_reference):
        alone = np.stack([interpreter(tflite)(q[number : number + 1]) for number in range(len(q))])
        np.testing.assert_array_equal(run(interpreter(tflite), q, "", silent), alone)
    assert "Reset()" in run_checked(tflite, q, np.arange(5))[1].note


def test_a_trace_has_forgotten_the_row_before(remembering: tuple[bytes, NDArray[np.float32]]) -> None:
    layers = keras_runtime(0).layers
    model = keras().Sequential([layers.Input((10, 3)), layers.LSTM(6), layers.Dense(3, activation="softmax")])
    _, x = remembering
    tflite = convert_float(model)
    graph = read_graph(tflite).main
    output = graph.tensors[graph.outputs[0]].name
    traced = [tensors[output][0] for tensors in trace(tflite, single_rows(model, x))]
    np.testing.assert_allclose(np.stack(traced), model(x).numpy(), atol=1e-5)


def test_rows_of_another_shape_are_refused(candidate: Candidate) -> None:
    with pytest.raises(InputError) as caught:
        predict_device(candidate, np.zeros((3, 10, 1), np.float32), np.arange(1), CLASSES)
    assert caught.value.code == "device.input-shape"


def entrance(scale: float, zero_point: int) -> Tensor:
    return Tensor("input", (1, 1), "INT8", (scale,), (zero_point,), is_constant=False)


def test_halves_are_rounded_away_from_zero_and_the_ends_are_clamped() -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, 1e30, -1e30], np.float32)
    assert quantize_input(x, entrance(1.0, 0)).tolist() == [1, 2, 3, -1, -2, -3, 0, 127, -128]
    assert quantize_input(x[:2], entrance(1.0, -128)).tolist() == [-127, -126]


def test_an_int16_entrance_has_its_own_ends() -> None:
    x = np.array([[0.5, -0.5, 300.0, 1e30, -1e30]], np.float32)
    q = quantize_inputs(x, [Tensor("input", (1, 5), "INT16", (1.0,), (0,), is_constant=False)])
    assert q.dtype == np.int16
    assert q.tolist() == [[1, -1, 300, 32767, -32768]]


def test_each_of_several_inputs_has_its_own_scale() -> None:
    wide = Tensor("wide", (1, 2), "INT8", (1.0,), (3,), is_constant=False)
    fine = Tensor("fine", (1, 1), "INT8", (0.1,), (0,), is_constant=False)
    assert quantize_inputs(np.array([[1, 2, 3]], np.float32), [wide, fine]).tolist() == [[4, 5, 30]]


@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=40), st.floats(0.001, 0.1), st.integers(-128, 127))
def test_quantizing_is_tflites_own_quantize_kernel(values: list[float], scale: float, zero_point: int) -> None:
    from ai_edge_litert import schema_py_generated as schema

    x = np.array([values], np.float32)
    raw = schema.ModelT.InitFromPackedBuf(one_operator("QUANTIZE", [list(x.shape)], list(x.shape)), 0)
    source, result = raw.subgraphs[0].tensors
    source.type, source.quantization = schema.TensorType.FLOAT32, None
    result.quantization.scale, result.quantization.zeroPoint = [np.float32(scale)], [zero_point]
    import flatbuffers
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    builder = flatbuffers.Builder(256)
    builder.Finish(raw.Pack(builder), b"TFL3")
    oracle = Interpreter(
        model_content=bytes(builder.Output()), experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    oracle.allocate_tensors()
    oracle.set_tensor(oracle.get_input_details()[0]["index"], x)
    oracle.invoke()
    expected = oracle.get_tensor(oracle.get_output_details()[0]["index"])
    tensor = entrance(float(np.float32(scale)), zero_point)
    np.testing.assert_array_equal(quantize_input(x, tensor), expected)


def test_dequantizing_follows_the_formula() -> None:
    q = np.array([[-128, 0, 127]], np.int8)
    np.testing.assert_array_equal(dequantize_output(q, entrance(0.25, -128)), [[0.0, 32.0, 63.75]])


def test_what_outputs_are_is_read_from_the_last_operator(candidate: Candidate, without_dense: bytes) -> None:
    assert output_kind(read_graph(candidate.tflite)) is OutputKind.SOFTMAX
    assert output_kind(read_graph(without_dense)) is OutputKind.LOGITS
    assert output_kind(read_graph(one_operator("LOGISTIC", [[1, 1]], [1, 1]))) is OutputKind.SIGMOID
