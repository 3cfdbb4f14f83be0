"""Columns as small numbers: each value by its place in the sorted vocabulary, each combination of values by its own.

Sorting a million strings takes a second; sorting a 64-bit digest of each takes a tenth of that. The digest is only a
way to find equal values fast: the result is checked against the strings themselves, and is made by sorting them if two
different ones ever share a digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Texts = NDArray[np.str_]

_BLOCK = 1 << 19
"""Code points that are worked on at a time, so that they stay in the processor's cache."""


def number_texts(texts: Texts) -> tuple[Texts, Codes]:
    """Number a column of text.

    Returns:
        The distinct values in sorted order, and [rows] the place of each row's value among them.
    """
    if texts.dtype.itemsize == 0 or not len(texts):  # no row, or only empty strings in a column of width 0
        return np.unique(texts), np.zeros(len(texts), dtype=np.int64)
    digests = _digests(texts)
    distinct = np.unique(digests)
    found = np.searchsorted(distinct, digests)
    example = np.empty(len(distinct), dtype=np.int64)
    example[found] = np.arange(len(texts))
    values, rank = np.unique(texts[example], return_inverse=True)
    codes = np.asarray(rank, dtype=np.int64)[found]
    if _spells(values, codes, texts):
        return values, codes
    values, exact = np.unique(texts, return_inverse=True)
    return values, np.asarray(exact, dtype=np.int64)


def _digests(texts: Texts) -> NDArray[np.uint64]:
    """Multilinear digest of each text's code points; the multipliers are fixed odd numbers drawn once."""
    points = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), -1)
    multipliers = np.random.default_rng(0).integers(1 << 62, size=points.shape[1], dtype=np.uint64) * 2 + 1
    digests = np.empty(len(texts), dtype=np.uint64)
    for part in _blocks(texts):
        digests[part] = points[part] @ multipliers
    return digests


def _spells(values: Texts, codes: Codes, texts: Texts) -> bool:
    return all(bool((values[codes[part]] == texts[part]).all()) for part in _blocks(texts))


def _blocks(texts: Texts) -> Iterator[slice]:
    rows = max(4 * _BLOCK // texts.dtype.itemsize, 1)
    return (slice(start, start + rows) for start in range(0, len(texts), rows))


def number_values(values: NDArray[Any]) -> tuple[int, Codes]:
    """Number a column of finite numbers.

    Returns:
        How many are distinct, and [rows] the rank of each row's value among them.
    """
    distinct, codes = np.unique(values, return_inverse=True)
    return len(distinct), np.asarray(codes, dtype=np.int64)


def number_rows(columns: Iterable[tuple[int, Codes]], rows: int) -> tuple[int, Codes]:
    """Number the combinations of several columns that occur, in lexicographic order.

    Columns are joined one by one and renumbered before a product of sizes could overflow, so there may be any number.
    Columns that come after every row has a number of its own change nothing and are not looked at.

    Args:
        columns: for each its size and [rows] codes from 0 to below that size.
        rows: their length, for where there is no column.

    Returns:
        How many combinations occur, and [rows] the place of each row's among them.
    """
    size, codes = min(rows, 1), np.zeros(rows, dtype=np.int64)
    for width, column in columns:
        if size * width > _table(rows):
            size, codes = _renumber(size, codes)
            if size == rows:
                break
        size, codes = size * width, codes * width + column
    return _renumber(size, codes)


def _renumber(size: int, codes: Codes) -> tuple[int, Codes]:
    """Leave out the numbers that do not occur."""
    if size > _table(len(codes)):
        distinct, places = np.unique(codes, return_inverse=True)
        return len(distinct), np.asarray(places, dtype=np.int64)
    occurs = np.zeros(size, dtype=bool)
    occurs[codes] = True
    return int(occurs.sum()), (np.cumsum(occurs) - 1)[codes]


def _table(rows: int) -> int:
    """Numbers up to which a table of all of them is cheaper than sorting those that occur."""
    return max(1 << 16, 4 * rows)
