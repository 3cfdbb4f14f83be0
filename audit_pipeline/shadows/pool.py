"""The rows that an attacker is asked about: the target's training split, which it knows, and strangers to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.data.population import Population, Split
from audit_pipeline.data.stratify import draw_evenly
from audit_pipeline.predictions import Reading, Score, Task
from audit_pipeline.statistics.tally import person_codes

FEWEST = 20
"""Members, and non-members."""

_FEWEST_UNITS = 4
"""People, or rows where nobody is named: with fewer there are no halves to compare."""


@dataclass(frozen=True)
class Unattackable:
    """That no attack with shadow models can be made."""

    reason: str


@dataclass(frozen=True)
class Pool:
    """Everything that shadows may be trained on, and the rows of it that are attacked."""

    rows: Split
    """[N] the train split, then the evaluation split."""
    member: NDArray[np.bool_]
    """[N] whether the target was trained on the row."""
    units: NDArray[np.int64]
    """[N] number of the row's person; where nobody is named, of its content: what stays together in halves."""
    named: bool
    attacked: NDArray[np.int64]
    """[n] row numbers, ascending."""
    notes: tuple[str, ...]


def pool(population: Population, most_rows: int, seed: int) -> Pool | Unattackable:
    """Put members and non-members together.

    A row of the evaluation split that stands in the train split too is no stranger to the target: it is left out.

    Args:
        population: whose train split holds the members and whose evaluation split the others.
        most_rows: that are attacked; half of them members, as far as there are so many on either side, drawn evenly
            over people and, within each, over classes.
        seed: of the draw.
    """
    train, evaluation = population.train, population.evaluation
    rows = together([train, evaluation])
    contents = _contents(rows)
    member = np.arange(len(rows)) < len(train)
    known = ~member & np.isin(contents, contents[member])
    notes: tuple[str, ...] = ()
    if known.any():
        notes = (f"{int(known.sum())} rows of the evaluation split stand in the train split too and were left out",)
        rows, contents, member = rows.take(~known), contents[~known], member[~known]
    people, named = person_codes(rows.subjects, len(rows))
    units = people if named else np.unique(contents, return_inverse=True)[1].reshape(-1)
    asked = _askable(rows, population.reading)
    reason = _refusal(rows, member, units, asked, population, named=named)
    if reason is not None:
        return Unattackable("; ".join((reason, *notes)))
    attacked = _thinned(rows, people, member, asked, most_rows, seed)
    return Pool(rows, member, units, named, attacked, notes)


def together(splits: Sequence[Split]) -> Split:
    """Splits of one population, one after the other."""
    first = splits[0]
    return Split(
        x=np.concatenate([split.x for split in splits]),
        y=np.concatenate([split.y for split in splits]),
        groups={name: np.concatenate([split.groups[name] for split in splits]) for name in first.groups},
        subjects=None if first.subjects is None else np.concatenate([split.subjects for split in splits]),
        target=None if first.target is None else np.concatenate([split.target for split in splits]),
    )


def _contents(rows: Split) -> NDArray[np.int64]:
    """[rows] equal numbers for rows of equal inputs and answers, bit by bit."""
    answers = rows.y if rows.target is None else rows.target
    digests = [sha256_hex(x.tobytes() + answer.tobytes()) for x, answer in zip(rows.x, answers, strict=True)]
    return np.unique(digests, return_inverse=True)[1].reshape(-1)


def _askable(rows: Split, reading: Reading) -> NDArray[np.bool_]:
    """[rows] those that a model of this kind learns from: of an autoencoder the normal ones."""
    return rows.y == 0 if reading.score is Score.RECONSTRUCTION_ERROR else np.ones(len(rows), dtype=bool)


def _refusal(
    rows: Split,
    member: NDArray[np.bool_],
    units: NDArray[np.int64],
    asked: NDArray[np.bool_],
    population: Population,
    *,
    named: bool,
) -> str | None:
    members, others = int((asked & member).sum()), int((asked & ~member).sum())
    if members < FEWEST:
        return f"{members} training rows are too few: {FEWEST} are needed"
    if others < FEWEST:
        return f"{others} rows that were not trained on are too few: {FEWEST} are needed"
    if len(np.unique(units)) < _FEWEST_UNITS:
        kind = "people" if named else "different rows"
        return f"{len(np.unique(units))} {kind} cannot be halved in many ways: {_FEWEST_UNITS} are needed"
    classes = np.unique(rows.y)
    if population.task is not Task.REGRESSION and not population.reading.reconstructs and len(classes) < 2:
        return f"all rows are of one class ({population.classes[classes[0]]}), which any model learns without them"
    return None


def _thinned(
    rows: Split,
    people: NDArray[np.int64],
    member: NDArray[np.bool_],
    asked: NDArray[np.bool_],
    most_rows: int,
    seed: int,
) -> NDArray[np.int64]:
    sides = [np.flatnonzero(asked & side) for side in (member, ~member)]
    fewer = min(*(len(side) for side in sides), most_rows // 2)
    strata = np.unique(np.stack([people, rows.y]), axis=1, return_inverse=True)[1].reshape(-1)
    drawn = [side[draw_evenly(strata[side], min(len(side), most_rows - fewer), seed)] for side in sides]
    return np.sort(np.concatenate(drawn))
