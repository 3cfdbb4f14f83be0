"""Who was harmed: the rows whose class the compression changed, the most harmed first.

Hooker et al. (2020), "Characterising bias in compressed models", call such rows compression-identified exemplars. They
are told by where they stand in the evaluation split, never by what they hold or whom they came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split
from audit_pipeline.evaluate.cells import Cells
from audit_pipeline.evaluate.overrepresentation import overrepresented
from audit_pipeline.findings import Exemplar, Exemplars
from audit_pipeline.predictions import Predictions, Task

MOST_LISTED = 100
"""Rows that are named; the counts cover all."""

_EFFECTS: tuple[Literal["lost", "other", "gained"], ...] = ("lost", "other", "gained")
"""The most harmful first."""


def find_exemplars(
    before: Predictions | None,
    after: Predictions,
    split: Split,
    cells: Cells,
    specs: Iterable[str],
    level: float,
    seed: int,
) -> Exemplars | None:
    """The rows whose class changed, and the groups in which they are more than their share.

    Args:
        before: the float model's predictions for `split`.
        after: the device's.
        split: what was predicted.
        cells: the same, counted.
        specs: group specs to look into.
        level: two-sided confidence level of the intervals, 0 to 1.
        seed: of the test's random deals.

    Returns:
        None without a float model, and for a regression, which has no classes.
    """
    if before is None or after.task is Task.REGRESSION:
        return None
    was, now = before.labels, after.labels
    return Exemplars(
        rows=len(split),
        changed=int((was != now).sum()),
        lost=int(((was != now) & (was == split.y)).sum()),
        gained=int(((was != now) & (now == split.y)).sum()),
        listed=_listed(before, after, split.y, cells.classes),
        groups=overrepresented(cells, specs, level, seed),
    )


def _listed(
    before: Predictions, after: Predictions, true: NDArray[np.int64], classes: Sequence[str]
) -> tuple[Exemplar, ...]:
    """The changed rows, the most harmed first: what was lost, then what was wrong and still is, then what was gained.

    Within each, those come first whose true class lost most of its score; equals in the order of their rows.
    """
    was, now = before.labels, after.labels
    row = np.flatnonzero(was != now)
    effect = np.select([was[row] == true[row], now[row] == true[row]], [0, 2], 1)
    shift = (_score_of(before.scores, true) - _score_of(after.scores, true))[row]
    return tuple(
        Exemplar(
            row=int(row[place]),
            before=classes[was[row[place]]],
            after=classes[now[row[place]]],
            effect=_EFFECTS[effect[place]],
            shift=float(shift[place]),
        )
        for place in np.lexsort((row, -shift, effect))[:MOST_LISTED]
    )


def _score_of(scores: NDArray[np.float32], true: NDArray[np.int64]) -> NDArray[np.float64]:
    """[rows] how much the scores speak for the true class; one score alone speaks for the second class."""
    exact = scores.astype(np.float64)
    if scores.shape[1] == 1:
        return np.where(true == 1, exact[:, 0], -exact[:, 0])
    return np.asarray(exact[np.arange(len(true)), true])
