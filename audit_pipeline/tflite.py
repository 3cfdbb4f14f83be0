"""Reading the graph of a .tflite file: a flatbuffer, checked before any interpreter sees it.

The bytes of a .tflite travel between stages, so this reader stands beside `canonical`, not inside one stage. The
format is defined by TensorFlow Lite's schema.fbs, version 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from audit_pipeline.errors import InputError

IDENTIFIER = b"TFL3"
"""File identifier of the flatbuffer, at offset 4."""

_MAX_ELEMENTS = 1 << 28
_BITS = {
    "FLOAT32": 32, "FLOAT16": 16, "INT32": 32, "UINT8": 8, "INT64": 64, "BOOL": 8, "INT16": 16, "COMPLEX64": 64,
    "INT8": 8, "FLOAT64": 64, "COMPLEX128": 128, "UINT64": 64, "UINT32": 32, "UINT16": 16, "INT4": 4, "BFLOAT16": 16,
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """One tensor of a subgraph."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """The schema's name of the element type, as `INT8`."""
    scales: tuple[float, ...]
    """Quantization scales: none, one, or one for each slice along an axis."""
    zero_points: tuple[int, ...]
    is_constant: bool
    """Whether its values stand in the file."""
    is_variable: bool = False
    """Whether it keeps its values from one invocation to the next: the state of a recurrent layer."""

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes of its values; 0 for strings, resources and variants, which the schema gives no size."""
        return (self.elements * _BITS.get(self.dtype, 0) + 7) // 8


@dataclass(frozen=True)
class Operator:
    """One node of a subgraph."""

    name: str
    """The schema's name, as `CONV_2D`; the custom code for a custom operator."""
    inputs: tuple[int, ...]
    """Tensor indices; -1 for an optional input that is left out."""
    outputs: tuple[int, ...]
    options: Any = field(compare=False)
    """The schema's options object of the operator, or None."""


@dataclass(frozen=True)
class Subgraph:
    """Tensors and the operators over them, in the order they run."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class OperatorCode:
    """One kind of operator the file declares."""

    name: str
    builtin: int
    """Number in the schema's BuiltinOperator enumeration."""
    custom: str | None


@dataclass(frozen=True)
class Graph:
    """A whole .tflite; `subgraphs[0]` is what runs when the model is invoked."""

    codes: tuple[OperatorCode, ...]
    subgraphs: tuple[Subgraph, ...]

    @property
    def main(self) -> Subgraph:
        """The subgraph that runs when the model is invoked."""
        return self.subgraphs[0]


def read_graph(data: bytes, where: str = "model.tflite") -> Graph:
    """Read and check the graph: every index in range, every constant as long as its shape says.

    Args:
        data: the file's bytes.
        where: the file's name, for errors.

    Raises:
        InputError: `tflite.not-tflite` or `tflite.corrupt`.
    """
    if data[4:8] != IDENTIFIER:
        raise InputError(
            "tflite.not-tflite",
            f"not a .tflite file: the identifier {IDENTIFIER.decode()} is missing at offset 4",
            where=where,
        )
    try:
        return _graph(data)
    except Exception as error:  # the generated reader trusts its input and fails in any way on a damaged file
        raise InputError(
            "tflite.corrupt",
            f"the .tflite file is damaged or cut short ({error})",
            where=where,
            hint="convert or copy the model again",
        ) from error


def _graph(data: bytes) -> Graph:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(data, 0)
    codes = tuple(_code(code) for code in model.operatorCodes or ())
    if not model.subgraphs or not model.buffers:
        raise ValueError("it holds no graph")
    # Bytes that stand behind the flatbuffer are counted by their size.
    lengths = [buffer.size if buffer.data is None else len(buffer.data) for buffer in model.buffers]
    return Graph(codes, tuple(_subgraph(subgraph, codes, lengths) for subgraph in model.subgraphs))


@lru_cache(maxsize=2)
def _names(enumeration: str) -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {number: name for name, number in vars(getattr(schema, enumeration)).items() if isinstance(number, int)}


def _code(code: Any) -> OperatorCode:
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    custom = None if code.customCode is None else code.customCode.decode(errors="replace")
    name = _names("BuiltinOperator").get(builtin, f"BUILTIN_{builtin}")
    return OperatorCode(custom or name if name == "CUSTOM" else name, builtin, custom)


def _subgraph(subgraph: Any, codes: tuple[OperatorCode, ...], buffer_lengths: list[int]) -> Subgraph:
    tensors = tuple(_tensor(tensor, buffer_lengths) for tensor in _items(subgraph.tensors))
    operators = tuple(_operator(operator, codes, len(tensors)) for operator in _items(subgraph.operators))
    inputs, outputs = (_indices(ends, len(tensors), lowest=0) for ends in (subgraph.inputs, subgraph.outputs))
    return Subgraph(tensors, operators, inputs, outputs)


def _tensor(tensor: Any, buffer_lengths: list[int]) -> Tensor:
    name = (tensor.name or b"").decode(errors="replace")
    length = buffer_lengths[tensor.buffer]
    quantization = tensor.quantization
    read = Tensor(
        name=name,
        shape=tuple(int(size) for size in _items(tensor.shape)),
        dtype=_names("TensorType")[tensor.type],
        scales=tuple(float(scale) for scale in _items(quantization and quantization.scale)),
        zero_points=tuple(int(zero) for zero in _items(quantization and quantization.zeroPoint)),
        is_constant=length > 0,
        is_variable=bool(tensor.isVariable),
    )
    if any(size < 0 for size in read.shape) or read.elements > _MAX_ELEMENTS:
        raise ValueError(f"tensor {name} has the shape {list(read.shape)}")
    if read.is_constant and read.dtype in _BITS and read.size_bytes != length:
        raise ValueError(f"tensor {name} has {length} bytes where its shape needs {read.size_bytes}")
    return read


def _operator(operator: Any, codes: tuple[OperatorCode, ...], tensors: int) -> Operator:
    return Operator(
        name=codes[operator.opcodeIndex].name,
        inputs=_indices(operator.inputs, tensors, lowest=-1),
        outputs=_indices(operator.outputs, tensors, lowest=0),
        options=operator.builtinOptions,
    )


def _indices(values: Any, tensors: int, lowest: int) -> tuple[int, ...]:
    indices = tuple(int(value) for value in _items(values))
    if any(not lowest <= index < tensors for index in indices):
        raise ValueError("an operator points to a tensor that does not exist")
    return indices


def _items(values: Any) -> list[Any]:
    return [] if values is None else np.asarray(values).tolist() if isinstance(values, np.ndarray) else list(values)
