"""Parquet and CSV, through Apache Arrow."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import BytesIO, TextIOWrapper
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from audit_pipeline.data.values import Values
from audit_pipeline.npz import LARGEST_BYTES

_BROKEN = (pa.ArrowException, OSError, MemoryError, OverflowError)


class ParquetColumns:
    """The columns of a Parquet file."""

    def __init__(self, raw: bytes) -> None:
        """Open a file.

        Args:
            raw: its bytes.

        Raises:
            ValueError: they are not Parquet.
        """
        try:
            self._file = pa.parquet.ParquetFile(pa.BufferReader(raw))
            self.names: tuple[str, ...] = tuple(self._file.schema_arrow.names)
        except _BROKEN as error:
            raise ValueError(f"not a Parquet file: {_first_line(error)}") from error

    def numbers(self, names: Sequence[str]) -> list[NDArray[Any]]:
        """Columns of numbers, [rows] each; NaN where a value is null.

        Raises:
            ValueError: a column is damaged, or holds no real numbers.
        """
        if self._file.metadata.num_rows * len(names) * 8 > LARGEST_BYTES:
            raise ValueError(f"the features are larger than {LARGEST_BYTES >> 30} GiB")
        table = self._read(names)
        for name in names:
            kind = table[name].type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
                raise ValueError(f"column {name} holds {kind}, not numbers")
        return [_floats(table[name]) for name in names]

    def values(self, name: str) -> Values:
        """A column of text, numbers or dates.

        Raises:
            ValueError: it is damaged, or holds anything else.
        """
        return _values(name, self._read([name])[name])

    def _read(self, names: Sequence[str]) -> Any:
        try:
            return self._file.read(columns=list(names), use_threads=False)
        except _BROKEN as error:
            raise ValueError(f"damaged: {_first_line(error)}") from error


class CsvColumns:
    """The columns of a CSV file: UTF-8, commas, names in the first line.

    Only features are read as numbers. Everything else keeps its text: subject 007 is not subject 7.
    """

    def __init__(self, raw: bytes) -> None:
        """Open a file.

        Args:
            raw: its bytes.

        Raises:
            ValueError: they are not CSV.
        """
        self._raw = raw
        try:
            heading = next(csv.reader(TextIOWrapper(BytesIO(raw), encoding="utf-8-sig", newline="")), [])
        except (csv.Error, UnicodeDecodeError) as error:
            reason = "its text is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
            raise ValueError(f"not a CSV file: {reason}") from error
        if not heading:
            raise ValueError("not a CSV file: its first line names no column")
        self.names: tuple[str, ...] = tuple(heading)

    def numbers(self, names: Sequence[str]) -> list[NDArray[Any]]:
        """Columns of numbers, [rows] each; NaN where a cell is empty.

        Raises:
            ValueError: a cell holds no number.
        """
        table = self._read(names, pa.float64())
        return [_floats(table[name]) for name in names]

    def values(self, name: str) -> Values:
        """A column as it is written.

        Raises:
            ValueError: it is not UTF-8, or a cell is too long.
        """
        return _values(name, self._read([name], pa.string())[name])

    def _read(self, names: Sequence[str], kind: Any) -> Any:
        options = pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, kind),
            include_columns=list(names),
            null_values=[""],
            strings_can_be_null=True,
        )
        single = pa.csv.ReadOptions(use_threads=False)  # only then are rows numbered in errors
        quoted = pa.csv.ParseOptions(newlines_in_values=True)
        try:
            return pa.csv.read_csv(
                pa.BufferReader(self._raw), read_options=single, parse_options=quoted, convert_options=options
            )
        except _BROKEN as error:
            raise ValueError(_first_line(error)) from error


def _floats(column: Any) -> NDArray[Any]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    return np.asarray(column.to_numpy())


def _values(name: str, column: Any) -> Values:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    except _BROKEN as error:
        raise ValueError(f"column {name} holds {column.type}, not text or numbers") from error
    if isinstance(encoded, pa.ChunkedArray):  # an empty one stays in chunks
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    which = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    try:
        return Values.of(encoded.dictionary.to_pylist(), which)
    except ValueError as error:
        raise ValueError(f"column {name}: {error}") from error


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
