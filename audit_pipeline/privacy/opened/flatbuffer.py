"""Everything that the root of a .tflite's flatbuffer reaches, with its place in the file.

A flatbuffer says nowhere how long it is. Its end is found by walking everything its root reaches: the tables of
TensorFlow Lite's schema.fbs as listed here by field number. Tables the list does not know (operator options) are taken
as large as anything in them could be, so an end may be found too late but never too early.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

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
_LARGEST_ELEMENT = 8

Path = tuple[int, ...]
"""The way from the root: field number, then index in the vector, and so on."""


@dataclass
class Flatbuffer:
    """What a walk through a file has found; see `walk`."""

    blob: bytes
    end: int = 0
    """Offset just behind the last byte that the root reaches."""
    vectors: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Vectors of plain elements: offset of the first, and bytes. What stands in the file once is listed once."""
    tables: dict[Path, int] = field(default_factory=dict)
    """Where every known table is, even where several ways lead to it."""
    _seen: set[int] = field(default_factory=set)

    def number(self, path: Path, number: int, layout: str) -> int:
        """A scalar field of a known table; 0 where it is left out, as the schema's defaults are here."""
        at = self._field(self.tables[path], number)
        return self._read(layout, at) if at is not None else 0

    def vector(self, path: Path, number: int) -> tuple[int, int] | None:
        """A vector's offset and length in elements, also where another table points to the same one."""
        at = self._field(self.tables[path], number)
        if at is None:
            return None
        target = self._pointed_at(at)
        return target + 4, self._read("<I", target)

    def _table(self, at: int, name: str, path: Path) -> None:
        """Follow a table. Layout: signed offset to its vtable; vtable: its size, the table's size, field offsets."""
        if name != "Unknown":
            self.tables[path] = at
        if at in self._seen:
            return
        self._seen.add(at)
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
                self._follow(at + offset, _TABLES[name][number], (*path, number))
        if name == "Buffer":
            self._outside(at, path)

    def _follow(self, at: int, kind: _Kind, path: Path) -> None:
        target = self._pointed_at(at)
        if isinstance(kind, str):
            self._table(target, kind, path)
            return
        length = self._read("<I", target)
        size = length * (4 if isinstance(kind, tuple) else kind)
        self._reach(target + 4 + size)
        if isinstance(kind, tuple):
            for index in range(length):
                self._table(self._pointed_at(target + 4 + 4 * index), kind[0], (*path, index))
        else:
            self.vectors[path] = target + 4, size

    def _suspect(self, at: int) -> None:
        """A field of unknown kind: if it can be a vector that fits into the file, it is taken for one."""
        if at + 4 > len(self.blob):
            return
        target = self._pointed_at(at)
        if target + 4 > len(self.blob):
            return
        end = target + 4 + self._read("<I", target) * _LARGEST_ELEMENT
        if end <= len(self.blob):
            self._reach(end)

    def _outside(self, at: int, path: Path) -> None:
        """A buffer of a model beyond 2 GiB lies behind the flatbuffer: fields 1 and 2 are its offset and size."""
        places = [self._field(at, number) for number in (1, 2)]
        start, size = (0 if place is None else self._read("<Q", place) for place in places)
        if start > 1:
            self._reach(start + size)
            self.vectors[(*path, 0)] = start, size

    def _field(self, at: int, number: int) -> int | None:
        vtable = at - self._read("<i", at)
        if 4 + 2 * number + 2 > self._read("<H", vtable):
            return None
        offset = self._read("<H", vtable + 4 + 2 * number)
        return at + offset if offset else None

    def _pointed_at(self, at: int) -> int:
        return at + self._read("<I", at)

    def _reach(self, end: int) -> None:
        if end > len(self.blob):
            raise IndexError(end)
        self.end = max(self.end, end)

    def _read(self, layout: str, at: int) -> int:
        if at < 0:
            raise IndexError(at)
        return int(struct.unpack_from(layout, self.blob, at)[0])


def walk(blob: bytes) -> Flatbuffer:
    """Follow everything that the model at the root of a .tflite reaches.

    Raises:
        struct.error, IndexError, RecursionError: the bytes are not a flatbuffer.
    """
    found = Flatbuffer(blob)
    found._table(found._pointed_at(0), "Model", ())
    return found
