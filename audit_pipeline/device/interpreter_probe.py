"""A child process that tries a model in tflite-micro: what it lacks, and the arena it needs.

Run as `python -m audit_pipeline.device.interpreter_probe`, model on stdin, JSON on stdout. It is a process of its own
because tflite-micro checks next to nothing: an arena too small for its own bookkeeping, or a graph that was tampered
with, ends in a segmentation fault, which must not take the audit with it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any

import flatbuffers

from audit_pipeline.tflite import IDENTIFIER, Graph, OperatorCode, read_graph

_ALIGNMENT = 16
"""Bytes that tflite-micro's allocator rounds to; an arena is a multiple of it."""

_UNKNOWN = 127
"""BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES: no interpreter has a kernel for it."""

_SCRATCH_FACTOR = 8
_SPARE = 1 << 20


def ample_arena(graph: Graph) -> int:
    """Bytes that are certainly enough: eight times all activations, no memory shared, and 1 MiB for bookkeeping."""
    activations = sum(t.size_bytes for part in graph.subgraphs for t in part.tensors if not t.is_constant)
    return _SCRATCH_FACTOR * activations + _SPARE


def missing_operators(codes: tuple[OperatorCode, ...]) -> list[str]:
    """Names of the operators that tflite-micro's resolver does not find.

    Each is tried as the first of two operators whose second no resolver knows. tflite-micro looks up all kernels before
    it prepares one, and names the first it misses: if that is the second, it found the first.
    """
    return [code.name for code in codes if not _is_found(code)]


def _is_found(code: OperatorCode) -> bool:
    from tflite_micro import runtime

    complaint = _Complaint()
    with complaint:
        try:
            runtime.Interpreter(_two_operators(code), [], _SPARE)
        except RuntimeError:
            pass
        except AttributeError:  # the wrapper reads VAR_HANDLE's options, which are left out here, before the resolver
            return True
    return "PLACEHOLDER_FOR_GREATER_OP_CODES" in complaint.text


def _two_operators(code: OperatorCode) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    def operator_code(builtin: int, custom: str | None) -> Any:
        made = schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = builtin, min(builtin, _UNKNOWN), 1
        made.customCode = custom
        return made

    def operator(index: int) -> Any:
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = index, [0], [0]
        return made

    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.name = [1, 1], schema.TensorType.INT8, "t"
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs = [tensor], [0], [0]
    graph.operators = [operator(0), operator(1)]
    model = schema.ModelT()
    model.version, model.buffers, model.subgraphs = 3, [schema.BufferT()], [graph]
    model.operatorCodes = [operator_code(code.builtin, code.custom), operator_code(_UNKNOWN, None)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _Complaint:
    """Collects what tflite-micro writes to file descriptor 2, its only way to say what is wrong."""

    text = ""

    def __enter__(self) -> None:
        self._stderr, self._file = os.dup(2), tempfile.TemporaryFile()
        os.dup2(self._file.fileno(), 2)

    def __exit__(self, *_: object) -> None:
        os.dup2(self._stderr, 2)
        os.close(self._stderr)
        self._file.seek(0)
        self.text = self._file.read().decode(errors="replace")
        self._file.close()


def smallest_arena(model: bytes, ample: int) -> int | None:
    """Fewest bytes that tflite-micro allocates the model in and runs it with.

    Searched by halving between what its allocator reports, which planning may exceed, and what is ample. The answer
    was seen to work, and 16 bytes less was seen to fail.

    Returns:
        Bytes, a multiple of 16; None where it does not run even in an ample arena.
    """
    reported = _reported(model, ample)
    if reported is None:
        return None
    low, high = reported - _ALIGNMENT, ample - ample % _ALIGNMENT
    if _runs(model, low):
        low, high = 0, low
    while high - low > _ALIGNMENT:
        middle = (low + high) // 2 // _ALIGNMENT * _ALIGNMENT
        low, high = (low, middle) if _runs(model, middle) else (middle, high)
    return high


def _reported(model: bytes, arena: int) -> int | None:
    """The total that tflite-micro's recording allocator reports after a run."""
    complaint = _Complaint()
    try:
        interpreter = _interpreter(model, arena)
        interpreter.invoke()
        with complaint:
            interpreter.print_allocations()
    except RuntimeError:
        return None
    total = complaint.text.split("Arena allocation total ", 1)[1].split(" ", 1)[0]
    return (int(total) + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT


def _runs(model: bytes, arena: int) -> bool:
    """Whether it allocates and runs, tried in a fork: kernels write through the null pointer of a failed allocation."""
    child = os.fork()
    if child == 0:
        code = 1
        with _Complaint():
            try:
                _interpreter(model, arena).invoke()
                code = 0
            finally:
                os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _interpreter(model: bytes, arena: int) -> Any:
    from tflite_micro import runtime

    return runtime.Interpreter.from_bytes(model, arena_size=arena)


def main() -> None:
    """Answer for the model on stdin."""
    model = sys.stdin.buffer.read()
    graph = read_graph(model)
    missing = missing_operators(graph.codes)
    arena = None if missing else smallest_arena(model, ample_arena(graph))
    json.dump({"missing": missing, "arena_bytes": arena}, sys.stdout)


if __name__ == "__main__":
    main()
