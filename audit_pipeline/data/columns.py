"""A split's file as named columns, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.data.values import Values
from audit_pipeline.errors import InputError
from audit_pipeline.npz import LARGEST_BYTES


class Columns(Protocol):
    """What a reader of one format gives. Its methods raise ValueError for what the file cannot give."""

    @property
    def names(self) -> tuple[str, ...]:
        """All columns (or arrays), in the file's order."""

    def numbers(self, names: Sequence[str]) -> list[NDArray[Any]]:
        """Columns of numbers, [rows, ...] each; NaN where a value is missing."""

    def values(self, name: str) -> Values:
        """A column of labels, groups or subjects."""


def _npz(raw: bytes) -> Columns:
    from audit_pipeline.data.npz import NpzColumns

    return NpzColumns(raw)


def _parquet(raw: bytes) -> Columns:
    from audit_pipeline.data.arrow import ParquetColumns

    return ParquetColumns(raw)


def _csv(raw: bytes) -> Columns:
    from audit_pipeline.data.arrow import CsvColumns

    return CsvColumns(raw)


_READERS: dict[str, Callable[[bytes], Columns]] = {".npz": _npz, ".parquet": _parquet, ".csv": _csv}


def open_columns(path: Path, where: str) -> tuple[Columns, str]:
    """Open a split's file.

    The file is read once, so that the digest is of the very bytes that were parsed.

    Args:
        path: the file; its ending tells the format.
        where: the place in the manifest that names it, for errors.

    Returns:
        Its columns and the SHA-256 of its bytes.

    Raises:
        InputError: it is missing, of no known format, too large, or not what its ending says.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            "data.format",
            f"{path.name} is of no known format",
            where=where,
            hint=f"give a file that ends in {', '.join(_READERS)}",
        )
    raw = _read(path, where)
    try:
        columns = reader(raw)
    except ValueError as error:
        raise unreadable(path, error) from error
    twice = sorted({name for name in columns.names if columns.names.count(name) > 1})
    if twice:
        raise InputError("data.duplicate-column", f"two columns are called {', '.join(twice)}", where=str(path))
    return columns, sha256_hex(raw)


def unreadable(path: Path, error: ValueError) -> InputError:
    """The error for a file whose content cannot be used."""
    return InputError("data.unreadable", str(error), where=str(path), hint="write the file again from its source")


def _read(path: Path, where: str) -> bytes:
    try:
        if path.is_dir():
            raise InputError("data.unreadable", f"{path} is a folder, not a file", where=where)
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError("data.too-large", f"{path} is larger than {LARGEST_BYTES >> 30} GiB", where=where)
        return path.read_bytes()
    except FileNotFoundError as error:
        hint = "splits are relative to the manifest; has the data been prepared?"
        raise InputError("data.not-found", f"there is no file {path}", where=where, hint=hint) from error
    except (OSError, ValueError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or error or "not enough memory"
        raise InputError("data.unreadable", f"{path} cannot be read: {reason}", where=where) from error
