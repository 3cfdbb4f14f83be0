"""How fast the bootstrap of counts is, and whether it is the one that fairlearn's MetricFrame makes of data frames.

Timed is everything from what a stage is handed (scores of a model, true classes, group columns as text) to quantiles of
every metric in every group: predicted classes, counts, replicates, quantiles. Imports and the making of the data are
not. MetricFrame is given predicted classes and group columns and takes minutes for 1,000 replicates, so it is timed for
200, and its time for each replicate counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtri

from audit_pipeline.data.population import Split
from audit_pipeline.evaluate.cells import count_cells
from audit_pipeline.evaluate.confusion import confusion_metric
from audit_pipeline.evaluate.replicates import replicate_metrics
from audit_pipeline.predictions import Predictions
from benchmarks.table import Row

_SEED = 20240501
_METRICS = ("accuracy", "selection_rate", "recall", "false_alarm_rate")
_QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)
_FRAME_REPLICATES = 200
_REPEATS = 5
_MANY = 50_000


def _population(
    rows: int, classes: int, groups: dict[str, int], people: int | None
) -> tuple[Predictions, Predictions, Split]:
    """Scores of two models on rows in as many groups as the product of the columns' sizes."""
    rng = np.random.default_rng(_SEED)
    y = rng.choice(classes, rows, p=np.arange(classes, 0, -1) / np.arange(classes + 1).sum())

    def predictions(made_by: str) -> Predictions:
        powers = np.exp(rng.normal(size=(rows, classes)) + 1.6 * np.eye(classes)[y])
        return Predictions((powers / powers.sum(1, keepdims=True)).astype(np.float32), 0.0, made_by)

    columns = {
        column: np.array([f"{column} {value}" for value in range(size)])[rng.integers(0, size, rows)]
        for column, size in groups.items()
    }
    subjects = None
    if people is not None:
        subjects = np.array([f"person {number:05}" for number in range(people)])[rng.integers(0, people, rows)]
    split = Split(np.zeros((rows, 1), np.float32), y, columns, subjects)
    return predictions("float"), predictions("tflite-micro"), split


def _replicates(before: Predictions | None, after: Predictions, split: Split, count: int) -> NDArray[np.float64]:
    """[replicates, groups, metrics] of the last model; every class but the first is an alarm."""
    classes = after.scores.shape[1]
    metrics = [confusion_metric(name, classes, range(1, classes)) for name in _METRICS]
    cells = count_cells(before, after, split, [str(number) for number in range(classes)])
    grouping = cells.groups_of("*".join(split.groups))
    return replicate_metrics(cells, grouping, metrics, replicates=count, seed=_SEED).after


def _frame(after: Predictions, split: Split, quantiles: Sequence[float]) -> tuple[float, NDArray[np.float64]]:
    """Seconds of fairlearn for each replicate, and its [quantiles, groups, metrics]."""
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import accuracy_score

    scores = (accuracy_score, selection_rate, true_positive_rate, false_positive_rate)
    start = time.perf_counter()
    frame = MetricFrame(
        metrics=dict(zip(_METRICS, scores, strict=True)),
        y_true=split.y,
        y_pred=after.labels,
        sensitive_features=dict(split.groups),
        n_boot=_FRAME_REPLICATES,
        ci_quantiles=list(quantiles),
        random_state=_SEED,
    )
    found = np.stack([table.sort_index().to_numpy(dtype=np.float64) for table in frame.by_group_ci])
    return (time.perf_counter() - start) / _FRAME_REPLICATES, found


def _deviations(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many Monte Carlo standard errors fairlearn's quantiles lie from ours, whatever the metric's distribution.

    The share of the bootstrap distribution below the q-quantile of R replicates follows a beta distribution with
    parameters (R − 1) q + 1 and R − (R − 1) q, which is far from normal in the tails, so its deviate is taken from
    there. So many of ours are drawn that their own error does not matter.
    """
    ranks = (_FRAME_REPLICATES - 1) * np.array(_QUANTILES)[:, None, None]
    below = (ours < theirs[:, None]).mean(1) / 2 + (ours <= theirs[:, None]).mean(1) / 2
    tail = betainc(ranks + 1, _FRAME_REPLICATES - ranks, below)
    return np.asarray(ndtri(np.clip(tail, 1e-15, 1 - 1e-15)))


def _small() -> list[Row]:
    _, after, split = _population(10_000, 2, {"sex": 2, "age": 4}, None)
    count, seconds = 1000, []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        drawn = _replicates(None, after, split, count)
        np.nanquantile(drawn, _QUANTILES, axis=0)
        seconds.append(time.perf_counter() - start)
    ours = float(np.median(seconds))
    each, theirs = _frame(after, split, _QUANTILES)
    z = _deviations(_replicates(None, after, split, _MANY), theirs)
    what = "1,000 replicates, 10,000 rows, 8 groups, 4 metrics"
    return [
        Row(f"{what}: predictions to quantiles", ours, "s", at_most=0.25),
        Row(
            f"{what}: times as fast as MetricFrame, timed for {_FRAME_REPLICATES}",
            each * count / ours,
            "×",
            at_least=500,
        ),
        Row(
            f"{what}: largest of {z.size} differences from MetricFrame's quantiles",
            float(np.abs(z).max()),
            "MC s.e.",
            at_most=4.0,
        ),
        Row(f"{what}: their root mean square", float(np.sqrt((z**2).mean())), "MC s.e.", at_most=1.3),
    ]


def _large(people: int | None) -> list[Row]:
    command = [sys.executable, "-m", "benchmarks.bootstrap", json.dumps(people)]
    seconds, megabytes = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    by = "rows resampled" if people is None else f"{people:,} people resampled"
    what = f"2,000 replicates, 1,000,000 rows, 64 groups, 4 metrics, 4 classes, before and after, {by}"
    return [
        Row(f"{what}: predictions to quantiles", seconds, "s", at_most=5.0),
        Row(f"{what}: peak memory of the process, data included", megabytes, "MB", at_most=600),
    ]


def _measure_large(people: int | None) -> tuple[float, float]:
    """Seconds and peak MB of a process that does nothing else."""
    before, after, split = _population(1_000_000, 4, {"sex": 2, "age": 4, "site": 8}, people)
    start = time.perf_counter()
    np.nanquantile(_replicates(before, after, split, 2000), _QUANTILES, axis=0)
    return time.perf_counter() - start, _peak_megabytes()


def _peak_megabytes() -> float:
    """Largest resident memory of this process since it began, as Linux counts it.

    getrusage would not do: a process starts with the peak of the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024 / 1e6


def rows() -> list[Row]:
    """The figures of the bootstrap."""
    return [*_small(), *_large(None), *_large(1000)]


if __name__ == "__main__":
    print(json.dumps(_measure_large(json.loads(sys.argv[1]))))
