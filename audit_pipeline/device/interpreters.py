"""The two interpreters, one row at a time: tflite-micro, the authority, and LiteRT's reference kernels.

A batch would not help: the reference kernels take the same time for a hundred rows as for a hundred times one. LiteRT
always gets its reference resolver; XNNPACK and the optimised kernels compute other integers than the device does.

A recurrent layer keeps its state from one invocation to the next, while the float model starts every row afresh. Rows
are nobody's sequel, so the state is reset before each, and firmware has to do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from audit_pipeline.device.interpreter_probe import ample_arena
from audit_pipeline.errors import InputError
from audit_pipeline.progress import Progress
from audit_pipeline.quantization import Integers, integer_type
from audit_pipeline.tflite import Graph, Tensor, read_graph

Invoke = Callable[[Integers], Integers]
"""From [1, *input_shape], for several inputs [1, total], to [units]."""

_REPORTS = 200


def tflite_micro(tflite: bytes) -> Invoke:
    """An interpreter of tflite-micro. The model must have passed `measure`: this process would crash with it.

    Raises:
        InputError: `device.not-runnable`.
    """
    from tflite_micro import runtime

    graph = read_graph(tflite)
    sources, kind = _ends(graph)
    try:
        interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=ample_arena(graph))
    except RuntimeError as error:
        raise _not_runnable("tflite-micro", error) from error

    def invoke(row: Integers) -> Integers:
        interpreter.reset()
        for number, part in enumerate(_cut(row, sources)):
            interpreter.set_input(part, number)
        interpreter.invoke()
        return np.array(interpreter.get_output(0), dtype=kind).reshape(-1)

    return invoke


def litert_reference(tflite: bytes) -> Invoke:
    """An interpreter of LiteRT with its reference kernels, no delegate, one thread.

    Raises:
        InputError: `device.not-runnable`.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    try:
        interpreter = Interpreter(
            model_content=tflite, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise _not_runnable("LiteRT", error) from error
    graph = read_graph(tflite)
    sources, kind = _ends(graph)

    def invoke(row: Integers) -> Integers:
        interpreter.reset_all_variables()
        for index, part in zip(graph.main.inputs, _cut(row, sources), strict=True):
            interpreter.set_tensor(index, part)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(graph.main.outputs[0]), dtype=kind).reshape(-1)

    return invoke


def _ends(graph: Graph) -> tuple[list[Tensor], np.dtype[np.signedinteger[Any]]]:
    """The input tensors, and the type of the output."""
    main = graph.main
    return [main.tensors[index] for index in main.inputs], integer_type(main.tensors[main.outputs[0]])


def _cut(row: Integers, sources: list[Tensor]) -> list[Integers]:
    """The row as each input takes it."""
    if len(sources) == 1:
        return [row]
    ends = np.cumsum([tensor.elements for tensor in sources])
    parts = np.split(row, ends[:-1], axis=1)
    return [
        np.ascontiguousarray(part.reshape(tensor.shape), integer_type(tensor))
        for part, tensor in zip(parts, sources, strict=True)
    ]


def run(invoke: Invoke, q: Integers, step: str, progress: Progress) -> Integers:
    """Run every row.

    Args:
        invoke: an interpreter.
        q: [rows, *input_shape], from `quantize_inputs`.
        step: name of the work, for progress.
        progress: told the share of rows that are done, at most 200 times.

    Returns:
        [rows, units].
    """
    every = max(1, len(q) // _REPORTS)
    outputs = []
    for number in range(len(q)):
        outputs.append(invoke(q[number : number + 1]))
        if (number + 1) % every == 0:
            progress(step, (number + 1) / len(q))
    progress(step, 1.0)
    return np.stack(outputs)


def _not_runnable(which: str, error: Exception) -> Any:
    return InputError(
        "device.not-runnable",
        f"{which} does not run the model ({(str(error).strip().splitlines() or ['no reason given'])[0]})",
        hint="`audit compress` names the operators it has no kernel for",
    )
