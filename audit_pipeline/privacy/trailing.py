"""Where a .tflite's flatbuffer ends, so that what hangs behind it can be seen.

A flatbuffer says nowhere how long it is. Its end is found by walking everything its root reaches: the tables of
TensorFlow Lite's schema.fbs as listed here by field number. Tables the list does not know (operator options) are taken
as large as anything in them could be, so an end may be found too late but never too early.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from audit_pipeline.privacy_part import BlobHit

_Kind = int | str | tuple[str]
"""What a field points to: a vector (bytes an element), a table (its name), or a vector of tables (in a tuple)."""

_TABLES: dict[str, dict[int, _Kind]] = {
    "Model": {
        1: ("OperatorCode",), 2: ("SubGraph",), 3: 1, 4: ("Buffer",), 5: 4, 6: ("Metadata",), 7: ("SignatureDef",),
        8: ("Unknown",), 9: ("Unknown",),
    },
    "OperatorCode": {1: 1},
    "SubGraph": {0: ("Tensor",), 1: 4, 2: 4, 3: ("Operator",), 4: 1},
    "Tensor": {0: 4, 3: 1, 4: "Quantization", 6: "Sparsity", 7: 4, 9: ("Variant",)},
    "Quantization": {0: 4, 1: 4, 2: 4, 3: 8, 5: "Unknown"},
    "Sparsity": {0: 4, 1: 4, 2: ("Unknown",)},
    "Variant": {0: 4},
    "Operator": {1: 4, 2: 4, 4: "Unknown", 5: 1, 7: 1, 8: 4, 12: "Unknown"},
    "Buffer": {0: 1},
    "Metadata": {0: 1},
    "SignatureDef": {0: ("TensorMap",), 1: ("TensorMap",), 2: 1},
    "TensorMap": {0: 1},
}  # fmt: skip
_IDENTIFIER = b"TFL3"
_LARGEST_ELEMENT = 8
_ALIGNMENT = 64


def find_trailing(blob: bytes) -> tuple[BlobHit, ...]:
    """Bytes behind the end of the flatbuffer other than zeros that align it; nothing where the end cannot be found."""
    if blob[4:8] != _IDENTIFIER:
        return ()
    try:
        end = flatbuffer_end(blob)
    except (struct.error, IndexError, RecursionError):
        return ()
    rest = blob[end:]
    if len(rest) < _ALIGNMENT and not rest.strip(b"\0"):
        return ()
    return (BlobHit(kind="trailing-bytes", offset=end, detail=f"{len(rest)} bytes behind the end of the model"),)


def flatbuffer_end(blob: bytes) -> int:
    """Offset just behind the last byte that the model at the root of a .tflite reaches.

    Raises:
        struct.error, IndexError: the bytes are not a flatbuffer.
    """
    walk = _Walk(blob)
    walk.table(walk.pointed_at(0), "Model")
    return walk.end


@dataclass
class _Walk:
    blob: bytes
    end: int = 0
    seen: set[int] = field(default_factory=set)

    def table(self, at: int, name: str) -> None:
        """Follow a table. Layout: signed offset to its vtable; vtable: its size, the table's size, field offsets."""
        if at in self.seen:
            return
        self.seen.add(at)
        vtable = at - self._read("<i", at)
        vtable_size, table_size = self._read("<H", vtable), self._read("<H", vtable + 2)
        self._reach(vtable + vtable_size)
        self._reach(at + table_size)
        for number in range((vtable_size - 4) // 2):
            offset = self._read("<H", vtable + 4 + 2 * number)
            if not offset:
                continue
            if name == "Unknown":
                self._suspect(at + offset)
            elif number in _TABLES[name]:
                self._follow(at + offset, _TABLES[name][number])
        if name == "Buffer":
            self._outside(at, vtable, vtable_size)

    def pointed_at(self, at: int) -> int:
        """Where an offset that stands at `at` points."""
        return at + int(self._read("<I", at))

    def _follow(self, at: int, kind: _Kind) -> None:
        target = self.pointed_at(at)
        if isinstance(kind, str):
            self.table(target, kind)
            return
        length = self._read("<I", target)
        self._reach(target + 4 + length * (4 if isinstance(kind, tuple) else kind))
        if isinstance(kind, tuple):
            for index in range(length):
                self.table(self.pointed_at(target + 4 + 4 * index), kind[0])

    def _suspect(self, at: int) -> None:
        """A field of unknown kind: if it can be a vector that fits into the file, it is taken for one."""
        if at + 4 > len(self.blob):
            return
        target = self.pointed_at(at)
        if target + 4 > len(self.blob):
            return
        end = target + 4 + self._read("<I", target) * _LARGEST_ELEMENT
        if end <= len(self.blob):
            self._reach(end)

    def _outside(self, at: int, vtable: int, vtable_size: int) -> None:
        """A buffer of a model beyond 2 GiB lies behind the flatbuffer: fields 1 and 2 are its offset and size."""
        places = [self._read("<H", vtable + 4 + 2 * number) for number in (1, 2) if vtable_size >= 6 + 2 * number]
        if len(places) == 2 and all(places):
            start, size = (self._read("<Q", at + place) for place in places)
            if start > 1:
                self._reach(start + size)

    def _reach(self, end: int) -> None:
        if end > len(self.blob):
            raise IndexError(end)
        self.end = max(self.end, end)

    def _read(self, layout: str, at: int) -> int:
        return int(struct.unpack_from(layout, self.blob, at)[0])
