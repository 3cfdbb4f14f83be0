"""Whether a file holds pieces of training rows, as the floats they are or as the integers the device reads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.privacy.opened.section import Section
from audit_pipeline.privacy.windows import WindowIndex, hashes, varied
from audit_pipeline.privacy_part import BlobHit
from audit_pipeline.quantization import quantize_input
from audit_pipeline.tflite import Tensor

_SIZES = (16, 8)
_LEAST_VARIED = {16: 5, 8: 6}
"""Different bytes a window must have to count; see `varied`."""
_STEP = {1: 4, 2: 2, 4: 2}
"""Bytes a value → values from one window of a row to the next; in the file windows begin at every byte."""
_ROWS_AT_ONCE = 512
_GAP = bytes(64)
_SIGN = np.uint8(0x80)

Elements = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class RowSearch:
    """What was found, and how much was looked for."""

    hits: tuple[BlobHit, ...]
    searched_rows: int
    """Rows with at least one window varied enough to be looked for, in some encoding."""
    encodings: tuple[str, ...]


@dataclass(frozen=True)
class _Encoding:
    """One way to write rows, and the names of the files in which that is looked for: the file, or it with signs off."""

    encode: Callable[[NDArray[np.float32]], Elements]
    """[rows, values] → the same as unsigned integers of as many bytes as a value takes."""
    names: tuple[str, ...]
    signs: tuple[bool, ...]
    """For each name whether the top bit of every byte of the file is turned over first: uint8 is int8 so."""


def find_rows(sections: Sequence[Section], x: NDArray[np.float32], inputs: Sequence[Tensor]) -> RowSearch:
    """Look for pieces of rows in a file.

    Any piece of 19 bytes, or of five floats, that is varied enough is found wherever it stands in the file and wherever
    it begins in its row, values in their order or channel by channel: it holds a window of 16 bytes that is looked for.
    Rows shorter than 16 bytes are looked for by windows of 8.

    Args:
        sections: the file, taken apart.
        x: [rows, ...] training rows; the values of several inputs one after the other.
        inputs: the model's inputs, int8 or int16, in order; none where they are float, and then floats are looked for,
            and uint8 where the rows are whole numbers from 0 to 255 or fractions of 1.
    """
    joined = _Joined(sections)
    hits: list[BlobHit] = []
    searched = np.zeros(len(x), dtype=bool)
    used: list[str] = []
    for encoding in _encodings(x, inputs):
        width = encoding.encode(x[:1].reshape(1, -1)).dtype.itemsize
        size = next((size for size in _SIZES if size <= x[:1].size * width), None)
        if size is None:
            continue
        used += encoding.names
        files = [joined.flat ^ _SIGN if turned else joined.flat for turned in encoding.signs]
        indices = [WindowIndex(flat, size, width, _LEAST_VARIED[size]) for flat in files]
        for start in range(0, len(x), _ROWS_AT_ONCE):
            rows = x[start : start + _ROWS_AT_ONCE]
            for order in _orders(rows):
                elements = encoding.encode(order)
                wanted = hashes(elements, size // width)[:, :: _STEP[width]]
                for index in indices:
                    index.look_for(elements, wanted, _STEP[width])
            _mark_searched(searched[start : start + _ROWS_AT_ONCE], elements, size)
        for name, index in zip(encoding.names, indices, strict=True):
            hits += joined.regions(index.offsets(), size, name)
    return RowSearch(tuple(hits), int(searched.sum()), tuple(used))


def _orders(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """[rows, values] as they stand, and where they have several channels channel by channel."""
    yield rows.reshape(len(rows), -1)
    if rows.ndim > 2 and rows.shape[-1] > 1 and rows[:1].size > rows.shape[-1]:
        yield np.moveaxis(rows, -1, 1).reshape(len(rows), -1)


def _mark_searched(searched: NDArray[np.bool_], elements: Elements, size: int) -> None:
    """Mark rows that have a varied window; window by window, since nearly every row shows one at once."""
    flat = np.ascontiguousarray(elements).view(np.uint8)
    for start in range(0, flat.shape[1] - size + 1, size):
        open_rows = np.flatnonzero(~searched)
        if not len(open_rows):
            return
        searched[open_rows] = varied(flat[open_rows, start : start + size], size, _LEAST_VARIED[size])[:, 0]


def _encodings(x: NDArray[np.float32], inputs: Sequence[Tensor]) -> Iterator[_Encoding]:
    yield _Encoding(_as_floats, ("float32",), (False,))
    kinds = sorted({tensor.dtype.lower() for tensor in inputs})
    if kinds == ["int8"]:
        yield _Encoding(_as_device(inputs, np.dtype("<u1")), ("int8", "uint8"), (False, True))
    elif kinds == ["int16"]:
        yield _Encoding(_as_device(inputs, np.dtype("<u2")), ("int16",), (False,))
    elif kinds:
        yield _Encoding(_as_device(inputs, np.dtype("<u1")), (" and ".join(kinds),), (False,))
    else:
        yield from _as_bytes(x)


def _as_floats(rows: NDArray[np.float32]) -> Elements:
    return np.ascontiguousarray(rows, dtype="<f4").view("<u4")


def _as_bytes(x: NDArray[np.float32]) -> Iterator[_Encoding]:
    """Rows that were bytes before: whole numbers from 0 to 255, or fractions of 1."""
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 255 or low == high:
        return
    factor = np.float32(255 if high <= 1 else 1)
    if factor == 255 or bool((x == np.rint(x)).all()):
        yield _Encoding(lambda rows: np.rint(rows * factor).astype(np.uint8), ("uint8",), (False,))


def _as_device(inputs: Sequence[Tensor], kind: np.dtype[Any]) -> Callable[[NDArray[np.float32]], Elements]:
    """The rows as the device reads them, in the order of the inputs or, of one input, in any."""
    ends = np.cumsum([tensor.elements for tensor in inputs])

    def encode(rows: NDArray[np.float32]) -> Elements:
        parts = np.split(rows, ends[:-1], axis=1)
        held = [quantize_input(part, tensor) for part, tensor in zip(parts, inputs, strict=True)]
        return np.concatenate(
            [np.ascontiguousarray(part.astype(part.dtype.newbyteorder("<"))).view(kind) for part in held], axis=1
        )

    return encode


class _Joined:
    """All sections as one stretch of bytes, so that rows are hashed once for all of them."""

    def __init__(self, sections: Sequence[Section]) -> None:
        """Join sections with a gap between, so that no window is of two."""
        self._sections = sections
        self.flat = np.frombuffer(_GAP.join(section.data for section in sections), dtype=np.uint8)
        sizes = [len(section.data) + len(_GAP) for section in sections]
        self._starts = [0, *np.cumsum(sizes)[:-1].tolist()]

    def regions(self, offsets: NDArray[np.int64], size: int, encoding: str) -> list[BlobHit]:
        """Join windows that touch or overlap: one hit for each stretch of the file."""
        if not len(offsets):
            return []
        stretches = np.split(offsets, np.flatnonzero(np.diff(offsets) > size) + 1)
        return [self._hit(int(stretch[0]), int(stretch[-1] - stretch[0]) + size, encoding) for stretch in stretches]

    def _hit(self, offset: int, length: int, encoding: str) -> BlobHit:
        place = bisect_right(self._starts, offset) - 1
        section, inside = self._sections[place], offset - self._starts[place]
        return BlobHit(
            kind="training-row",
            offset=section.base + inside,
            detail=f"{length} bytes as in training rows encoded as {encoding}",
            where=section.where(inside),
        )
