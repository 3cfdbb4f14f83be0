from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.repack import repack
from audit_pipeline.device.interpreters import litert_reference, tflite_micro
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
