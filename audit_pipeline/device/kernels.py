"""Predictions from the device's own arithmetic, and the proof that it is the device's.

tflite-micro is the authority. LiteRT's reference kernels are two to four times as fast and give its very bytes for most
operators, so they are used where a sample shows no byte of difference; where one differs, tflite-micro runs every row.

Two things are known to differ. LiteRT 2.3 rounds once when it scales the sums of FULLY_CONNECTED down to int8,
tflite-micro twice (gemmlowp's doubling high multiplication, then a rounding shift). It shows on so few rows that a
sample can miss it: 269 of 49,705 heart beats on one model. Operators over int16 activations differ on one row in ten
where all are of that kind, and on one in two hundred where one is. A graph with either always goes to tflite-micro.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.device.interpreters import litert_reference, run, tflite_micro
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import KernelCheck
from audit_pipeline.predictions import OutputKind, Predictions, Reading
from audit_pipeline.progress import Progress, silent
from audit_pipeline.quantization import Integers, dequantize_output, quantize_inputs
from audit_pipeline.tflite import Graph, read_graph

SHAPE_ONLY = frozenset({"RESHAPE", "SQUEEZE", "QUANTIZE", "EXPAND_DIMS"})
"""Operators after which outputs mean what they meant before."""
_ROUNDED_OTHERWISE = frozenset({"FULLY_CONNECTED"})
_STATE = "; the model keeps a state, which was reset before every row: firmware has to call Reset() likewise"
_KINDS = {"SOFTMAX": OutputKind.SOFTMAX, "LOGISTIC": OutputKind.SIGMOID, "SELECT_V2": OutputKind.SOFTMAX}
"""SELECT_V2 ends a model that gives its top class alone: 1 where every other score is 0, which are probabilities."""


def predict_device(
    candidate: Candidate,
    x: NDArray[np.float32],
    sample: NDArray[np.int64],
    reading: Reading,
    progress: Progress = silent,
) -> tuple[Predictions, KernelCheck]:
    """Scores as the device computes them; the kernels are compared by the integers behind them, whatever the task.

    Args:
        candidate: one that was measured: an operator without a kernel, or a damaged graph, is found there.
        x: [rows, *input_shape] rows to predict.
        sample: row numbers to run through both interpreters, from `stratified_sample`.
        reading: what the population says of the outputs.
        progress: told the share of rows that are done.

    Returns:
        Scores of every row, and whose arithmetic they are.

    Raises:
        InputError: `device.input-shape`, `model.output-shape` or `device.not-runnable`.
    """
    graph = read_graph(candidate.tflite, "candidate")
    sources = [graph.main.tensors[index] for index in graph.main.inputs]
    result = graph.main.tensors[graph.main.outputs[0]]
    taken = sources[0].shape[1:] if len(sources) == 1 else (sum(source.elements for source in sources),)
    if taken != x.shape[1:]:
        raise InputError(
            "device.input-shape",
            f"the .tflite takes rows of shape {taken}, the data set has {x.shape[1:]}",
            hint="set `shape` in the manifest, or prepare the data as the model was trained",
        )
    q = quantize_inputs(x, sources)
    outputs, check = run_checked(candidate.tflite, q, sample, progress)
    scores = reading.scores(dequantize_output(outputs, result), output_kind(graph), x)
    return reading.predictions(scores, float(result.scales[0]), check.used), check


def run_checked(
    tflite: bytes, q: Integers, sample: NDArray[np.int64], progress: Progress = silent
) -> tuple[Integers, KernelCheck]:
    """Run quantized rows through the fastest interpreter that is shown to be the device's.

    Args:
        tflite: the model, one that `measure` has seen run.
        q: [rows, *input_shape], from `quantize_inputs`.
        sample: row numbers to run through both interpreters.
        progress: told the share of rows that are done.

    Returns:
        [rows, units] outputs, and the comparison.
    """
    micro, reference = tflite_micro(tflite), litert_reference(tflite)
    device = run(micro, q[sample], "compare kernels: tflite-micro", progress)
    fast = run(reference, q[sample], "compare kernels: LiteRT reference", progress)
    steps = np.abs(device.astype(np.int32) - fast)
    differing = int(np.count_nonzero(steps.any(axis=1)))
    graph = read_graph(tflite)
    known = _rounded_otherwise(graph)
    slow = bool(differing or known)
    check = KernelCheck(
        authority=_authority(),
        used="tflite-micro" if slow else "litert-reference",
        sample_rows=len(sample),
        differing_rows=differing,
        largest_step=int(steps.max(initial=0)),
        note=_note(differing, len(sample), known) + (_STATE if _keeps_state(graph) else ""),
    )
    return run(micro if slow else reference, q, "device predictions", progress), check


def output_kind(graph: Graph) -> OutputKind:
    """What the outputs are, by the operator that makes them; operators that only move values are passed over."""
    tensor = graph.main.outputs[0]
    for operator in reversed(graph.main.operators):
        if tensor not in operator.outputs:
            continue
        if operator.name not in SHAPE_ONLY:
            return _KINDS.get(operator.name, OutputKind.LOGITS)
        tensor = operator.inputs[0]
    return OutputKind.LOGITS


def _rounded_otherwise(graph: Graph) -> frozenset[str]:
    """What the graph holds that LiteRT is known to round otherwise, as a note says it."""
    found = _ROUNDED_OTHERWISE & {operator.name for part in graph.subgraphs for operator in part.operators}
    wide = any(tensor.dtype == "INT16" for part in graph.subgraphs for tensor in part.tensors)
    return found | {"int16 activations"} if wide else found


def _keeps_state(graph: Graph) -> bool:
    return any(tensor.is_variable for part in graph.subgraphs for tensor in part.tensors)


def _authority() -> str:
    from importlib.metadata import version

    return f"tflite-micro {version('tflite-micro')}"


def _note(differing: int, rows: int, known: frozenset[str]) -> str:
    if known:
        return (
            f"LiteRT's reference kernels round {', '.join(sorted(known))} otherwise than tflite-micro "
            f"(seen on {differing} of {rows} sampled rows), so every row was run through tflite-micro"
        )
    if differing:
        return (
            f"LiteRT's reference kernels differ from tflite-micro on {differing} of {rows} sampled rows, "
            "so every row was run through tflite-micro"
        )
    return f"LiteRT's reference kernels gave tflite-micro's bytes on all {rows} sampled rows, drawn evenly over groups"
