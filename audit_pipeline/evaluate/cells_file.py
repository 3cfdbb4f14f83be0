"""Cells as a .npz file, so that machines which each counted a part of a data set can exchange what they counted.

Equal cells give equal bytes. Names of people and groups stand in it as JSON, because the file is read without pickle
and without trusting it: what is not exactly a set of cells is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import canonical_json
from audit_pipeline.data.npz import NpzColumns
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.cells import Cells, merge

_NAMES = "names"
_GROUP = "group:"
_KINDS = {"target": np.float64, "before_scores": np.float32, "after_scores": np.float32}
_CODES = ("person", "true", "before", "after", "rows")
_OPTIONAL = ("before", *_KINDS)


def cells_to_npz(cells: Cells) -> bytes:
    """The bytes of a .npz file."""
    names = {"classes": cells.classes, "people": cells.people, "values": cells.values}
    arrays: dict[str, NDArray[Any]] = {_NAMES: np.frombuffer(canonical_json(names), dtype=np.uint8)}
    for name in (*_CODES, *_KINDS):
        if (array := getattr(cells, name)) is not None:
            arrays[name] = array
    arrays |= {_GROUP + column: codes for column, codes in cells.groups.items()}
    stream = BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **cast("dict[str, Any]", arrays))
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
        return _cells(NpzColumns(raw))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            "evaluate.cells-damaged",
            f"not a file of counted cells: {error}",
            where=where,
            hint="count this part of the data set again",
        ) from error
