"""A split's columns as arrays, so that some of its rows can be written again in whatever format they came."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.columns import open_columns, unreadable
from audit_pipeline.data.manifest import Manifest
from audit_pipeline.data.split import SplitFile
from audit_pipeline.data.values import Values
from audit_pipeline.strict_yaml import Loaded

Arrays = dict[str, NDArray[np.generic]]


def columns_of(manifest: Loaded[Manifest], name: str, file: SplitFile) -> Arrays:
    """The columns that the manifest names, [rows, ...] each: numbers for features, text for all others.

    Read again from a .npz they give the same split, also where they came from Parquet or CSV.

    Args:
        manifest: of the data set.
        name: of the split.
        file: that split as `read_split` gave it.

    Raises:
        InputError: the file has gone bad since it was read.
    """
    said = manifest.value
    columns, _ = open_columns(file.path, manifest.where(("splits", name)))
    features = [column for columns_of_input in file.features for column in columns_of_input]
    others = [said.label, *([said.subject] if said.subject else []), *(group.column for group in said.groups.values())]
    try:
        numbers = zip(features, columns.numbers(features), strict=True)
        held: Arrays = dict(numbers)
        return held | {column: _texts(columns.values(column)) for column in others if column not in held}
    except ValueError as error:
        raise unreadable(file.path, error) from error


def to_npz(arrays: Arrays) -> bytes:
    """The bytes of a .npz file; equal arrays give equal bytes."""
    stream = BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _texts(values: Values) -> NDArray[np.str_]:
    return values.texts([kind or "" for kind in values.kinds])
