"""Reference models of MLPerf Tiny without 30 % of every layer's filters: bytes, equality, and the device's answers.

LiteRT's reference kernels round FULLY_CONNECTED otherwise than tflite-micro (docs/adr/0001), pruned or not, so graphs
that hold it do not give equal bytes on all rows. What the tool reports of such graphs is always tflite-micro's own.
That nothing else differs is shown by what comes before a last dense layer, and, where all is dense, by the operator's
own definition.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audit_pipeline.compress.convert import convert
from audit_pipeline.compress.neurons.channels import wire
from audit_pipeline.compress.neurons.choice import choose
from audit_pipeline.compress.neurons.magnitude import magnitudes
from audit_pipeline.compress.neurons.mask import masked
from audit_pipeline.compress.neurons.surgery import without
from audit_pipeline.device.arena import try_in_tflite_micro
from audit_pipeline.device.interpreters import litert_reference, run, tflite_micro
from audit_pipeline.model.intake import inspect_model
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import keras, keras_runtime
from audit_pipeline.progress import silent
from audit_pipeline.quantization import quantize_input
from audit_pipeline.tflite import read_graph
from benchmarks.fully_connected import run_dense
from benchmarks.table import Row, conclude

_MODELS = Path(__file__).parents[2] / "shared" / "data" / "mlperf-tiny"
_RATIO = 0.3
_CALIBRATION_ROWS = 32


@dataclass(frozen=True)
class _Case:
    name: str
    file: str
    rows: int
    """Random rows that both interpreters answer; few where tflite-micro is slow."""


_CASES = (
    _Case("ResNet-8", "pretrainedResnet.h5", 100),
    _Case("MobileNetV1", "vww_96.h5", 30),
    _Case("autoencoder", "ad01.h5", 500),
)


def rows() -> list[Row]:
    """Prune, convert and run each model."""
    if not _MODELS.is_dir():
        sys.exit(f"{_MODELS} is not there: this benchmark needs the models of MLPerf Tiny")
    return [row for case in _CASES for row in _rows(case)]


def _rows(case: _Case) -> list[Row]:
    keras_runtime(0)
    model = load_keras(inspect_model(_MODELS / case.file))
    wiring = wire(model)
    gone = choose(wiring, magnitudes(wiring), _RATIO, "layer")
    smaller = without(model, wiring, gone)
    x = np.random.default_rng(0).standard_normal((case.rows, *model.input_shape[1:]), dtype=np.float32)
    expected = masked(model, wiring, gone).predict(x, verbose=0)
    apart = np.abs(smaller.predict(x, verbose=0) - expected).max() / max(1.0, np.abs(expected).max())
    before, tflite = (convert(each, x[:_CALIBRATION_ROWS], "int8", silent) for each in (model, smaller))
    trial = try_in_tflite_micro(tflite)
    return [
        Row(f"{case.name}: bytes down", 1 - len(tflite) / len(before), "", at_least=0.25),
        Row(f"{case.name}: largest |pruned − masked|, of outputs up to 1", float(apart), "", at_most=1e-5),
        Row(f"{case.name}: runs under tflite-micro", float(trial.arena_bytes is not None), "of 1", at_least=1.0),
        Row(f"{case.name}: rows of equal bytes, LiteRT's reference", _equal(tflite, x), "", at_least=1.0),
        _but_for_dense(case, smaller, tflite, x),
    ]


def _but_for_dense(case: _Case, model: Any, tflite: bytes, x: Any) -> Row:
    """The comparison of bytes without LiteRT's rounding of FULLY_CONNECTED."""
    if {operator.name for operator in read_graph(tflite).main.operators} == {"FULLY_CONNECTED"}:
        share = _equal(tflite, x, by_definition=True)
        return Row(f"{case.name}: rows of equal bytes, FULLY_CONNECTED's definition", share, "", at_least=1.0)
    body = keras().Model(model.inputs, model.layers[-2].output)
    share = _equal(convert(body, x[:_CALIBRATION_ROWS], "int8", silent), x)
    return Row(f"{case.name} before its dense layer: rows of equal bytes, LiteRT's reference", share, "", at_least=1.0)


def _equal(tflite: bytes, x: Any, *, by_definition: bool = False) -> float:
    """Share of rows to which tflite-micro gives the very bytes of LiteRT's reference kernels, or of the definition."""
    graph = read_graph(tflite)
    q = quantize_input(x, graph.main.tensors[graph.main.inputs[0]])
    device = run(tflite_micro(tflite), q, "", silent)
    expected = run_dense(tflite, q) if by_definition else run(litert_reference(tflite), q, "", silent)
    return float(np.mean(np.all(device == expected, axis=1)))


if __name__ == "__main__":
    conclude("filter_pruning", rows())
