"""The two interpreters, one row at a time: tflite-micro, the authority, and LiteRT's reference kernels.

A batch would not help: the reference kernels take the same time for a hundred rows as for a hundred times one. LiteRT
always gets its reference resolver; XNNPACK and the optimised kernels compute other integers than the device does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.device.interpreter_probe import ample_arena
from audit_pipeline.errors import InputError
from audit_pipeline.progress import Progress
from audit_pipeline.tflite import read_graph

Invoke = Callable[[NDArray[np.int8]], NDArray[np.int8]]
"""From [1, *input_shape] to [units]."""

_REPORTS = 200


def tflite_micro(tflite: bytes) -> Invoke:
    """An interpreter of tflite-micro. The model must have passed `measure`: this process would crash with it.

    Raises:
        InputError: `device.not-runnable`.
    """
    from tflite_micro import runtime

    try:
        interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=ample_arena(read_graph(tflite)))
    except RuntimeError as error:
        raise _not_runnable("tflite-micro", error) from error

    def invoke(row: NDArray[np.int8]) -> NDArray[np.int8]:
        interpreter.set_input(row, 0)
        interpreter.invoke()
        return np.array(interpreter.get_output(0), dtype=np.int8).reshape(-1)

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
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def invoke(row: NDArray[np.int8]) -> NDArray[np.int8]:
        interpreter.set_tensor(source, row)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(result), dtype=np.int8).reshape(-1)

    return invoke


def run(invoke: Invoke, q: NDArray[np.int8], step: str, progress: Progress) -> NDArray[np.int8]:
    """Run every row.

    Args:
        invoke: an interpreter.
        q: [rows, *input_shape].
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
