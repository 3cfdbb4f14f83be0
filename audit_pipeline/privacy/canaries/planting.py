"""Planting canaries in a train split.

A canary is a row of the train split with a wrong label in the place of its own. A fair coin decides whether it stays,
so, or leaves. A model that keeps the label that it could only have learnt from that one row tells the coin. The row's
right label is in neither case in the train split: beside it the wrong one would hardly be learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import canonical_text, sha256_hex
from audit_pipeline.data.archive import columns_of, to_npz
from audit_pipeline.data.load import load_population
from audit_pipeline.data.manifest import Manifest
from audit_pipeline.data.population import Split
from audit_pipeline.data.split import read_split
from audit_pipeline.errors import InputError
from audit_pipeline.privacy.canaries.record import FEWEST, MOST, ROWS, Record, record_bytes
from audit_pipeline.privacy.one_run import guesses_for
from audit_pipeline.progress import Progress, silent
from audit_pipeline.strict_yaml import Loaded, load

MANIFEST, TRAIN = "dataset.yaml", "train.npz"

_LARGEST_SHARE = 0.5
_LONGEST_DESCRIPTION = 3800


@dataclass(frozen=True)
class Planted:
    """A data set with canaries in it, not yet written anywhere."""

    files: dict[str, bytes]
    """Of the data set, by name: the manifest and the train split."""
    copies: dict[str, Path]
    """Files of the data set that stay as they are, by their new name."""
    record: bytes
    rows: bytes
    """The canaries themselves, for beside the record."""
    canaries: int
    guesses: int
    left_out: int
    """Canaries that the coin left out."""
    train_rows: int
    """Rows of the train split, canaries included."""


@dataclass(frozen=True)
class _Draw:
    """What chance decided."""

    rows: NDArray[np.int64]
    """[m] places in the train split, rising."""
    labels: NDArray[np.int64]
    """[m] wrong ones."""
    coins: NDArray[np.bool_]


def plant(
    manifest_path: Path,
    count: int,
    *,
    guesses: int | None,
    seed: int,
    now: str | None = None,
    progress: Progress = silent,
) -> Planted:
    """Draw canaries, toss their coins, and make the data set to train on.

    Args:
        manifest_path: of the data set they are drawn from, which stays as it is.
        count: m, how many.
        guesses: how many of the coins to guess later, an even number; None for `one_run.guesses_for`.
        seed: of rows, labels and coins. Whoever knows it knows the coins.
        now: as for `load_population`.
        progress: told how far it is.

    Raises:
        InputError: the data set cannot be used, has no classes that could be mistaken, or is too small.
    """
    population = load_population(manifest_path, progress, now=now)
    manifest = load(manifest_path, Manifest, "data")
    _check_task(manifest)
    _check_count(count, guesses, population.train, manifest)
    draw = _draw(population.train, count, len(population.classes), np.random.default_rng(seed))
    file = read_split(manifest, "train")
    arrays = columns_of(manifest, "train", file)
    kept = np.ones(len(population.train), dtype=bool)
    kept[draw.rows[~draw.coins]] = False
    labels = population.train.y.copy()
    labels[draw.rows] = draw.labels
    arrays[manifest.value.label] = np.asarray(population.classes, dtype=np.str_)[labels]
    train = to_npz({name: array[kept] for name, array in arrays.items()})
    rows = to_npz({"x": population.train.x[draw.rows], "y": draw.labels, "row": draw.rows})
    record = Record(
        version=1,
        drawn_from_sha256=file.sha256,
        train_sha256=sha256_hex(train),
        rows_file=ROWS,
        rows_sha256=sha256_hex(rows),
        guesses=guesses or guesses_for(count),
        coins="".join("1" if coin else "0" for coin in draw.coins),
    )
    copies = {
        name: manifest.path.parent / getattr(manifest.value.splits, name) for name in ("calibration", "evaluation")
    }
    named = {f"{name}{path.suffix}": path for name, path in copies.items()}
    return Planted(
        files={MANIFEST: _manifest(manifest, count, list(named)), TRAIN: train},
        copies=named,
        record=record_bytes(record),
        rows=rows,
        canaries=count,
        guesses=record.guesses,
        left_out=int((~draw.coins).sum()),
        train_rows=int(kept.sum()),
    )


def _draw(train: Split, count: int, classes: int, random: np.random.Generator) -> _Draw:
    """Of each class the first row stays what it is, so that none is lost."""
    staying = np.unique(train.y, return_index=True)[1]
    free = np.setdiff1d(np.arange(len(train)), staying)
    rows = np.sort(random.choice(free, count, replace=False))
    labels = (train.y[rows] + random.integers(1, classes, count)) % classes
    return _Draw(rows, labels, random.integers(0, 2, count).astype(bool))


def _manifest(manifest: Loaded[Manifest], count: int, copies: list[str]) -> bytes:
    """The manifest with other splits, and a description that says what is in them; one key a line."""
    said = dict(manifest.root.value)
    description = str(said["description"])[:_LONGEST_DESCRIPTION]
    said["description"] = f"{description} (with {count} canaries: rows whose label is wrong on purpose)"
    said["splits"] = dict(zip(("train", "calibration", "evaluation"), (TRAIN, *copies), strict=True))
    return "".join(f"{key}: {canonical_text(value)}\n" for key, value in said.items()).encode()


def _check_task(manifest: Loaded[Manifest]) -> None:
    said = manifest.value
    if said.task == "regression" or said.score == "reconstruction_error":
        what = "a regression" if said.task == "regression" else "an autoencoder"
        raise InputError(
            "canaries.no-labels",
            f"{what} learns no labels that could be wrong on purpose",
            where=manifest.where(("task",)),
            hint="canaries need a model that was taught classes",
        )


def _check_count(count: int, guesses: int | None, train: Split, manifest: Loaded[Manifest]) -> None:
    if not FEWEST <= count <= MOST:
        raise InputError("canaries.count", f"{count} canaries: from {FEWEST} to {MOST} can be planted", where="--count")
    most = min(int(len(train) * _LARGEST_SHARE), len(train) - len(np.unique(train.y)))
    if count > most:
        raise InputError(
            "canaries.count",
            f"{count} canaries are too many for {len(train)} training rows: half of the rows must keep their labels",
            where="--count",
            hint=f"plant at most {most}" if most >= FEWEST else f"{manifest.path} is too small for canaries",
        )
    if guesses is not None and (guesses % 2 or not 2 <= guesses <= count):
        text = f"{guesses} guesses: an even number from 2 to {count} is needed, half of them for each side"
        raise InputError("canaries.guesses", text, where="--guesses")
