"""Coarser outputs, made so on the device: operators behind the model's own that round, or keep the top class alone.

An attacker who sees no more than what the device says learns less of how sure the model was, which is what tells rows
it was trained on from others (Shokri et al. 2017, section VIII-A). One who holds the .tflite still reads the values
that these operators are given; against that one, only training helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from audit_pipeline.compress.repack import pack, repack
from audit_pipeline.errors import InputError
from audit_pipeline.policy.protection import Outputs
from audit_pipeline.tflite import Graph, read_graph

NOTE = "whoever holds the .tflite can still read the outputs as they were before"
_ROUNDED, _TOP = "rounded", "top"
"""Names of the output tensors; with the operators that make them, they say what was done to a graph."""
_ADDED = {_ROUNDED: ("QUANTIZE",), _TOP: ("ARG_MAX", "EQUAL", "SELECT_V2")}
_PROBABILITIES = frozenset({"SOFTMAX", "LOGISTIC"})
_PASSED = frozenset({"RESHAPE", "SQUEEZE", "QUANTIZE", "EXPAND_DIMS"})


def coarser(tflite: bytes, settings: Outputs) -> tuple[bytes, tuple[str, ...]]:
    """Append the operators that make outputs coarser.

    Rounding is one QUANTIZE from the output's scale to a larger one, of the same type: q' = (q − z) · s / s' + z',
    rounded by the device's own requantization. Probabilities go from 0 to 1 in `round` steps; any other output has as
    many over the whole range of its type. The top class is ARG_MAX (the first of equal ones), EQUAL and SELECT_V2.

    Args:
        tflite: of integers, as `repack` writes it.
        settings: how coarse.

    Returns:
        The .tflite, and notes for the report.

    Raises:
        InputError: `compress.no-top-class`: one output, more than one axis of them, or int16, which tflite-micro's
            ARG_MAX does not take; `compress.finer-outputs`: they are as coarse already.
    """
    from ai_edge_litert import schema_py_generated as schema

    graph = read_graph(tflite)
    made = _Appended(schema.ModelT.InitFromPackedBuf(tflite, 0), schema)
    if settings.round is not None:
        step = _round(made, graph, settings.round)
        said = f"outputs are rounded on the device to steps of {step:.6g}"
    else:
        _keep_top(made, graph)
        said = "the device gives 1 for the first of the highest classes, and 0 for every other"
    return repack(pack(made.model)), (f"{said}; {NOTE}",)


def unprotected(tflite: bytes) -> bytes:
    """A .tflite as it was before `coarser`: what whoever holds it can run. Any other comes back as it is."""
    from ai_edge_litert import schema_py_generated as schema

    graph = read_graph(tflite)
    added = _added(graph)
    if not added:
        return tflite
    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    part = model.subgraphs[0]
    first = part.operators[-len(added)]
    part.outputs, part.operators = [first.inputs[0]], part.operators[: -len(added)]
    _drop_unused(model)
    return repack(pack(model))


def _added(graph: Graph) -> tuple[str, ...]:
    """The operators at the end of a graph that `coarser` put there."""
    main = graph.main
    wanted = _ADDED.get(main.tensors[main.outputs[0]].name, ())
    last = tuple(operator.name for operator in main.operators[-len(wanted) :]) if wanted else ()
    return wanted if last == wanted else ()


def _round(made: _Appended, graph: Graph, steps: int) -> float:
    """Append the QUANTIZE; the new scale."""
    output = graph.main.tensors[graph.main.outputs[0]]
    scale, zero = output.scales[0], output.zero_points[0]
    low, high = (-128, 127) if output.dtype == "INT8" else (-32767, 32767)
    if _is_probability(graph):
        coarse, origin = 1 / steps, zero if output.dtype == "INT16" else low
    else:
        coarse = scale * (high - low) / steps
        origin = 0 if output.dtype == "INT16" else low + round((zero - low) * scale / coarse)
    if coarse <= scale:
        raise InputError(
            "compress.finer-outputs",
            f"the outputs have steps of {scale:.6g} already, and would be rounded to steps of {coarse:.6g}",
            hint="give fewer steps in quantize.outputs.round",
        )
    index = made.tensor(output.shape, output.dtype, _ROUNDED, (coarse, origin))
    made.operator("QUANTIZE", [made.output], index, made.schema.QuantizeOptionsT())
    made.ends_in(index)
    return coarse


def _keep_top(made: _Appended, graph: Graph) -> None:
    output = graph.main.tensors[graph.main.outputs[0]]
    if len(output.shape) != 2 or output.shape[1] < 2 or output.dtype != "INT8":
        raise InputError(
            "compress.no-top-class",
            f"the output is {output.dtype} of the shape {list(output.shape)}; a top class is taken of one row of "
            "several int8 scores, as tflite-micro has no other ARG_MAX",
            hint="give quantize.outputs.round, or the scheme int8",
        )
    classes, one = output.shape[1], (1.0, 0)
    axis = made.tensor((1,), "INT32", None, None, np.array([1], np.int32))
    numbers = made.tensor((1, classes), "INT32", None, None, np.arange(classes, dtype=np.int32))
    ones, zeros = (made.tensor((1, classes), "INT8", None, one, np.full(classes, each, np.int8)) for each in (1, 0))
    highest = made.tensor((1,), "INT32", "highest", None)
    same = made.tensor((1, classes), "BOOL", "same", None)
    top = made.tensor((1, classes), "INT8", _TOP, one)
    options = made.schema.ArgMaxOptionsT()
    options.outputType = made.schema.TensorType.INT32
    made.operator("ARG_MAX", [made.output, axis], highest, options)
    made.operator("EQUAL", [highest, numbers], same, made.schema.EqualOptionsT())
    made.operator("SELECT_V2", [same, ones, zeros], top, made.schema.SelectV2OptionsT())
    made.ends_in(top)


def _is_probability(graph: Graph) -> bool:
    """Whether a softmax or a sigmoid makes the output; operators that only move values are passed over."""
    tensor = graph.main.outputs[0]
    for operator in reversed(graph.main.operators):
        if tensor in operator.outputs:
            if operator.name not in _PASSED:
                return operator.name in _PROBABILITIES
            tensor = operator.inputs[0]
    return False


def _drop_unused(model: Any) -> None:
    """Take out what no operator of the main graph reads any more: tensors at its end, and kinds of operators."""
    part = model.subgraphs[0]
    used = {int(index) for each in part.operators for index in (*each.inputs, *each.outputs)}
    used |= {int(index) for index in (*part.inputs, *part.outputs)}
    while len(part.tensors) - 1 not in used:
        part.tensors.pop()
    running = {each.opcodeIndex for graph in model.subgraphs for each in graph.operators}
    while len(model.operatorCodes) - 1 not in running:
        model.operatorCodes.pop()


@dataclass(frozen=True)
class _Appended:
    """A `ModelT` of schema.fbs that tensors and operators are put at the end of."""

    model: Any
    schema: Any

    @property
    def output(self) -> int:
        """Index of the tensor that is given out."""
        return int(self.model.subgraphs[0].outputs[0])

    def tensor(
        self,
        shape: tuple[int, ...],
        dtype: str,
        name: str | None,
        quantization: tuple[float, int] | None,
        content: np.ndarray[Any, Any] | None = None,
    ) -> int:
        """Add a tensor, a constant where it has content; its index."""
        made = self.schema.TensorT()
        made.shape, made.type = list(shape), getattr(self.schema.TensorType, dtype)
        made.name = None if name is None else name.encode()
        if quantization is not None:
            made.quantization = self.schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [quantization[0]], [quantization[1]]
        buffer = self.schema.BufferT()
        buffer.data = None if content is None else np.frombuffer(content.tobytes(), np.uint8)
        made.buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        self.model.subgraphs[0].tensors.append(made)
        return len(self.model.subgraphs[0].tensors) - 1

    def operator(self, kind: str, inputs: list[int], output: int, options: Any) -> None:
        """Add an operator at the end."""
        made = self.schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = self._code(kind), inputs, [output]
        made.builtinOptions = options
        made.builtinOptionsType = getattr(self.schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.model.subgraphs[0].operators.append(made)

    def ends_in(self, tensor: int) -> None:
        """Give out this tensor, and nothing else."""
        self.model.subgraphs[0].outputs = [tensor]

    def _code(self, kind: str) -> int:
        builtin = getattr(self.schema.BuiltinOperator, kind)
        for index, code in enumerate(self.model.operatorCodes):
            if builtin == max(code.builtinCode, code.deprecatedBuiltinCode):
                return index
        code = self.schema.OperatorCodeT()
        code.builtinCode, code.version = builtin, 1
        code.deprecatedBuiltinCode = min(builtin, self.schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1
