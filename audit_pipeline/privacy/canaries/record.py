"""The record of planted canaries: which coin put a row in or left it out. Whoever trains must never see it.

Two files: the record itself, JSON with one key a line, and beside it the rows it speaks of, `canaries.npz` with arrays
`x` (inputs), `y` (the wrong labels, as indices into the manifest's classes) and `row` (their places in the train split
they were drawn from). The record binds both to the data set by digest; evidence holds no more of it than its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from audit_pipeline.canonical import canonical_text, sha256_hex
from audit_pipeline.data.population import Population, Split
from audit_pipeline.errors import InputError
from audit_pipeline.npz import NpzArrays
from audit_pipeline.strict_yaml import Loaded, Strict, load

FEWEST, MOST = 20, 50_000
"""Canaries of one record."""

RECORD, ROWS = "canaries.json", "canaries.npz"

_STAGE = "canaries"
_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Record(Strict):
    """The JSON file."""

    version: Literal[1]
    drawn_from_sha256: _Digest = Field(description="of the train split that the canaries were drawn from")
    train_sha256: _Digest = Field(description="of the train split with the canaries planted")
    rows_file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    rows_sha256: _Digest
    coins: Annotated[str, StringConstraints(pattern=r"^[01]+$", min_length=FEWEST, max_length=MOST)] = Field(
        description="one a canary: 1 where it is in the train split"
    )
    guesses: int = Field(description="coins to guess, half as 1 and half as 0; fixed beforehand")

    @field_validator("guesses")
    @classmethod
    def _can_be_made(cls, guesses: int, info: ValidationInfo) -> int:
        most = len(info.data.get("coins", ""))  # coins that are refused are refused by themselves
        if most and (guesses % 2 or not 2 <= guesses <= most):
            raise ValueError(f"must be an even number from 2 to {most}, not {guesses}")
        return guesses


@dataclass(frozen=True)
class Canaries:
    """A record that was read, and its rows."""

    sha256: str
    """Of the record's exact bytes."""
    train_sha256: str
    """Of the train split that they are planted in."""
    rows: Split
    """[m] the canaries with their wrong labels; no groups and no people."""
    coins: NDArray[np.bool_]
    """[m] whether a canary is in the train split."""
    guesses: int
    """How many coins to guess, half as in and half as out."""


def record_bytes(record: Record) -> bytes:
    """The file of a record."""
    lines = (f"  {canonical_text(key)}: {canonical_text(value)}" for key, value in record.model_dump().items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def read_record(path: Path) -> Canaries:
    """Read a record and the rows beside it.

    Raises:
        InputError: `canaries.*`: one of the two files is missing, damaged, or not the one that the record names.
    """
    record = load(path, Record, _STAGE)
    rows = _rows(record)
    x, y = rows["x"], rows["y"]
    canaries = len(record.value.coins)
    if len(x) != canaries or y.shape != (canaries,) or x.ndim < 2:
        text = f"{len(x)} rows and {len(y)} labels for {canaries} coins"
        raise InputError("canaries.rows", text, where=record.where(("rows_file",)))
    return Canaries(
        sha256=record.sha256,
        train_sha256=record.value.train_sha256,
        rows=Split(x=x.astype(np.float32), y=y.astype(np.int64), groups={}, subjects=None),
        coins=np.frombuffer(record.value.coins.encode(), dtype=np.uint8) == ord("1"),
        guesses=record.value.guesses,
    )


def check_belongs(canaries: Canaries, population: Population, where: str) -> None:
    """Make sure that the canaries were planted in the train split that the model is judged with.

    Args:
        canaries: of the record.
        population: the data set.
        where: the place that names the record, for the error.

    Raises:
        InputError: `canaries.other-data`, or `canaries.rows` where the rows are none that this data set could have.
    """
    train = next(split for split in population.part.splits if split.name == "train")
    if train.sha256 != canaries.train_sha256:
        raise InputError(
            "canaries.other-data",
            f"the record is of another train split than {train.file}",
            where=where,
            hint="the policy's manifest must be the one that `audit canaries plant` wrote, and the model trained on it",
        )
    labels = canaries.rows.y
    if labels.min() < 0 or labels.max() >= len(population.classes):
        raise InputError("canaries.rows", "a canary's label is none of the classes", where=where)
    if canaries.rows.x.shape[1:] != population.train.x.shape[1:]:
        raise InputError("canaries.rows", "the canaries have another shape than the training rows", where=where)


def _rows(record: Loaded[Record]) -> Mapping[str, NDArray[np.generic]]:
    where = record.where(("rows_file",))
    path = record.path.parent / record.value.rows_file
    try:
        raw = path.read_bytes()
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        hint = "the rows stand beside the record, as they were written"
        raise InputError("canaries.no-rows", text, where=where, hint=hint) from error
    if sha256_hex(raw) != record.value.rows_sha256:
        raise InputError(
            "canaries.other-rows",
            f"{path.name} is not the file that was planted with this record",
            where=record.where(("rows_sha256",)),
            hint="take both files from the same folder",
        )
    try:
        arrays = NpzArrays(raw)
        x, y = arrays.numbers([_need(arrays, "x"), _need(arrays, "y")])
    except ValueError as error:
        raise InputError("canaries.rows", str(error), where=str(path)) from error
    return {"x": x, "y": y}


def _need(arrays: NpzArrays, name: str) -> str:
    if name not in arrays.names:
        raise ValueError(f"there is no array {name}")
    return name
