"""Signs of random projections of every window of a long series, to find those that point where a given row points.

Charikar 2002, "Similarity Estimation Techniques from Rounding Algorithms", Theorem 2: of two vectors at an angle θ a
random projection has the same sign with probability 1 − θ/π. Windows and rows that agree in all bits of one of several
tables, and in most bits of the others, are candidates; everything else is never compared. The projections are built of
a few random filters, each as long as half a row, that are run over the series once by FFT: a bit is the sign of the sum
or difference of two of them, one shifted. Every filter sums to zero in every channel, so what is added to a channel
makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

_TABLES, _BITS = 6, 20
_TABLES_A_WORD = 3
_FILTERS = 8
_BLOCK = 1 << 15
_SEED = 2002
_MOST_DIFFERING = 20
"""Bits of all tables in which a window and a row may differ: at a correlation of 0.99, 5 ± 2 do; by chance, 60."""
_FLIP = (1 << _BITS) - 1
_TOP = 1 << (_BITS - 1)


@dataclass(frozen=True)
class _Bit:
    """One projection: filter `first`, plus or minus filter `second` further on."""

    first: int
    second: int
    sign: int
    shift: int


class Sketches:
    """Tables of rows by their signs; a row and its negative are one."""

    def __init__(self, rows: Floats, channels: int) -> None:
        """Sketch the rows.

        Args:
            rows: [rows, width] each without its mean in every channel.
            channels: values that belong to one step of a row; a divisor of width.
        """
        rng = np.random.default_rng(_SEED)
        width = rows.shape[1]
        steps = width // channels
        self._width, half = width, max(2, steps // 2) * channels
        made = rng.normal(size=(_FILTERS, half // channels, channels))
        self._filters: Floats = (made - made.mean(axis=1, keepdims=True)).reshape(_FILTERS, half).astype(np.float32)
        self._bits = [[_draw(rng, steps, half // channels, channels) for _ in range(_BITS)] for _ in range(_TABLES)]
        every = [np.array([self._projection(bit, width) for bit in bits]) for bits in self._bits]
        tables = [_packed(iter(np.ascontiguousarray((rows @ projections.T).T))) for projections in every]
        self._rows = _words(tables)
        self._order, self._begins, self._taken = [], [], []
        for keys in map(_folded, tables):
            self._order.append(np.argsort(keys, kind="stable"))
            counts = np.bincount(keys, minlength=_TOP)
            self._begins.append(np.concatenate([[0], np.cumsum(counts)]))
            self._taken.append(counts > 0)

    def candidates(self, series: Floats) -> Iterator[tuple[Places, Places]]:
        """Windows of a series, by offset, and rows that may point the same or the opposite way; some pairs twice.

        Args:
            series: [n] with n at least the rows' width.
        """
        windows = len(series) - self._width + 1
        for start in range(0, windows, _BLOCK):
            count = min(_BLOCK, windows - start)
            piece = series[start : start + count + self._width - 1]
            answers = self._answers(piece)
            tables = [_packed(_combined(answers, bit, count) for bit in bits) for bits in self._bits]
            agreeing = [self._pairs(table, _folded(keys)) for table, keys in enumerate(tables)]
            place, rows = (np.concatenate(each) for each in zip(*agreeing, strict=True))
            pairs = zip(_words(tables), self._rows, strict=True)
            differing = sum((np.bitwise_count(ours[place] ^ theirs[rows]) for ours, theirs in pairs), np.uint8(0))
            near = np.flatnonzero((differing <= _MOST_DIFFERING) | (differing >= _TABLES * _BITS - _MOST_DIFFERING))
            if len(near):
                yield place[near] + start, rows[near]

    def _answers(self, piece: Floats) -> Floats:
        """[filters, offsets] every filter at every offset of a piece."""
        size = fft.next_fast_len(len(piece), real=True)
        turned = fft.rfft(self._filters, size).conj()
        return np.asarray(fft.irfft(fft.rfft(piece, size) * turned, size), dtype=np.float32)

    def _pairs(self, table: int, keys: NDArray[np.int32]) -> tuple[Places, Places]:
        """Windows and rows that agree in one table."""
        begins = self._begins[table]
        place = np.flatnonzero(self._taken[table][keys])
        keys = keys[place]
        counts = begins[keys + 1] - begins[keys]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(place, counts), self._order[table][np.repeat(begins[keys], counts) + within]

    def _projection(self, bit: _Bit, width: int) -> Floats:
        vector = np.zeros(width, dtype=np.float32)
        half = self._filters.shape[1]
        vector[:half] += self._filters[bit.first]
        vector[bit.shift : bit.shift + half] += np.float32(bit.sign) * self._filters[bit.second]
        return vector


def _draw(rng: np.random.Generator, steps: int, half: int, channels: int) -> _Bit:
    first, second = rng.choice(_FILTERS, 2, replace=False)
    shift = int(rng.integers(0, steps - half + 1)) * channels
    return _Bit(int(first), int(second), 1 if rng.integers(2) else -1, shift)


def _combined(answers: Floats, bit: _Bit, count: int) -> Floats:
    shifted = answers[bit.second, bit.shift : bit.shift + count]
    first = answers[bit.first, :count]
    return first + shifted if bit.sign > 0 else first - shifted


def _packed(values: Iterator[Floats]) -> NDArray[np.int32]:
    """The signs of several arrays as the bits of one."""
    keys = (next(values) > 0).astype(np.int32)
    for each in values:
        keys <<= 1
        keys |= each > 0
    return keys


def _words(tables: Sequence[NDArray[np.int32]]) -> list[NDArray[np.uint64]]:
    """The keys of all tables, three in a word."""
    words = []
    for first in range(0, _TABLES, _TABLES_A_WORD):
        word = np.zeros(len(tables[0]), dtype=np.uint64)
        for keys in tables[first : first + _TABLES_A_WORD]:
            word = (word << np.uint64(_BITS)) | keys.astype(np.uint64)
        words.append(word)
    return words


def _folded(keys: NDArray[np.int32]) -> NDArray[np.int32]:
    """A key or its complement, whichever has no top bit: opposite directions are one."""
    return np.where(keys & _TOP, keys ^ _FLIP, keys)
