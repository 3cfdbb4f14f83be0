"""A .tflite taken apart: its texts, its constants, and where the flatbuffer ends."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from audit_pipeline.privacy.opened.flatbuffer import Flatbuffer, Path, walk
from audit_pipeline.privacy.opened.naming import told
from audit_pipeline.privacy.opened.section import Constant, Region, Section
from audit_pipeline.tflite import IDENTIFIER

_TYPES = {
    0: "<f4",
    1: "<f2",
    2: "<i4",
    3: "<u1",
    4: "<i8",
    7: "<i2",
    9: "<i1",
    10: "<f8",
    12: "<u8",
    15: "<u4",
    16: "<u2",
}
"""TensorType of schema.fbs → NumPy's type, of those that hold numbers."""
_TENSOR_SHAPE, _TENSOR_TYPE, _TENSOR_BUFFER, _TENSOR_NAME = range(4)
_METADATA_BUFFER = 1
_FIRST_GRAPH = (2, 0)


def is_tflite(data: bytes) -> bool:
    """Whether bytes begin as a .tflite does."""
    return data[4:8] == IDENTIFIER


def tflite_section(name: str, data: bytes, base: int = 0) -> Section:
    """Take a .tflite apart; of a damaged one only its bytes are given.

    Args:
        name: what the section is called.
        data: the model, and whatever follows it.
        base: offset of its first byte in the file it stands in.
    """
    try:
        found = walk(data)
        if _FIRST_GRAPH not in found.tables:
            return Section(name, data, base)
        owners = dict(_owners(found))
        constants = tuple(_constants(found, owners))
    except (struct.error, IndexError, KeyError, ValueError, RecursionError):
        return Section(name, data, base)
    regions = {
        start: Region(start, start + size, said)
        for path, (start, size) in found.vectors.items()
        if size and (said := _name(path, owners)) is not None
    }
    return Section(name, data, base, tuple(sorted(regions.values())), constants, found.end)


def _name(path: Path, owners: dict[int, str]) -> str | None:
    match path:
        case (1, code, 1):
            return f"custom code of operator kind {code}"
        case (2, graph, 0, tensor, 3):
            return f"name of tensor {tensor} of graph {graph}"
        case (2, graph, 3, operator, 5):
            return f"custom options of operator {operator} of graph {graph}"
        case (2, graph, 4):
            return f"name of graph {graph}"
        case (3,):
            return "description"
        case (4, buffer, 0):
            return owners.get(buffer, f"buffer {buffer}, which no tensor uses")
        case (6, entry, 0):
            return f"name of metadata {entry}"
        case (7, signature, 2):
            return f"key of signature {signature}"
        case (7, signature, side, entry, 0):
            return f"name of {'output' if side else 'input'} {entry} of signature {signature}"
    return None


def _owners(found: Flatbuffer) -> Iterator[tuple[int, str]]:
    """What each buffer belongs to; of tensors that share one, the first."""
    for path in reversed(found.tables):
        match path:
            case (6, entry):
                yield found.number(path, _METADATA_BUFFER, "<I"), f"metadata {_text(found, path, 0, entry)}"
            case (2, _, 0, tensor):
                yield found.number(path, _TENSOR_BUFFER, "<I"), f"tensor {_text(found, path, _TENSOR_NAME, tensor)}"


def _text(found: Flatbuffer, path: Path, number: int, place: int) -> str:
    at = found.vector(path, number)
    return told(found.blob[at[0] : at[0] + at[1]] if at else b"", place)


def _constants(found: Flatbuffer, owners: dict[int, str]) -> Iterator[Constant]:
    used: set[int] = set()
    for path in found.tables:
        match path:
            case (2, _, 0, _):
                buffer = found.number(path, _TENSOR_BUFFER, "<I")
                kind = _TYPES.get(found.number(path, _TENSOR_TYPE, "<b"))
                start, size = found.vectors.get((4, buffer, 0), (0, 0))
                if kind is None or not size or buffer in used:
                    continue
                used.add(buffer)
                flat = np.frombuffer(found.blob, kind, size // np.dtype(kind).itemsize, start)
                yield Constant(owners[buffer], start, _shaped(found, path, flat))


def _shaped(found: Flatbuffer, path: Path, flat: np.ndarray) -> np.ndarray:
    at = found.vector(path, _TENSOR_SHAPE)
    shape = np.frombuffer(found.blob, "<i4", at[1], at[0]) if at else np.zeros(0, np.int32)
    return (
        flat.reshape(shape) if len(shape) and (shape > 0).all() and np.prod(shape, dtype=float) == flat.size else flat
    )
