"""Whether a file holds pieces of training rows, as the floats they are or as the integers the device reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.privacy.windows import Bytes, WindowIndex, hashes, varied
from audit_pipeline.privacy_part import BlobHit
from audit_pipeline.quantization import quantize_input
from audit_pipeline.tflite import Tensor

_SIZES = (16, 8)
_LEAST_VARIED = {16: 5, 8: 6}
"""Different bytes a window must have to count; see `varied`."""
_ROWS_AT_ONCE = 1024

Encoder = Callable[[NDArray[np.float32]], Bytes]


@dataclass(frozen=True)
class RowSearch:
    """What was found, and how much was looked for."""

    hits: tuple[BlobHit, ...]
    searched_rows: int
    """Rows with at least one window varied enough to be looked for, in some encoding."""
    encodings: tuple[str, ...]


def find_rows(blob: bytes, x: NDArray[np.float32], inputs: Sequence[Tensor]) -> RowSearch:
    """Look for pieces of rows in a file.

    A copied piece of 31 bytes or more holds a window of 16 bytes that begins at a multiple of 16 in its row, and is
    found wherever it stands in the file; rows shorter than 16 bytes are looked for by windows of 8.

    Args:
        blob: the file.
        x: [rows, ...] training rows; the values of several inputs one after the other.
        inputs: the model's inputs, int8 or int16, in order; none where they are float, and only floats are looked for.
    """
    rows = x.reshape(len(x), -1)
    encoders: dict[str, Encoder] = {"float32": _as_floats, **_as_integers(inputs)}
    hits: list[BlobHit] = []
    searched = np.zeros(len(rows), dtype=bool)
    used = []
    for name, encode in encoders.items():
        width = encode(rows[:1]).shape[1]
        size = next((size for size in _SIZES if size <= width), None)
        if size is None:
            continue
        used.append(name)
        index = WindowIndex(blob, size, _LEAST_VARIED[size])
        found = []
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            windows = _windows(encode(rows[start : start + _ROWS_AT_ONCE]), size)
            found.append(index.offsets_of(hashes(windows.reshape(-1, size))))
            _mark_searched(searched[start : start + _ROWS_AT_ONCE], windows)
        hits += _regions(np.unique(np.concatenate(found)), size, name)
    return RowSearch(tuple(hits), int(searched.sum()), tuple(used))


def _windows(encoded: Bytes, size: int) -> Bytes:
    """[rows, windows, size] windows of each row, side by side; what is left at a row's end is not looked for."""
    per_row = encoded.shape[1] // size
    return np.ascontiguousarray(encoded[:, : per_row * size]).reshape(len(encoded), per_row, size)


def _mark_searched(searched: NDArray[np.bool_], windows: Bytes) -> None:
    """Mark rows that have a varied window; column by column, since nearly every row shows one at once."""
    for column in range(windows.shape[1]):
        open_rows = np.flatnonzero(~searched)
        if not len(open_rows):
            return
        searched[open_rows] = varied(windows[open_rows, column], _LEAST_VARIED[windows.shape[2]])


def _as_floats(rows: NDArray[np.float32]) -> Bytes:
    return np.ascontiguousarray(rows, dtype="<f4").view(np.uint8)


def _as_integers(inputs: Sequence[Tensor]) -> dict[str, Encoder]:
    """The rows as the device reads them; of int8, also as the uint8 that older tools write."""
    ends = np.cumsum([tensor.elements for tensor in inputs])

    def signed(rows: NDArray[np.float32]) -> Bytes:
        parts = np.split(rows, ends[:-1], axis=1)
        held = [quantize_input(part, tensor) for part, tensor in zip(parts, inputs, strict=True)]
        return np.concatenate([part.astype(part.dtype.newbyteorder("<")).view(np.uint8) for part in held], axis=1)

    kinds = sorted({tensor.dtype.lower() for tensor in inputs})
    encoders: dict[str, Encoder] = {" and ".join(kinds): signed} if kinds else {}
    return encoders | ({"uint8": lambda rows: signed(rows) ^ np.uint8(0x80)} if kinds == ["int8"] else {})


def _regions(offsets: NDArray[np.int64], size: int, encoding: str) -> list[BlobHit]:
    """Join windows that touch or overlap: one hit for each stretch of the file."""
    if not len(offsets):
        return []
    stretches = np.split(offsets, np.flatnonzero(np.diff(offsets) > size) + 1)
    return [
        BlobHit(
            kind="training-row",
            offset=int(stretch[0]),
            detail=f"{int(stretch[-1] - stretch[0]) + size} bytes as in training rows encoded as {encoding}",
        )
        for stretch in stretches
    ]
