"""Bootstrap replicates of metrics in every group, before and after compression from the same resample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.cells import Cells, Counts, Grouping
from audit_pipeline.evaluate.confusion import ConfusionMetric
from audit_pipeline.statistics.bootstrap import bootstrap


@dataclass(frozen=True, eq=False)
class Replicates:
    """What other samples of the same size might have given; NaN where a metric had no row in a replicate."""

    before: NDArray[np.float64] | None
    """[replicates, groups, metrics] of the float model; None where there was none."""
    after: NDArray[np.float64]
    """[replicates, groups, metrics] of the device, on the rows and people of the same replicate of `before`."""


def replicate_metrics(
    cells: Cells, grouping: Grouping, metrics: Sequence[ConfusionMetric], *, replicates: int, seed: int
) -> Replicates:
    """Resample rows, or people where they are named, and measure every replicate.

    Args:
        cells: of a classification or an anomaly score.
        grouping: which group each cell is in; all groups are resampled together, so their sizes vary.
        metrics: at least one.
        replicates: how many.
        seed: of the random numbers.
    """
    classes = (len(cells.classes),) * (2 if cells.before is None else 3)
    shape = (len(grouping), *classes)
    labels = [labels for labels in (cells.true, cells.before, cells.after) if labels is not None]
    place = np.ravel_multi_index((grouping.number, *labels), shape)

    def measure(counts: Counts) -> NDArray[np.float64]:
        tables = [counts] if cells.before is None else [counts.sum(-1), counts.sum(-2)]
        return np.stack([np.stack([metric.value(table) for metric in metrics], -1) for table in tables], 1)

    people = None if cells.people is None else cells.person
    drawn = bootstrap(measure, cells.rows, place, shape, people, replicates=replicates, seed=seed)
    return Replicates(None if cells.before is None else drawn[:, 0], drawn[:, -1])
