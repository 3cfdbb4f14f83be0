"""Draw canaries, toss their coins, and make the data set to train on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.data.load import load_population
from audit_pipeline.data.rewrite import Rewritten, rewrite_train, to_npz
from audit_pipeline.privacy.canaries.drawing import check_plan, draw_canaries
from audit_pipeline.privacy.canaries.record import ROWS, Record, record_bytes
from audit_pipeline.privacy.one_run import guesses_for
from audit_pipeline.progress import Progress, silent


@dataclass(frozen=True)
class Planted:
    """A data set with canaries in it, not yet written anywhere."""

    data: Rewritten
    """Which may be given to whoever trains."""
    record: bytes
    rows: bytes
    """The canaries themselves, for beside the record."""
    canaries: int
    guesses: int
    left_out: int
    """Canaries that the coin left out."""
    train_rows: int
    """Rows of the train split, canaries included."""


def plant(
    manifest: Path,
    count: int,
    *,
    guesses: int | None,
    seed: int,
    now: str | None = None,
    progress: Progress = silent,
) -> Planted:
    """Plant canaries in a data set, which itself stays as it is.

    Args:
        manifest: of the data set they are drawn from.
        count: m, how many.
        guesses: how many of the coins to guess later, an even number; None for `one_run.guesses_for`.
        seed: of rows, labels and coins. Whoever knows it knows the coins.
        now: as for `load_population`.
        progress: told how far it is.

    Raises:
        InputError: the data set cannot be used, has no classes that could be mistaken, or is too small.
    """
    population = load_population(manifest, progress, now=now)
    check_plan(population, count, guesses, str(manifest))
    train = population.train
    draw = draw_canaries(train, len(population.classes), count, np.random.default_rng(seed))
    kept = draw.kept(train)
    note = f"with {count} canaries: rows whose label is wrong on purpose"
    data = rewrite_train(manifest, kept, draw.labelled(train), note)
    rows = to_npz({"x": train.x[draw.rows], "y": draw.labels, "row": draw.rows})
    record = Record(
        version=1,
        drawn_from_sha256=data.drawn_from_sha256,
        train_sha256=data.train_sha256,
        rows_file=ROWS,
        rows_sha256=sha256_hex(rows),
        coins="".join("1" if coin else "0" for coin in draw.coins),
        guesses=guesses or guesses_for(count),
    )
    return Planted(
        data=data,
        record=record_bytes(record),
        rows=rows,
        canaries=count,
        guesses=record.guesses,
        left_out=int((~draw.coins).sum()),
        train_rows=int(kept.sum()),
    )
