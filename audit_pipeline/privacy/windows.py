"""Short windows of bytes, hashed by rolling so that millions of them can be looked up in a file at once.

Rabin and Karp 1987: the polynomial Σ e[i + j]·Bʲ over a window, modulo 2⁶⁴, at every offset i; a match of hashes is
then compared byte by byte. The polynomial of 2n elements is that of n plus Bⁿ times that of the next n, so all
windows of 16 elements take four passes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15
_FACTOR = np.uint64(0xC2B2AE3D27D4EB4F)
_WORD = (1 << 64) - 1
_FEWEST_BITS, _MOST_BITS = 15, 27
_SLOTS_A_HASH = 16
_OF_A_BYTE, _IN_A_BYTE = np.uint64(3), np.uint64(7)
_BEFORE = np.uint64(_MOST_BITS)
"""The second table takes the bits behind those that the first may take."""


def varied(flat: Bytes, size: int, least: int) -> NDArray[np.bool_]:
    """[..., n - size + 1] whether the window at each offset of [..., n] holds at least `least` different bytes.

    Bytes are told apart modulo 64, so rather more are asked for. Constant and near-constant windows are everywhere, in
    data and in files, and prove nothing. `size` is a power of two.
    """
    seen = np.left_shift(np.uint64(1), (flat & 63).astype(np.uint64))
    reach = 1
    while reach < size:
        seen = seen[..., :-reach] | seen[..., reach:]
        reach *= 2
    return np.asarray(np.bitwise_count(seen) >= least)


def hashes(elements: NDArray[np.unsignedinteger[Any]], count: int) -> Hashes:
    """[..., n - count + 1] 64-bit hash of the window at each offset of [..., n]; `count` is a power of two."""
    rolled = elements.astype(np.uint64)
    reach = 1
    while reach < count:
        rolled = rolled[..., :-reach] + rolled[..., reach:] * np.uint64(pow(_BASE, reach, 1 << 64) & _WORD)
        reach *= 2
    rolled ^= rolled >> np.uint64(32)
    rolled *= _FACTOR
    return rolled


class WindowIndex:
    """All varied windows of one size in a file, at every offset, and those of the rows that may be among them."""

    def __init__(self, flat: Bytes, size: int, width: int, least: int) -> None:
        """Index a file.

        Args:
            flat: [bytes] of the file.
            size: bytes a window; a power of two.
            width: bytes an element of the rows: 1, 2 or 4.
            least: see `varied`.
        """
        self._flat, self._size, self._width = flat, size, width
        self._offsets = np.flatnonzero(varied(flat, size, least)) if len(flat) >= size else np.zeros(0, dtype=np.int64)
        self._hashes = self._of_file()[self._offsets] if len(self._offsets) else np.zeros(0, dtype=np.uint64)
        self._maybe = _Table(self._hashes), _Table(self._hashes << _BEFORE)
        self._wanted: list[tuple[Hashes, Bytes]] = []

    def look_for(self, rows: NDArray[np.unsignedinteger[Any]], wanted: Hashes, step: int) -> None:
        """Remember the windows of rows that the file may hold.

        Args:
            rows: [rows, elements] of `width` bytes.
            wanted: [rows, windows] their `hashes`, of every `step`-th window.
            step: from one window to the next.
        """
        flat = wanted.ravel()
        place = np.flatnonzero(self._maybe[0].holds(flat))
        place = place[self._maybe[1].holds(flat[place] << _BEFORE)]
        row, column = np.divmod(place, wanted.shape[1])
        held = np.ascontiguousarray(rows[row[:, None], column[:, None] * step + np.arange(self._size // self._width)])
        self._wanted.append((flat[place], held.view(np.uint8).reshape(-1, self._size)))

    def offsets(self) -> NDArray[np.int64]:
        """Offsets at which a window of one of the rows stands, in order and each once."""
        wanted = np.concatenate([found for found, _ in self._wanted] or [np.zeros(0, dtype=np.uint64)])
        wanted, first = np.unique(wanted, return_index=True)
        if not len(wanted):
            return np.zeros(0, dtype=np.int64)
        held = np.concatenate([windows for _, windows in self._wanted])[first]
        near = np.flatnonzero(_Table(wanted).holds(self._hashes))
        place = np.minimum(np.searchsorted(wanted, self._hashes[near]), len(wanted) - 1)
        stands = self._flat[self._offsets[near][:, None] + np.arange(self._size)]
        return np.asarray(self._offsets[near[(held[place] == stands).all(axis=1)]])

    def _of_file(self) -> Hashes:
        """[offsets] hashes at every byte, for elements of several bytes from each byte that one can begin at."""
        found = np.zeros(len(self._flat) - self._size + 1, dtype=np.uint64)
        for shift in range(min(self._width, len(found))):
            whole = (len(self._flat) - shift) // self._width * self._width
            elements = self._flat[shift : shift + whole].view(f"<u{self._width}")
            found[shift :: self._width] = hashes(elements, self._size // self._width)
        return found


class _Table:
    """Which first bits occur among hashes: what is not there need not be looked up (Bloom 1970, with one function)."""

    def __init__(self, found: Hashes) -> None:
        """Enter hashes, with room for sixteen times as many as far as memory is near."""
        bits = min(max(_FEWEST_BITS, (len(found) * _SLOTS_A_HASH).bit_length()), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        slots = np.zeros(1 << bits, dtype=bool)
        slots[found >> self._shift] = True
        self._slots = np.packbits(slots, bitorder="little")

    def holds(self, wanted: Hashes) -> NDArray[np.bool_]:
        """Whether each may be there."""
        place = wanted >> self._shift
        held = self._slots[place >> _OF_A_BYTE] >> (place & _IN_A_BYTE).astype(np.uint8)
        return np.asarray(held & np.uint8(1), dtype=bool)
