"""Short windows of bytes, hashed so that millions of them can be looked up in a file at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]

_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)
_TABLE_BITS = 24


def varied(windows: Bytes, least: int) -> NDArray[np.bool_]:
    """[windows] whether a window of [windows, size] holds at least `least` different bytes (modulo 64, so rather more).

    Constant and near-constant windows are everywhere, in data and in files, and prove nothing.
    """
    seen = np.bitwise_or.reduce(np.left_shift(np.uint64(1), (windows & 63).astype(np.uint64)), axis=1)
    return np.asarray(np.bitwise_count(seen) >= least)


def hashes(windows: Bytes) -> Hashes:
    """[windows] 64-bit hash of each window of [windows, 8 or 16] contiguous bytes."""
    words = windows.view(np.uint64)
    mixed = words[:, 0] * _FACTORS[0]
    for column in range(1, words.shape[1]):
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _FACTORS[0] + words[:, column] * _FACTORS[1]
    return np.asarray((mixed ^ (mixed >> np.uint64(32))) * _FACTORS[1])


class WindowIndex:
    """All varied windows of one size in a file, at every offset."""

    def __init__(self, blob: bytes, size: int, least: int) -> None:
        """Index a file; `size` is 8 or 16 bytes."""
        flat = np.frombuffer(blob.ljust(size, b"\0"), dtype=np.uint8)
        windows = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(flat, size))
        kept = np.flatnonzero(varied(windows, least))
        found = hashes(windows[kept])
        order = np.argsort(found, kind="stable")
        self._hashes, self._offsets = found[order], kept[order]
        self._maybe = np.zeros(1 << _TABLE_BITS, dtype=bool)
        self._maybe[self._slot(found)] = True

    def offsets_of(self, wanted: Hashes) -> NDArray[np.int64]:
        """Offsets at which one of the windows with these hashes stands, in order and each once."""
        wanted = np.unique(wanted[self._maybe[self._slot(wanted)]])
        return np.sort(self._offsets[np.isin(self._hashes, wanted)])

    @staticmethod
    def _slot(values: Hashes) -> NDArray[np.int64]:
        return (values >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)
