"""One split of a data set, read and checked by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.columns import Columns, open_columns, unreadable
from audit_pipeline.data.groups import group_values
from audit_pipeline.data.inputs import match_features, side_by_side, stack_inputs
from audit_pipeline.data.labels import class_indices, target_values
from audit_pipeline.data.manifest import Manifest
from audit_pipeline.data.population import Split
from audit_pipeline.data.values import Values
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import InputPart
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.strict_yaml import Loaded, Loc

_Held = TypeVar("_Held")
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class SplitFile:
    """A split that was read, and the file it came from."""

    path: Path
    sha256: str
    features: tuple[tuple[str, ...], ...]
    """The columns that each input is made of, in order."""
    inputs: tuple[InputPart, ...]
    """Several inputs, whose values lie one after the other in a row of `split.x`; none where there is one."""
    split: Split


def read_split(manifest: Loaded[Manifest], name: str) -> SplitFile:
    """Read the split of that name.

    Raises:
        InputError: the file cannot be read, or does not hold what the manifest says.
    """
    said = manifest.value
    place = manifest.where(("splits", name))
    path = manifest.path.parent / getattr(said.splits, name)
    opened, sha256 = open_columns(path, place)
    reader = _Reader(manifest, path, opened)
    inputs = reader.inputs()
    x, parts = (inputs[""], ()) if "" in inputs else side_by_side(inputs)
    if not len(x):
        raise InputError("data.empty-split", f"the {name} split has no rows", where=str(path))
    y, target = reader.labels(len(x))
    groups = {
        group: reader.column(entry.column, ("groups", group, "column"), _binning(entry.bins), "group")
        for group, entry in said.groups.items()
    }
    subjects = reader.column(said.subject, ("subject",), _subjects, "subject") if said.subject else None
    columns = {
        "label": y if target is None else target,
        **groups,
        **({} if subjects is None else {"subject": subjects}),
    }
    reader.check_lengths(len(x), columns)
    for array in (x, y, *columns.values()):
        array.setflags(write=False)
    return SplitFile(path, sha256, tuple(reader.features.values()), parts, Split(x, y, groups, subjects, target))


def _binning(bins: tuple[float, ...] | None) -> Callable[[Values], NDArray[np.str_]]:
    return lambda values: group_values(values, bins)


def _subjects(values: Values) -> NDArray[np.str_]:
    if None in values.kinds:
        raise ValueError(f"row {values.row_of(None)} names nobody")
    return values.texts([str(kind) for kind in values.kinds])


class _Reader:
    """Reads one file as the manifest says, and turns what goes wrong into errors that name file and column."""

    def __init__(self, manifest: Loaded[Manifest], path: Path, columns: Columns) -> None:
        self._manifest = manifest
        self._path = path
        self._columns = columns
        self.features = self._features()

    def inputs(self) -> dict[str, NDArray[np.float32]]:
        """[rows, *shape] of each input, by its name; of one input, by the empty name."""
        shapes = {name: shape for name, (_, shape) in self._manifest.value.inputs.items()}
        inputs = {name: self._input(name, columns, shapes[name]) for name, columns in self.features.items()}
        lengths = {name: len(rows) for name, rows in inputs.items()}
        if len(set(lengths.values())) > 1:
            text = f"the inputs differ in rows: {', '.join(f'{name} has {rows}' for name, rows in lengths.items())}"
            raise InputError("data.length", text, where=str(self._path))
        return inputs

    def _input(self, name: str, columns: tuple[str, ...], shape: tuple[int, ...] | None) -> NDArray[np.float32]:
        try:
            numbers = self._columns.numbers(columns)
        except ValueError as error:
            raise unreadable(self._path, error) from error
        try:
            return stack_inputs(numbers, shape)
        except ValueError as error:
            place = f"features.{name}" if name else "features"
            raise InputError("data.features", f"{place}: {error}", where=str(self._path)) from error

    def labels(self, rows: int) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        """Class indices, and the values to predict: a regression's classes are all 0, and others have no values."""
        said = self._manifest.value
        if said.task == "regression":
            self._require(said.label, ("label",))
            target = self._parsed(lambda: self._columns.numbers([said.label])[0], said.label, target_values, "label")
            return np.zeros(rows, dtype=np.int64), target
        return self.column(said.label, ("label",), lambda values: class_indices(values, said.classes), "label"), None

    def column(self, name: str, loc: Loc, read: Callable[[Values], _Read], kind: str) -> _Read:
        self._require(name, loc)
        return self._parsed(lambda: self._columns.values(name), name, read, kind)

    def _parsed(self, get: Callable[[], _Held], name: str, read: Callable[[_Held], _Read], kind: str) -> _Read:
        try:
            held = get()
        except ValueError as error:
            raise unreadable(self._path, error) from error
        try:
            return read(held)
        except ValueError as error:
            hint = "rows are counted from 0, without a heading"
            raise InputError(f"data.{kind}", f"{name}: {error}", where=str(self._path), hint=hint) from error

    def check_lengths(self, rows: int, columns: Mapping[str, NDArray[np.generic]]) -> None:
        for name, column in columns.items():
            if len(column) != rows:
                text = f"{name} has {len(column)} rows, the features have {rows}"
                raise InputError("data.length", text, where=str(self._path))

    def _features(self) -> dict[str, tuple[str, ...]]:
        """The columns of each input, by its name."""
        inputs = self._manifest.value.inputs
        return {
            name: self._found(features, ("features", name) if name else ("features",))
            for name, (features, _) in inputs.items()
        }

    def _found(self, features: str | tuple[str, ...], loc: Loc) -> tuple[str, ...]:
        said = self._manifest.value
        found = match_features(features, self._columns.names)
        if not found:
            self._require(str(features), loc)
        for index, name in enumerate(found):
            self._require(name, (*loc, index))
        for role in ("label", "subject"):
            if getattr(said, role) in found:
                text = f"the features include the {role}, {getattr(said, role)}: the model would be told the answer"
                raise InputError("data.leak", text, where=self._manifest.where(loc))
        return tuple(found)

    def _require(self, name: str, loc: Loc) -> None:
        known = self._columns.names
        if name not in known:
            listed = f"it has {', '.join(known[:20])}{' and more' if len(known) > 20 else ''}"
            text = f"{self._path.name} has no column {name}{did_you_mean(name, known)}"
            raise InputError("data.missing-column", text, where=self._manifest.where(loc), hint=listed)
