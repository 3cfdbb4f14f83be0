"""Metrics of classes as functions of confusion counts [..., true, predicted], for any number of tables at once.

Leading axes are whatever the caller counts by: groups, replicates of a bootstrap. Definitions are scikit-learn's; an
alarm is a prediction within a set of classes. A value without rows behind it is NaN, and nothing warns.

Means over classes are those that `average="macro"` gives when scikit-learn is asked with its defaults: over the classes
that occur in a table, as true or as predicted, where a class that is never predicted has precision 0 and one that never
occurs has recall 0. `balanced_accuracy` is scikit-learn's too, the mean recall of the classes that truly occur.
scikit-learn has no macro specificity; here it is the mean over the classes that occur and are not all there is.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.cells import Cells, Counts, Grouping
from audit_pipeline.evaluate.factorise import Codes

Table = NDArray[np.float64]
Tables = NDArray[np.int64] | NDArray[np.float64]

# [truly in the set, predicted to be in it]: what is counted, among what
_OF_A_SET: dict[str, tuple[list[list[int]], list[list[int]]]] = {
    "recall": ([[0, 0], [0, 1]], [[0, 0], [1, 1]]),
    "precision": ([[0, 0], [0, 1]], [[0, 1], [0, 1]]),
    "specificity": ([[1, 0], [0, 0]], [[1, 1], [0, 0]]),
    "f1": ([[0, 0], [0, 2]], [[0, 1], [1, 2]]),
    "selection_rate": ([[0, 1], [0, 1]], [[1, 1], [1, 1]]),
    "false_alarm_rate": ([[0, 1], [0, 0]], [[1, 1], [0, 0]]),
    "missed_alarm_rate": ([[0, 0], [1, 0]], [[0, 0], [1, 1]]),
    "false_alarms_per_row": ([[0, 1], [0, 0]], [[1, 1], [1, 1]]),
}
_MACRO = {
    "balanced_accuracy": ("recall", math.nan),
    "macro_recall": ("recall", 0.0),
    "macro_precision": ("precision", 0.0),
    "macro_specificity": ("specificity", math.nan),
    "macro_f1": ("f1", 0.0),
}


@dataclass(frozen=True, eq=False)
class Quotient:
    """One weighted sum of a confusion table over another."""

    hits: Table
    """[true, predicted] weight in the numerator."""
    among: Table
    """[true, predicted] weight in the denominator."""

    @property
    def is_share(self) -> bool:
        """Whether it is a plain share of rows: then both tables are 0 or 1, and hits lie among the denominator."""
        return bool((self.among <= 1).all())

    def value(self, counts: Tables) -> Table:
        """[...] values of tables [..., true, predicted]; NaN where the denominator is empty."""
        return _quotient(_weigh(counts, self.hits), _weigh(counts, self.among))

    def influence(self, counts: Tables) -> Table:
        """[..., true, predicted] influence of one row in each place, as `ClassMean.influence` has it."""
        value, among = self.value(counts)[..., None, None], _weigh(counts, self.among)[..., None, None]
        return _quotient((self.hits - value * self.among) * _total(counts), among)


@dataclass(frozen=True, eq=False)
class ClassMean:
    """The mean over classes of a ratio that takes each class in turn against all others."""

    each: Quotient
    """Of a table [is this class, is predicted to be]."""
    empty: float
    """Value of a class that occurs but leaves the denominator empty; NaN to leave the class out."""

    def value(self, counts: Tables) -> Table:
        """[...] values of tables [..., true, predicted]; NaN where no class can be measured."""
        values, takes_part = self._values(counts)
        return _quotient(np.where(takes_part, values, 0.0).sum(-1), takes_part.sum(-1))

    def influence(self, counts: Tables) -> Table:
        """[..., true, predicted] influence ψ of one row in each place.

        The value moves by ψ / n when a row is given weight 1 + 1 instead of 1, to first order in 1 / n, with n all rows
        of the table; so value − truth ≈ Σ rows · ψ / n, and Σ rows · ψ = 0. Which classes occur is taken as given.
        """
        _, takes_part = self._values(counts)
        tables = _against_the_rest(counts)
        each = np.where(takes_part[..., None, None], self.each.influence(tables), 0.0)
        each = np.nan_to_num(each)  # a class whose value is fixed at `empty`
        missed, raised, both = (each[..., i, j] - each[..., 0, 0] for i, j in ((1, 0), (0, 1), (1, 1)))
        effect = missed[..., :, None] + raised[..., None, :]
        diagonal = np.arange(effect.shape[-1])
        effect[..., diagonal, diagonal] = both
        effect += each[..., 0, 0].sum(-1)[..., None, None]
        return _quotient(effect, takes_part.sum(-1)[..., None, None])

    def _values(self, counts: Tables) -> tuple[Table, NDArray[np.bool_]]:
        """[..., class] value of each, and whether it takes part in the mean."""
        tables = _against_the_rest(counts)
        occurs = tables[..., 0, 0] < tables.sum((-2, -1))
        values = self.each.value(tables)
        values = np.where(np.isnan(values), self.empty, values)
        return values, occurs & ~np.isnan(values)


ConfusionMetric = Quotient | ClassMean


def confusion_metric(name: str, classes: int, concerned: Collection[int] = ()) -> ConfusionMetric:
    """A metric of tables with this many classes.

    Args:
        name: `accuracy`; `balanced_accuracy` or `macro_` and one of recall, precision, specificity, f1; or, of a set of
            classes, recall, precision, specificity, f1, selection_rate, false_alarm_rate, missed_alarm_rate,
            false_alarms_per_row.
        classes: how many there are.
        concerned: index of each class of the set, for metrics that speak of one.

    Raises:
        KeyError: there is no such metric.
    """
    if name == "accuracy":
        return Quotient(np.eye(classes), np.ones((classes, classes)))
    if name in _MACRO:
        of, empty = _MACRO[name]
        return ClassMean(_of_a_set(of, np.array([0, 1])), empty)
    return _of_a_set(name, np.isin(np.arange(classes), sorted(concerned)).astype(np.int64))


def confusion_counts(cells: Cells, grouping: Grouping, predicted: Codes) -> Counts:
    """[groups, true, predicted] rows of each group.

    Args:
        cells: of a classification or an anomaly score.
        grouping: which group each cell is in.
        predicted: `cells.before` or `cells.after`.
    """
    shape = (len(grouping), len(cells.classes), len(cells.classes))
    place = np.ravel_multi_index((grouping.number, cells.true, predicted), shape)
    return np.bincount(place, weights=cells.rows, minlength=math.prod(shape)).astype(np.int64).reshape(shape)


def _of_a_set(name: str, member: Codes) -> Quotient:
    hits, among = (np.array(table, dtype=np.float64)[member[:, None], member] for table in _OF_A_SET[name])
    return Quotient(hits, among)


def _against_the_rest(counts: Tables) -> Table:
    """[..., class, is it, is predicted to be it] tables of each class against all others."""
    both = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    missed, raised = counts.sum(-1) - both, counts.sum(-2) - both
    neither = _total(counts)[..., 0] - both - missed - raised
    return np.stack([np.stack([neither, raised], -1), np.stack([missed, both], -1)], -2)


def _weigh(counts: Tables, weights: Table) -> Table:
    flat = counts.reshape(*counts.shape[:-2], -1).astype(np.float64)
    return np.asarray(flat @ weights.ravel())


def _total(counts: Tables) -> NDArray[Any]:
    return np.asarray(counts.sum((-2, -1), keepdims=True))


def _quotient(above: NDArray[Any], below: NDArray[Any]) -> Table:
    """NaN where there is nothing to divide by."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    return np.asarray(np.divide(above, below, out=np.full(shape, math.nan), where=below > 0))
