"""Point values of every metric and group through fairlearn's MetricFrame, the definition that others can check."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.metrics import Labels, Metric


def point_values(metrics: Sequence[Metric], true: Labels, predicted: Labels, group: Labels) -> NDArray[np.float64]:
    """Every metric in every group.

    The frame is given each distinct (group, true, predicted) once, weighted by its rows: the same values as from the
    rows themselves, without fairlearn's cost for each row.

    Args:
        metrics: what to compute.
        true: [rows] class index.
        predicted: [rows] class index.
        group: [rows] number of each row's group, 0 to groups − 1, each of them present.

    Returns:
        [groups, metrics], NaN where a metric has no row to stand on.
    """
    from fairlearn.metrics import MetricFrame

    classes = int(max(true.max(), predicted.max())) + 1
    cells, weights = np.unique((group * classes + true) * classes + predicted, return_counts=True)
    names = [str(number) for number in range(len(metrics))]
    frame = MetricFrame(
        metrics=dict(zip(names, (metric.value for metric in metrics), strict=True)),
        y_true=cells // classes % classes,
        y_pred=cells % classes,
        sensitive_features=(cells // classes**2).tolist(),  # an array of one cell would lose its dimension
        sample_params={name: {"sample_weight": weights} for name in names},
    )
    return np.asarray(frame.by_group.sort_index(), dtype=np.float64)
