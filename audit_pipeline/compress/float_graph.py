"""The float .tflite that mixed quantization starts from, and the ranges that its tensors take."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.convert import convert_float
from audit_pipeline.compress.names import name_constants, shorten_names
from audit_pipeline.compress.repack import pack
from audit_pipeline.model.feed import feeds
from audit_pipeline.model.runtime import quiet
from audit_pipeline.progress import Progress, silent
from audit_pipeline.tflite import Graph, read_graph


@dataclass(frozen=True)
class FloatGraph:
    """A float32 .tflite with a batch of one, whose operators bear the names of their layers."""

    tflite: bytes
    ranges: Mapping[str, tuple[float, float]]
    """Tensor name → least and greatest value over the calibration rows."""

    @property
    def graph(self) -> Graph:
        """The graph as it was read."""
        return read_graph(self.tflite)


def float_graph(model: Any, x: NDArray[np.float32], progress: Progress = silent) -> FloatGraph:
    """Convert a model to floats, and run the calibration rows through it once for the ranges.

    Args:
        model: a tf_keras model.
        x: [rows, *input_shape] finite rows.
        progress: told the share of rows that are done.

    Raises:
        InputError: `compress.unconvertible`.
    """
    tflite = _named(convert_float(model))
    ranges: dict[str, tuple[float, float]] = {}
    for number, tensors in enumerate(trace(tflite, single_rows(model, x))):
        for name, values in tensors.items():
            least, greatest = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = min(least, float(values.min())), max(greatest, float(values.max()))
        progress("calibrate", (number + 1) / len(x))
    return FloatGraph(tflite, ranges)


def trace(tflite: bytes, rows: Iterator[list[NDArray[np.float32]]]) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Run rows one by one and give every float tensor that is computed, by name.

    Args:
        tflite: a float .tflite with a batch of one.
        rows: for each row, one array [1, *shape] for each input.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")  # that keeping all tensors takes memory
        interpreter = Interpreter(
            model_content=tflite,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
        interpreter.allocate_tensors()
    main = read_graph(tflite).main
    computed = {*main.inputs, *(index for operator in main.operators for index in operator.outputs)}
    wanted = {index: main.tensors[index].name for index in computed if main.tensors[index].dtype == "FLOAT32"}
    for row in rows:
        interpreter.reset_all_variables()  # what a recurrent layer keeps of the row before
        for index, values in zip(main.inputs, row, strict=True):
            interpreter.set_tensor(index, values)
        interpreter.invoke()
        yield {name: interpreter.get_tensor(index) for index, name in sorted(wanted.items())}


def _named(tflite: bytes) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    shorten_names(model)
    name_constants(model)
    return pack(model)


def single_rows(model: Any, x: NDArray[np.float32]) -> Iterator[list[NDArray[np.float32]]]:
    """Rows one by one as the graph takes them: an array [1, *shape] for each input."""
    for number in range(len(x)):
        yield feeds(model, x[number : number + 1])
