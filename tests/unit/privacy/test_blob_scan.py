"""The search of the bytes that ship."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest

from audit_pipeline.data.population import Split
from audit_pipeline.measurement import NotMeasurable, Outcome
from audit_pipeline.policy.privacy import BlobScanRule
from audit_pipeline.privacy.blob_scan import scan
from audit_pipeline.privacy.judge import judge
from audit_pipeline.privacy.opened.flatbuffer import walk
from audit_pipeline.privacy_part import BlobScan
from audit_pipeline.tflite import Tensor

SCALE, ZERO = 0.02, 3


def training(rows: int = 300, width: int = 64) -> Split:
    x = np.random.default_rng(8).normal(0, 1, (rows, width)).astype(np.float32)
    return Split(x, np.zeros(rows, dtype=np.int64), {}, None)


def weights(size: int = 40_000, seed: int = 1) -> bytes:
    return np.clip(np.rint(np.random.default_rng(seed).normal(0, 30, size)), -127, 127).astype(np.int8).tobytes()


def tensor(width: int, scale: float = SCALE, zero: int = ZERO, dtype: str = "INT8") -> Tensor:
    """A quantized input of that many values."""
    return Tensor("input", (1, width), dtype, (scale,), (zero,), is_constant=False)


def entrance(width: int) -> tuple[Tensor, ...]:
    """The one int8 input of a model."""
    return (tensor(width),)


def encoded(row: np.ndarray, encoding: str) -> bytes:
    if encoding == "float32":
        return row.tobytes()
    q = np.clip(np.rint(row / SCALE) + ZERO, -128, 127).astype(np.int16)
    return q.astype(np.int8).tobytes() if encoding == "int8" else (q + 128).astype(np.uint8).tobytes()


def kinds(blob: bytes) -> list[str]:
    return [hit.kind for hit in scan(blob, None, ()).hits]


@pytest.mark.parametrize("encoding", ["float32", "int8", "uint8"])
@pytest.mark.parametrize("offset", [0, 1, 7, 5003])
def test_a_training_row_is_found_wherever_it_stands(encoding: str, offset: int) -> None:
    train, blob = training(), weights()
    row = encoded(train.x[41], encoding)
    (hit,) = scan(blob[:offset] + row + blob[offset:], train, entrance(64)).hits
    assert (hit.kind, hit.offset) == ("training-row", offset)
    assert hit.detail == f"{len(row)} bytes as in training rows encoded as {encoding}"


@pytest.mark.parametrize("start", range(0, 33, 3))
def test_any_piece_of_31_bytes_is_found(start: int) -> None:
    train, blob = training(), weights()
    piece = encoded(train.x[7], "int8")[start : start + 31]
    assert "training-row" in [hit.kind for hit in scan(blob + piece + blob, train, entrance(64)).hits]


def test_a_row_on_half_steps_is_found_as_the_device_holds_it() -> None:
    """C's `round` takes halves away from zero; a search that took them to the even number would miss the row."""
    steps = np.random.default_rng(3).integers(-100, 100, (50, 64)) + 0.5
    train = Split((steps * 0.25).astype(np.float32), np.zeros(50, dtype=np.int64), {}, None)
    held = np.where(steps > 0, np.ceil(steps), np.floor(steps))[7].astype(np.int8).tobytes()
    (hit,) = scan(weights() + held, train, (tensor(64, 0.25, 0),)).hits
    assert hit.kind == "training-row"


def test_a_row_is_found_as_int16() -> None:
    train, blob = training(), weights()
    row = np.rint(train.x[41] / np.float32(1e-4)).astype("<i2").tobytes()
    (hit,) = scan(blob[:77] + row + blob[77:], train, (tensor(64, 1e-4, 0, "INT16"),)).hits
    assert (hit.offset, hit.detail) == (77, "128 bytes as in training rows encoded as int16")


def test_each_of_several_inputs_is_looked_for_by_its_own_scale() -> None:
    train, blob = training(), weights()
    inputs = (tensor(24), tensor(40, 0.05, -1))
    second = np.clip(np.rint(train.x[9, 24:] / 0.05) - 1, -128, 127).astype(np.int8).tobytes()
    found = scan(blob[:500] + second + blob[500:], train, inputs)
    assert found.encodings == ("float32", "int8", "uint8")
    assert [hit.kind for hit in found.hits] == ["training-row"]
    assert scan(blob[:500] + second + blob[500:], train, entrance(64)).hits == ()


def test_weights_hold_no_training_rows() -> None:
    assert all(scan(weights(seed=seed), training(), entrance(64)).hits == () for seed in range(10))


def test_constant_rows_are_not_counted_as_searched() -> None:
    x = np.zeros((5, 64), np.float32)
    x[0] = training(1).x[0]
    found = scan(weights(), Split(x, np.zeros(5, dtype=np.int64), {}, None), entrance(64))
    assert (found.training_rows, found.hits) == (1, ())


def test_narrow_rows_are_searched_where_they_are_wide_enough() -> None:
    assert scan(b"", training(width=9), entrance(9)).encodings == ("float32", "int8", "uint8")
    assert scan(b"", training(width=3), entrance(3)).encodings == ("float32",)
    assert scan(b"", training(width=1), entrance(1)).encodings == ()
    assert scan(b"", training(), ()).encodings == ("float32",)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("path", b"/home/alice/models/v3.h5"),
        ("path", b"/Users/bob/x.py"),
        ("path", rb"C:\Users\carol\train.csv"),
        ("path", rb"D:\projects\patients\raw.bin"),
        ("path", b"file:///srv/data.npz"),
        ("e-mail", b"dora.evans@clinic.example"),
        ("secret", b"-----BEGIN OPENSSH PRIVATE KEY-----"),
        ("secret", b"AKIAIOSFODNN7EXAMPLE"),
        ("secret", b"ghp_" + b"a1B2" * 9),
        ("secret", b"postgres://user:hunter22@db.example"),
        ("secret", b"password = correct-horse"),
        ("secret", b"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("secret", b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("secret", b"Zm9vYmFyMTIzNDU2Nzg5MHF3ZXJ0eXVpb3A5OTk="),
    ],
)
def test_texts_are_found_and_masked(kind: str, text: bytes) -> None:
    blob = weights(5000)
    hits = scan(blob + b"\0" + text + b"\0" + blob, None, ()).hits
    assert kind in [hit.kind for hit in hits]
    for hit in hits:
        assert 5000 < hit.offset <= 5001 + len(text)
        assert text.decode() not in hit.detail


@pytest.mark.parametrize(
    "text",
    [
        b"model/conv2d_1/BatchNormalizationFusedBatchNormV3/ReadVariableOp",
        b"StatefulPartitionedCall_1:0",
        b"serving_default_input_1:0",
        b"min_runtime_version",
        b"TFL3 CONVERSION_METADATA 2.21.0",
        b"sequential/global_average_pooling1d/Mean/reduction_indices",
    ],
)
def test_names_in_a_graph_are_no_finds(text: bytes) -> None:
    assert kinds(b"\0" + text + b"\0") == []


def test_random_bytes_hold_no_texts() -> None:
    assert kinds(np.random.default_rng(0).bytes(3_000_000)) == []


def tflite() -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT()
    model.version, model.description = 3, "a model"
    buffer, tensor, graph = schema.BufferT(), schema.TensorT(), schema.SubGraphT()
    buffer.data = list(range(100))
    tensor.name, tensor.shape, tensor.buffer = "weights", [100], 1
    graph.tensors, graph.name = [tensor], "main"
    operator, options = schema.OperatorT(), schema.ReshapeOptionsT()
    options.newShape = [1, 100]
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.ReshapeOptions, options
    graph.operators = [operator]
    model.buffers, model.subgraphs = [schema.BufferT(), buffer], [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_the_end_of_the_model_is_the_end_of_its_last_table() -> None:
    blob = tflite()
    assert len(blob) - 8 <= walk(blob).end <= len(blob)
    assert kinds(blob) == []


def test_trailing_bytes_are_found_and_alignment_is_not() -> None:
    blob = tflite()
    assert kinds(blob + bytes(16)) == []
    assert kinds(blob + b"PK\x03\x04 a forgotten archive") == ["trailing-bytes"]
    assert kinds(blob + bytes(4096)) == ["trailing-bytes"]


def test_bytes_that_are_no_model_are_not_said_to_have_an_end() -> None:
    assert kinds(b"") == []
    assert kinds(b"\xff" * 100) == []


def judged(found: BlobScan | None, max_hits: int = 0) -> tuple[Outcome, str]:
    (finding,) = judge([BlobScanRule(attack="blob_scan", max_hits=max_hits)], [], found)
    if found is None:
        assert isinstance(finding.value, NotMeasurable)
    return finding.outcome, finding.reason


def test_finds_beyond_the_limit_fail() -> None:
    train = training()
    blob = weights() + encoded(train.x[0], "int8")
    assert judged(scan(blob, train, entrance(64)))[0] is Outcome.FAIL
    assert judged(scan(blob, train, entrance(64)), max_hits=1)[0] is Outcome.PASS
    assert judged(scan(weights(), train, entrance(64))) == (
        Outcome.PASS,
        "0 finds in 40000 bytes, with 300 training rows looked for; at most 0 allowed",
    )


def test_a_search_that_could_see_nothing_decides_nothing() -> None:
    assert judged(None)[0] is Outcome.INCONCLUSIVE
    assert judged(scan(weights(), None, ()))[0] is Outcome.INCONCLUSIVE
    assert judged(scan(weights() + b"/home/eve/x.h5", None, ()))[0] is Outcome.FAIL
