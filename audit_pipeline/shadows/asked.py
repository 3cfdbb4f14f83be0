"""What an attacker reads of one model: φ of every attacked row, from its outputs and from its logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.outputs import unprotected
from audit_pipeline.data.population import Split
from audit_pipeline.data.stratify import stratified_sample
from audit_pipeline.device.interpreters import run, tflite_micro
from audit_pipeline.device.kernels import output_kind, run_checked
from audit_pipeline.model import predict
from audit_pipeline.model.feed import feed
from audit_pipeline.model.load import load_keras
from audit_pipeline.model.runtime import quiet
from audit_pipeline.model.source import SourceModel
from audit_pipeline.predictions import OutputKind, Reading, Task
from audit_pipeline.privacy.signals import margin, sureness
from audit_pipeline.privacy_part import Signal
from audit_pipeline.progress import Progress, silent
from audit_pipeline.quantization import Integers, dequantize_output, quantize_inputs
from audit_pipeline.shadows.logits import activated, cut, without_activation
from audit_pipeline.tflite import Tensor, read_graph

Signals = Mapping[Signal, NDArray[np.float64]]
"""[rows] φ of each signal that there is; the logits are none of their own where the output is the logits."""

_BATCH = 1024
_CHECKED_ROWS = 64
"""Rows on which the kernels are compared; of the model that ships, as many more were before."""


def ask_float(source: SourceModel, rows: Split, reading: Reading) -> Signals:
    """What the float model gives away.

    Raises:
        InputError: as `load_keras` and `output_kind`.
    """
    model = load_keras(source)
    kind = predict.output_kind(model, str(source.path), reading)
    bare = without_activation(model) if _has_margin(reading) else None
    if bare is None:
        return {"output": _output_signal(_answers(model, rows.x), 0.0, kind, rows, reading)}
    logits = _answers(bare[0], rows.x)
    said = _output_signal(activated(logits, bare[1]), 0.0, kind, rows, reading)
    return {"output": said, "logits": margin(logits, rows.y, kind)}


def ask_device(tflite: bytes, rows: Split, reading: Reading, progress: Progress = silent) -> Signals:
    """What the device's model gives away, in the device's own arithmetic.

    Args:
        tflite: one that tflite-micro runs.
        rows: to ask.
        reading: how its outputs are read.
        progress: told the share of rows that are done.
    """
    graph = read_graph(tflite)
    kind, main = output_kind(graph), graph.main
    parts = cut(tflite) if _has_margin(reading) else None
    q = quantize_inputs(rows.x, [main.tensors[index] for index in main.inputs])
    sample = stratified_sample(rows, _CHECKED_ROWS, 0)
    made, _ = run_checked(tflite if parts is None else parts.head, q, sample, progress)
    end = main.tensors[main.outputs[0]]
    if parts is None:
        said = _output_signal(dequantize_output(made, end), end.scales[0], kind, rows, reading)
        finer = unprotected(tflite)
        return {"output": said} if finer == tflite else {"output": said, "logits": _finest(finer, rows, reading)}
    outputs = dequantize_output(_finished(parts.tail, made), end)
    logits = dequantize_output(made, _output(parts.head))
    said = _output_signal(outputs, end.scales[0], kind, rows, reading)
    return {"output": said, "logits": margin(logits, rows.y, parts.kind)}


def _finest(tflite: bytes, rows: Split, reading: Reading) -> NDArray[np.float64]:
    """[rows] φ of outputs that the device rounds before it gives them, as they stand in the file."""
    return ask_device(tflite, rows, reading)["output"]


def _finished(tail: bytes, logits: Integers) -> Integers:
    """[rows, units] what the tail makes of the logits; once of those that rows share."""
    kinds, which = np.unique(logits, axis=0, return_inverse=True)
    return run(tflite_micro(tail), kinds, "last operators", silent)[which.reshape(-1)]


def _output_signal(
    outputs: NDArray[np.float32], step: float, kind: OutputKind, rows: Split, reading: Reading
) -> NDArray[np.float64]:
    """[rows] φ of what the model says; its logits where it leaves the softmax to the reader."""
    if kind is OutputKind.LOGITS and reading.task is Task.CLASSIFICATION:
        return margin(outputs.reshape(len(rows), -1), rows.y, kind)
    predictions = reading.predictions(reading.scores(outputs, kind, rows.x), step, "")
    return sureness(predictions, rows, bounded=kind is not OutputKind.LOGITS)


def _has_margin(reading: Reading) -> bool:
    """Whether rows have a true class that logits speak for or against."""
    return reading.task is not Task.REGRESSION and not reading.reconstructs


def _answers(model: Any, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """[rows, units]; an autoencoder's answers lie flat."""
    made = []
    for start in range(0, len(x), _BATCH):
        with quiet():
            made.append(np.asarray(model.predict_on_batch(feed(model, x[start : start + _BATCH])), dtype=np.float32))
    return np.concatenate(made).reshape(len(x), -1)


def _output(tflite: bytes) -> Tensor:
    main = read_graph(tflite).main
    return main.tensors[main.outputs[0]]
