"""Per-operator mixed quantization by ai-edge-quantizer: int8, and int16 activations where int8 is too coarse.

To lift an operator is to keep its output in 16 bits. A kernel has one type for its activations on both sides, so the
operators that read a lifted output run in int16x8 too; what they give goes back to 8 bits, unless they were lifted
themselves. An operator lifted by itself, its readers left in int8, would have its output rounded to 8 bits at once and
gain nothing; on the ECG example the outputs of no more than one row in six change at all, by rounding twice. Operators
that only move values pass them on, so their readers are lifted as well.

Weights stay int8. The model's input is int8; its output is int8 unless the operator that makes it is lifted, and then
int16: `lift` of the last operator is felt by the firmware, which must read int16.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from audit_pipeline.compress.float_graph import FloatGraph
from audit_pipeline.compress.integers import require_integers
from audit_pipeline.compress.repack import repack
from audit_pipeline.errors import InputError
from audit_pipeline.model.runtime import quiet
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.tflite import Graph, read_graph

MOVING = frozenset(
    {
        "CONCATENATION", "EXPAND_DIMS", "MAX_POOL_2D", "PAD", "RESHAPE", "SLICE", "SPLIT", "SQUEEZE", "STRIDED_SLICE",
        "TRANSPOSE",
    }
)  # fmt: skip
"""Operators that pass values on as they are."""


def mixed(source: FloatGraph, lifted: Iterable[str]) -> bytes:
    """Quantize to int8, but keep the outputs of some operators in int16.

    Args:
        source: the float graph and its ranges.
        lifted: operators by name, from `operator_names`; none gives an int8 .tflite.

    Raises:
        InputError: `compress.unknown-operator`, `compress.unconvertible`, or `compress.float-operator`: the quantizer
            has no integer form for an operator.
    """
    names = tuple(lifted)
    wide = _in_int16(source.graph, names)
    with quiet():
        tflite = repack(_quantized(source, wide))
    require_integers(read_graph(tflite), "the scheme mixed")
    return tflite


def operator_names(graph: Graph) -> tuple[str, ...]:
    """Names of the operators that can be lifted, in the order they run."""
    return tuple(graph.main.tensors[operator.outputs[0]].name for operator in graph.main.operators)


def _in_int16(graph: Graph, names: tuple[str, ...]) -> list[str]:
    """Operators that run in int16x8 for the outputs of these to stay in 16 bits."""
    known = operator_names(graph)
    for name in names:
        if name not in known:
            raise InputError(
                "compress.unknown-operator",
                f"the model has no operator {name}{did_you_mean(name, known)}",
                where="quantize.lift",
                hint=f"its operators are {', '.join(known)}",
            )
    wide = {number for number, name in enumerate(known) if name in names}
    waiting = list(wide)
    while waiting:
        outputs = set(graph.main.operators[waiting.pop()].outputs)
        for number, reader in enumerate(graph.main.operators):
            if outputs & set(reader.inputs) and number not in wide:
                wide.add(number)
                if reader.name in MOVING:
                    waiting.append(number)
    return [known[number] for number in sorted(wide)]


def _quantized(source: FloatGraph, wide: list[str]) -> bytes:
    from ai_edge_quantizer import Quantizer

    quantizer = Quantizer(source.tflite)
    quantizer.add_static_config(".*", "*", 8, 8)
    for name in wide:
        quantizer.add_static_config(f"^{re.escape(name)};", "*", 16, 8)
    ranges: dict[str, Any] = {
        name: {"min": np.array([least], np.float32), "max": np.array([greatest], np.float32)}
        for name, (least, greatest) in source.ranges.items()
    }
    try:
        made = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    except Exception as error:  # the quantizer raises ValueError, RuntimeError or KeyError, by no rule
        raise InputError(
            "compress.unconvertible",
            f"ai-edge-quantizer cannot turn the model into integers ({(str(error).splitlines() or ['no reason'])[0]})",
            hint="quantize by the scheme int8 or int16x8, or lift other operators",
        ) from error
    return bytes(made.quantized_model)
