"""A column of labels, groups or subjects: its distinct values as text, and which of them each row has.

Files spell the same value in different ways (1, 1.0, "1"); here it has one spelling, so that splits agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import sha256_hex

LONGEST = 1 << 16
"""Characters of one value."""

LONGEST_SHOWN = 200
"""Characters that stand for a value: every row holds as many as the longest, and a report shows them."""

_EXACT = 2**53
"""Whole numbers up to here are exact as floats."""


@dataclass(frozen=True)
class Values:
    """A column."""

    kinds: tuple[str | None, ...]
    """The distinct values; None stands for a missing one."""
    which: NDArray[np.int64]
    """[rows] index into `kinds`."""

    @classmethod
    def of(cls, scalars: Sequence[Any], which: NDArray[np.int64]) -> Values:
        """The column whose rows have these scalars, by index; equal spellings become one.

        Raises:
            ValueError: a value that has no spelling, or one too long; says which row has it.
        """
        kinds: dict[str | None, int] = {}
        numbers = np.empty(len(scalars), dtype=np.int64)
        for index, scalar in enumerate(scalars):
            try:
                kind = spelt(scalar)
            except ValueError as error:
                rows = np.flatnonzero(which == index)
                raise ValueError(f"row {rows[0] if len(rows) else '?'} {error}") from error
            numbers[index] = kinds.setdefault(kind, len(kinds))
        return cls(kinds=tuple(kinds), which=numbers[which])

    def __len__(self) -> int:
        """Rows."""
        return len(self.which)

    def row_of(self, kind: str | None) -> int:
        """The first row that has it."""
        return int(np.flatnonzero(self.which == self.kinds.index(kind))[0])

    def texts(self, spelling: Sequence[str]) -> NDArray[np.str_]:
        """[rows] what stands for each row's value, by the index of its kind; shortened beyond 200 characters."""
        return np.asarray([_shortened(text) for text in spelling], dtype=np.str_)[self.which]


def _shortened(text: str) -> str:
    """A long text by its beginning, length and digest: still another one for another text, in every split."""
    if len(text) <= LONGEST_SHOWN:
        return text
    return f"{text[:100]}… ({len(text)} characters, SHA-256 {sha256_hex(text.encode())[:16]})"


def spelt(value: Any) -> str | None:
    """The one spelling of a value; None where it is missing (null, NaN, or an empty text).

    Raises:
        ValueError: it is neither text, number, truth value nor date, or is longer than 65,536 characters.
    """
    text = _text(value)
    if text is None or not text:
        return None
    if len(text) > LONGEST:
        raise ValueError(f"holds {len(text)} characters, more than {LONGEST}")
    return text


def _text(value: Any) -> str | None:
    if isinstance(value, np.generic) and not isinstance(value, np.floating | np.datetime64):
        value = value.item()
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half of a surrogate pair, which is not text") from None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | np.floating):
        return _number(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise ValueError("holds bytes that are not UTF-8 text") from None
    if isinstance(value, list | tuple | dict | complex):
        raise ValueError(f"holds a {type(value).__name__}, not text or a number")
    text = str(value)  # dates and times
    return None if text == "NaT" else text


def _number(value: float | np.floating[Any]) -> str | None:
    number = float(value)
    if math.isnan(number):
        return None
    return str(int(number)) if number.is_integer() and abs(number) <= _EXACT else str(value)  # str keeps 0.1 of float32
