"""One small form for equal models: the converter's flatbuffer, written again from the graph alone.

The converter numbers and merges constant buffers in an order that depends on how many functions TensorFlow has traced
in the process before, so the second conversion of an LSTM differs from the first. Here every constant is stored once,
in the order in which the tensors that use it stand in the graph; vectors and tables with equal content are stored once
too, operators bear the names of their layers (`names`), and what the device never reads is left out (`slim`).
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np

from audit_pipeline.compress.names import shorten_names
from audit_pipeline.compress.slim import slim
from audit_pipeline.tflite import IDENTIFIER

_ALIGNMENT = 16
"""Bytes; `force_align` of Buffer.data in schema.fbs. Firmware reads int32 biases in place and relies on it."""


_NO_OFFSET = 1
"""Up to this, Buffer.offset in schema.fbs means that there is none."""


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Writes byte vectors aligned, which the generated Python code leaves out, and equal vectors of numbers once."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._vectors: dict[tuple[int, int, bytes], int] = {}

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802, N803
        self._before = self.Offset()
        self._holds_offsets = False
        self._kind = elemSize, _ALIGNMENT if elemSize == 1 else alignment
        return super().StartVector(elemSize, numElems, self._kind[1])

    def PrependUOffsetTRelative(self, off: int) -> None:  # noqa: N802
        self._holds_offsets = True
        super().PrependUOffsetTRelative(off)

    def EndVector(self, *arguments: Any) -> Any:  # noqa: N802
        before, alignment = self._before, self._kind[1]
        offset = super().EndVector(*arguments)
        if self._holds_offsets:
            return offset
        # The length prefix in front says where the content ends, so padding behind it does not make two of one.
        length = 4 + int.from_bytes(self.Bytes[self.Head() : self.Head() + 4], "little") * self._kind[0]
        known = self._vectors.setdefault((self._kind[0], alignment, bytes(self.Bytes[self.Head() :][:length])), offset)
        if known != offset:
            self.head = len(self.Bytes) - before
        return known


class _Shared:
    """A table that several others point to: packed when the first of them is."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._offset: int | None = None

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802
        if self._offset is None:
            self._offset = int(self._table.Pack(builder))
        return self._offset


def repack(tflite: bytes) -> bytes:
    """Write a .tflite again, small, so that equal graphs with equal weights give equal bytes.

    Outputs stay the same to the bit, and so does the order of tensors, operators, inputs and outputs.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    shorten_names(model)
    slim(model)
    model.buffers = _renumber(model, tflite, schema.BufferT)
    _share_tables(model)
    return pack(model)


def pack(model: Any) -> bytes:
    """A `ModelT` of schema.fbs as bytes."""
    builder = _Builder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _renumber(model: Any, tflite: bytes, buffer_type: Any) -> list[Any]:
    """Point every tensor to its bytes in a new list; buffer 0 is empty by convention."""
    numbers = {b"": 0}
    for tensor in (tensor for part in model.subgraphs for tensor in part.tensors):
        content = _content(model.buffers[tensor.buffer], tflite)
        tensor.buffer = numbers.setdefault(content, len(numbers))
    buffers = []
    for content in numbers:
        buffer = buffer_type()
        buffer.data = np.frombuffer(content, np.uint8) if content else None
        buffers.append(buffer)
    return buffers


def _content(buffer: Any, tflite: bytes) -> bytes:
    """A buffer's bytes, which of large models stand behind the flatbuffer, where tflite-micro does not look."""
    if buffer.offset > _NO_OFFSET:
        return tflite[buffer.offset : buffer.offset + buffer.size]
    return b"" if buffer.data is None else bytes(buffer.data)


def _share_tables(model: Any) -> None:
    """Let equal quantization parameters, and equal options of operators, be one table."""
    tables: dict[bytes, _Shared] = {}
    for part in model.subgraphs:
        for tensor in part.tensors:
            tensor.quantization = _shared(tensor.quantization, tables)
        for operator in part.operators:
            operator.builtinOptions = _shared(operator.builtinOptions, tables)


def _shared(table: Any, tables: dict[bytes, _Shared]) -> _Shared | None:
    if table is None:
        return None
    alone = flatbuffers.Builder(256)
    alone.Finish(table.Pack(alone))
    return tables.setdefault(type(table).__name__.encode() + bytes(alone.Output()), _Shared(table))
