from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from audit_pipeline.compress import convert as converting
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.names import shorten_names
from audit_pipeline.compress.repack import pack, repack
from audit_pipeline.data.population import Population
from audit_pipeline.device.interpreters import litert_reference, run, tflite_micro
from audit_pipeline.progress import silent
from audit_pipeline.quantization import integer_type
from audit_pipeline.tflite import read_graph


def test_repacking_again_changes_nothing(candidate: Candidate) -> None:
    assert repack(candidate.tflite) == candidate.tflite


def test_the_order_of_buffers_does_not_matter(candidate: Candidate) -> None:
    model = schema.ModelT.InitFromPackedBuf(candidate.tflite, 0)
    last = len(model.buffers)
    model.buffers.append(model.buffers[2])
    for tensor in model.subgraphs[0].tensors:
        tensor.buffer = last if tensor.buffer == 2 else tensor.buffer
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    other = bytes(builder.Output())
    assert other != candidate.tflite
    assert repack(other) == candidate.tflite
    assert read_graph(other) == read_graph(candidate.tflite)


def test_every_constant_is_aligned_for_firmware_that_reads_it_in_place(candidate: Candidate) -> None:
    root = schema.Model.GetRootAs(candidate.tflite, 0)
    whole = np.frombuffer(candidate.tflite, np.uint8)
    for number in range(root.BuffersLength()):
        data = root.Buffers(number).DataAsNumpy()
        if isinstance(data, np.ndarray):
            offset = data.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
            assert offset % 16 == 0
            assert candidate.tflite[offset : offset + len(data)] == data.tobytes()


def test_both_interpreters_run_what_was_repacked(candidate: Candidate) -> None:
    row = np.zeros((1, 20, 1), np.int8)
    assert tflite_micro(candidate.tflite)(row).shape == (3,)
    assert litert_reference(candidate.tflite)(row).shape == (3,)


@pytest.fixture(scope="module", params=["int8", "int16x8"])
def written(request: pytest.FixtureRequest, trained: Any, population: Population) -> tuple[bytes, bytes]:
    """A .tflite as the converter wrote it, and the same repacked."""
    as_written: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(converting, "repack", lambda tflite: as_written.append(tflite) or repack(tflite))
        small = converting.convert(trained, population.calibration.x[:20], request.param, silent)
    return as_written[0], small


def test_outputs_stay_the_same_to_the_bit_in_both_interpreters(written: tuple[bytes, bytes]) -> None:
    before, after = written
    main = read_graph(after).main
    kind = integer_type(main.tensors[main.inputs[0]])
    q = np.random.default_rng(1).integers(np.iinfo(kind).min, np.iinfo(kind).max, (60, 20, 1)).astype(kind)
    for kernels in (tflite_micro, litert_reference):
        np.testing.assert_array_equal(
            run(kernels(after), q, "", silent), run(kernels(before), q, "", silent), strict=True
        )


def test_what_no_device_reads_is_gone(written: tuple[bytes, bytes]) -> None:
    before, after = written
    assert len(after) < 0.7 * len(before)
    model = schema.ModelT.InitFromPackedBuf(after, 0)
    assert not (model.metadata or model.signatureDefs or model.description)
    named = {tensor.name.decode() for tensor in model.subgraphs[0].tensors if tensor.name}
    assert {"input", "conv1d", "dense", "dense_1", "output"} <= named
    assert not any("/" in name or ";" in name for name in named)


def test_constants_that_stand_behind_the_flatbuffer_are_brought_in(candidate: Candidate) -> None:
    """ai-edge-quantizer writes large models so; Buffer.offset counts from the file's start."""
    model = schema.ModelT.InitFromPackedBuf(candidate.tflite, 0)
    moved = max(model.buffers, key=lambda buffer: 0 if buffer.data is None else len(buffer.data))
    content, moved.data = bytes(moved.data), None
    moved.offset, moved.size = len(candidate.tflite), len(content)
    moved.offset = len(pack(model))
    outside = pack(model) + content
    assert repack(outside) == candidate.tflite
    assert read_graph(outside) == read_graph(candidate.tflite)


def test_equal_vectors_are_stored_once_and_offsets_are_never_taken_for_numbers(candidate: Candidate) -> None:
    """Each of two tensors with the same shape points to the same bytes; a shape that equals an offset stays a shape."""
    root = schema.Model.GetRootAs(candidate.tflite, 0)
    graph = root.Subgraphs(0)
    places: dict[tuple[int, ...], set[int]] = {}
    for number in range(graph.TensorsLength()):
        shape = graph.Tensors(number).ShapeAsNumpy()
        places.setdefault(tuple(shape), set()).add(shape.__array_interface__["data"][0])
    assert len(places) < graph.TensorsLength()
    assert all(len(addresses) == 1 for addresses in places.values())


@pytest.mark.parametrize(
    ("trail", "short"),
    [
        ("serving_default_input:0", "input"),
        ("StatefulPartitionedCall:0", "output"),
        ("ecg/re_lu_3/Relu;ecg/batch_normalization_3/FusedBatchNormV3;ecg/conv2d_3/Conv2D1", "conv2d_3"),
        ("m/dense/MatMul;m/dense/BiasAdd;m/batch_normalization/batchnorm/mul_1;m/activation/Relu", "dense"),
        ("m/re_lu_2/Relu;m/add/add", "add"),
        ("outer/inner/conv2d/Conv2D", "inner.conv2d"),
        ("conv2d_3", "conv2d_3"),
        ("conv2d_3_quantized", "conv2d_3_quantized"),
        ("inner.conv2d", "inner.conv2d"),
    ],
)
def test_operators_bear_the_names_of_their_layers(trail: str, short: str, candidate: Candidate) -> None:
    model = schema.ModelT.InitFromPackedBuf(candidate.tflite, 0)
    graph = model.subgraphs[0]
    graph.tensors[graph.operators[-1].outputs[0]].name = trail.encode()
    shorten_names(model)
    assert graph.tensors[graph.operators[-1].outputs[0]].name.decode() in (short, f"{short}.2")
    assert read_graph(pack(model)).main.tensors[graph.operators[-1].outputs[0]].name.startswith(short)


def test_two_operators_of_one_layer_keep_names_of_their_own(candidate: Candidate) -> None:
    model = schema.ModelT.InitFromPackedBuf(candidate.tflite, 0)
    for operator in model.subgraphs[0].operators:
        model.subgraphs[0].tensors[operator.outputs[0]].name = b"m/lstm/op"
    shorten_names(model)
    names = [model.subgraphs[0].tensors[operator.outputs[0]].name for operator in model.subgraphs[0].operators]
    assert len(set(names)) == len(names)
    assert b"lstm" in names
