"""Cells as a .npz file, so that machines which each counted a part of a data set can exchange what they counted.

Names of people and groups stand in it as JSON, because the file is read without pickle and without trusting it: what
is not a set of cells is refused.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.cells import Cells, collapse
from audit_pipeline.measurement import Part
from audit_pipeline.npz import NpzArrays

_NAMES = "names"
_GROUP = "group:"
_CODES = ("person", "true", "before", "after", "rows")
_NUMBERS = ("target", "before_scores", "after_scores")
_MOST_ROWS = 2**53  # counts are added up in float64
_ALWAYS = ("person", "true", "after", "rows")


class _Names(Part):
    """What the numbers in the arrays stand for."""

    classes: tuple[str, ...]
    people: tuple[str, ...] | None
    values: dict[str, tuple[str, ...]]


def cells_to_npz(cells: Cells) -> bytes:
    """The bytes of a .npz file."""
    names = _Names(classes=cells.classes, people=cells.people, values=dict(cells.values))
    text = canonical_json(names.model_dump())
    arrays: dict[str, NDArray[Any]] = {_NAMES: np.frombuffer(text, dtype=np.uint8)}
    for name in (*_CODES, *_NUMBERS):
        if (array := getattr(cells, name)) is not None:
            arrays[name] = array
    arrays |= {_GROUP + column: codes for column, codes in cells.groups.items()}
    stream = BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def cells_from_npz(raw: bytes, where: str) -> Cells:
    """Read what `cells_to_npz` gave.

    Args:
        raw: the file's bytes.
        where: the file's name, for errors.

    Raises:
        InputError: they are anything else.
    """
    try:
        return _cells(NpzArrays(raw))
    except (ValueError, KeyError) as error:
        what = "its names cannot be read" if isinstance(error, ValidationError) else str(error)
        what = f"array {what} is missing" if isinstance(error, KeyError) else what
        raise InputError(
            "evaluate.cells-damaged",
            f"not a file of counted cells: {what}",
            where=where,
            hint="count this part of the data set again",
        ) from error


def _cells(columns: NpzArrays) -> Cells:
    arrays = dict(zip(columns.names, columns.numbers(columns.names), strict=True))
    names = _Names.model_validate_json(arrays.pop(_NAMES).tobytes())
    groups = {column: arrays.pop(_GROUP + column) for column in sorted(names.values)}
    if unknown := set(arrays) - {*_CODES, *_NUMBERS} or set(_ALWAYS) - set(arrays):
        raise ValueError(f"array {min(unknown)} is unknown or missing")
    cells = Cells(
        classes=names.classes,
        people=names.people,
        values={column: names.values[column] for column in groups},
        groups=groups,
        **{name: arrays.get(name) for name in (*_CODES, *_NUMBERS)},  # type: ignore[arg-type]
    )
    _check(cells)
    return collapse(cells)


def _check(cells: Cells) -> None:
    """Refuse arrays that are no cells: numbers without a name, names without a number, other lengths or types."""
    labels = [codes for codes in (cells.true, cells.before, cells.after) if codes is not None]
    for codes in (cells.rows, cells.person, *cells.groups.values(), *labels):
        if codes.dtype != np.int64 or codes.shape != (len(cells.rows),) or (codes < 0).any():
            raise ValueError("a column is not one whole number for each cell")
    vocabularies = [(cells.person, cells.people), *((cells.groups[c], cells.values[c]) for c in cells.values)]
    for codes, names in vocabularies:
        if names is not None and not (
            list(names) == sorted(set(names)) and np.array_equal(np.unique(codes), np.arange(len(names)))
        ):
            raise ValueError("its numbers and names do not belong together")
    if any((codes >= max(len(cells.classes), 1)).any() for codes in labels) or (
        cells.people is None and cells.person.any()
    ):
        raise ValueError("a class or person is out of range")
    if not cells.rows.all() or cells.rows.sum(dtype=np.float64) >= _MOST_ROWS:
        raise ValueError("a cell has no row, or impossibly many")
    for array, kind, axes in (
        (cells.target, np.float64, 1),
        (cells.before_scores, np.float32, 2),
        (cells.after_scores, np.float32, 2),
    ):
        if array is not None and not (
            array.dtype == kind and array.ndim == axes and len(array) == len(cells.rows) and np.isfinite(array).all()
        ):
            raise ValueError("scores or targets are not finite numbers for each cell")
