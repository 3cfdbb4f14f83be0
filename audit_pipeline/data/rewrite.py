"""A data set written again with other rows and labels in its train split, whatever format that came in."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import canonical_text, sha256_hex
from audit_pipeline.data.columns import Columns, open_columns, unreadable
from audit_pipeline.data.manifest import Manifest
from audit_pipeline.data.population import SPLITS
from audit_pipeline.data.split import SplitFile, read_split
from audit_pipeline.data.values import Values
from audit_pipeline.strict_yaml import Loaded, load

MANIFEST, TRAIN = "dataset.yaml", "train.npz"

_LONGEST_DESCRIPTION = 3800

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Rewritten:
    """A data set, not yet written anywhere."""

    files: dict[str, bytes]
    """What is new, by name: the manifest and the train split."""
    copies: dict[str, Path]
    """The splits that stay as they are, by their new name."""
    drawn_from_sha256: str
    """Of the train split as it was."""
    train_sha256: str
    """Of the new one."""


def rewrite_train(path: Path, kept: NDArray[np.bool_], labels: NDArray[np.int64], note: str) -> Rewritten:
    """Leave rows out of the train split, and label the others anew.

    The split becomes a .npz of all its columns under their names, numbers as numbers and all else as text, which read
    as they did before; labels are spelt as in other rows of their class. Equal arguments give equal bytes.

    Args:
        path: the manifest, of a data set that `load_population` takes and whose labels are classes.
        kept: [rows] of the train split, which stay.
        labels: [rows] class index of each, those that are left out included; of classes that the split has.
        note: what the description is to say besides.

    Raises:
        InputError: a file has gone bad since it was read.
    """
    manifest = load(path, Manifest, "data")
    said = manifest.value
    file = read_split(manifest, "train")
    arrays = _columns(manifest, file)
    classes, spelt_in = np.unique(file.split.y, return_index=True)
    changed = labels != file.split.y
    spelt = arrays[said.label].copy()
    spelt[changed] = spelt[spelt_in[np.searchsorted(classes, labels[changed])]]
    arrays[said.label] = spelt
    train = to_npz({name: array[kept] for name, array in arrays.items()})
    others = {name: manifest.path.parent / getattr(said.splits, name) for name in SPLITS if name != "train"}
    copies = {f"{name}{place.suffix}": place for name, place in others.items()}
    return Rewritten(
        files={MANIFEST: _manifest(manifest, note, [TRAIN, *copies]), TRAIN: train},
        copies=copies,
        drawn_from_sha256=file.sha256,
        train_sha256=sha256_hex(train),
    )


def to_npz(arrays: Arrays) -> bytes:
    """The bytes of a .npz file; equal arrays give equal bytes."""
    stream = BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _manifest(manifest: Loaded[Manifest], note: str, splits: list[str]) -> bytes:
    """One key a line."""
    said = dict(manifest.root.value)
    said["description"] = f"{str(said['description'])[:_LONGEST_DESCRIPTION]} ({note})"
    said["splits"] = dict(zip(SPLITS, splits, strict=True))
    return "".join(f"{key}: {canonical_text(value)}\n" for key, value in said.items()).encode()


def _columns(manifest: Loaded[Manifest], file: SplitFile) -> Arrays:
    """[rows, ...] each column of the train split; what nobody names and cannot be read is left out."""
    said = manifest.value
    columns, _ = open_columns(file.path, manifest.where(("splits", "train")))
    features = [column for of_one_input in file.features for column in of_one_input]
    try:
        held: Arrays = dict(zip(features, columns.numbers(features), strict=True))
    except ValueError as error:
        raise unreadable(file.path, error) from error
    named = {said.label, said.subject, *(group.column for group in said.groups.values())}
    for name in columns.names:
        try:
            column = held[name] if name in held else _as_read(columns, name)
        except ValueError as error:
            if name in named:
                raise unreadable(file.path, error) from error
            continue
        if len(column) == len(file.split):
            held[name] = column
    return held


def _as_read(columns: Columns, name: str) -> NDArray[np.generic]:
    """A column as numbers where these are spelt as the file spells them, else as text."""
    try:
        [numbers] = columns.numbers([name])
    except ValueError:
        return _texts(columns.values(name))
    if numbers.ndim != 1:
        return numbers
    texts = _texts(columns.values(name))
    kinds, which = np.unique(numbers, return_inverse=True)
    return numbers if (_texts(Values.of(list(kinds), which)) == texts).all() else texts


def _texts(values: Values) -> NDArray[np.str_]:
    return values.texts([kind or "" for kind in values.kinds])
