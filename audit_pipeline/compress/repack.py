"""One form for equal models: the converter's flatbuffer, written again in an order that depends on the graph alone.

The converter numbers and merges constant buffers in an order that depends on how many functions TensorFlow has traced
in the process before, so the second conversion of an LSTM differs from the first. Here every constant is stored once,
in the order in which the tensors that use it stand in the graph.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np

from audit_pipeline.tflite import IDENTIFIER

_ALIGNMENT = 16
"""Bytes; `force_align` of Buffer.data in schema.fbs. Firmware reads int32 biases in place and relies on it."""


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Writes byte vectors aligned, which the generated Python code leaves out."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802, N803
        return super().StartVector(elemSize, numElems, _ALIGNMENT if elemSize == 1 else alignment)


def repack(tflite: bytes) -> bytes:
    """Write a .tflite again so that equal graphs with equal weights give equal bytes."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    model.buffers = _renumber(model, schema.BufferT)
    builder = _Builder(len(tflite))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _renumber(model: Any, buffer_type: Any) -> list[Any]:
    """Point every tensor and metadata entry to its bytes in a new list; buffer 0 is empty by convention."""
    numbers = {b"": 0}
    for owner in [*(tensor for part in model.subgraphs for tensor in part.tensors), *(model.metadata or [])]:
        data = model.buffers[owner.buffer].data
        content = b"" if data is None else bytes(data)
        owner.buffer = numbers.setdefault(content, len(numbers))
    buffers = []
    for content in numbers:
        buffer = buffer_type()
        buffer.data = np.frombuffer(content, np.uint8) if content else None
        buffers.append(buffer)
    return buffers
