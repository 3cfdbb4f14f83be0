"""The rows a search learns from, and the rows it chooses by. No person is in both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.holdout import held_out
from audit_pipeline.data.population import Development, Split
from audit_pipeline.policy.terms import OVERALL

_Kind = TypeVar("_Kind", np.str_, np.float64)


@dataclass(frozen=True)
class Selection:
    """Rows that trials are compared on. The evaluation split is none of them."""

    rows: Split
    said: str
    """Which rows and whose they are, in words."""

    @property
    def subjects(self) -> int | None:
        """People behind the rows; None where they are not named."""
        return None if self.rows.subjects is None else len(np.unique(self.rows.subjects))


def divide(data: Development, share: float, seed: int) -> tuple[Development, Selection]:
    """Find rows to choose by: the calibration split, of which only the ranges of integers are taken, and on wish more.

    Trials are compared with the float model, so these people should be strangers to both. People of the train split
    are none to a float model that was trained on it: on four held-out records of MIT-BIH, which it had learnt by heart,
    a model that costs 0.01 of balanced accuracy on strangers seems to cost 0.36.

    Args:
        data: the development data.
        share: of the train split's people that are held out as well; of its rows, where no people are named.
        seed: of the draw.

    Returns:
        What trials learn from, and what the search chooses by.
    """
    out = held_out(data.train, share, seed) if share else np.zeros(len(data.train), dtype=bool)
    if not out.any():
        said = f"{_size(data.calibration)} of the calibration split, on which no trial trained"
        return data, Selection(data.calibration, said)
    kept, held = replace(data, train=data.train.take(~out)), data.train.take(out)
    said = (
        f"{_size(held)} of the train split that no trial trained on, drawn over groups and classes with seed {seed}, "
        f"and {_size(data.calibration)} of the calibration split"
    )
    return kept, Selection(_together(held, data.calibration), said)


def portion(split: Split, share: float, seed: int) -> Split:
    """About this share of the rows of every class in every intersection of the groups, at least one row of each.

    Args:
        split: where to draw from.
        share: 0 to 1; with 1 the split itself is given, not a copy.
        seed: of the draw.
    """
    if share >= 1:
        return split
    random = np.random.default_rng(seed)
    drawn: list[NDArray[np.int64]] = []
    for _, inside in split.members("*".join(sorted(split.groups)) or OVERALL):
        for kind in np.unique(split.y[inside]):
            rows = np.flatnonzero(inside & (split.y == kind))
            drawn.append(random.permutation(rows)[: max(1, round(share * len(rows)))])
    return split.take(np.sort(np.concatenate(drawn)))


def _together(first: Split, second: Split) -> Split:
    return Split(
        x=np.concatenate([first.x, second.x]),
        y=np.concatenate([first.y, second.y]),
        groups={column: np.concatenate([first.groups[column], second.groups[column]]) for column in first.groups},
        subjects=_both(first.subjects, second.subjects),
        target=_both(first.target, second.target),
    )


def _both(first: NDArray[_Kind] | None, second: NDArray[_Kind] | None) -> NDArray[_Kind] | None:
    return None if first is None or second is None else np.concatenate([first, second])


def _size(split: Split) -> str:
    rows = f"{len(split):,} rows"
    return rows if split.subjects is None else f"{rows} of {len(np.unique(split.subjects))} people"
