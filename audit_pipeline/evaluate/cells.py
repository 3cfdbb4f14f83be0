"""What is left of predictions when all that is said about groups has been kept: rows counted by cell.

A cell is one combination of person, value of every group column, true class, class before and class after compression
that occurs. Every metric, interval and test of a classification is computed from the rows of the cells, so parts of a
data set can be counted on different machines: `merge` gives, to the bit, what counting everything at once would have
given. Where a metric needs scores (a ranking, a calibration, a regression), scores are part of the cell as well; cells
are then almost the rows themselves, but still in an order that does not depend on where a row came from, so that sums
of floats come out the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.data.population import Split, unknown_column
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.factorise import Codes, number_rows, number_texts, number_values
from audit_pipeline.measurement import GroupKey
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.predictions import Predictions, Task

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows by cell. All arrays but `people` and `values` share their first dimension: the cells.

    In canonical order: sorted by person, by group values in the order of the columns' names, by true class, class
    before, class after, target, scores before and scores after. Numbers refer to vocabularies that hold exactly what
    occurs, sorted by code point.
    """

    classes: tuple[str, ...]
    """Of the manifest, in its order; empty for a regression."""
    people: tuple[str, ...] | None
    """None where people are not named: then rows count as independent."""
    values: Mapping[str, tuple[str, ...]]
    """Group column → its values; columns sorted by name."""
    person: Codes
    """Index into `people`; 0 where they are not named."""
    groups: Mapping[str, Codes]
    """Group column → index into its values."""
    true: Codes
    """Index into `classes`; 0 for a regression, as are the next two."""
    before: Codes | None
    """Class that the float model gave; None where there was none."""
    after: Codes
    """Class that the device gives."""
    target: NDArray[np.float64] | None
    """Value to predict; None but for a regression."""
    before_scores: NDArray[np.float32] | None
    """[cells, scores] as in `Predictions`; None where they were not asked for, or there was no float model."""
    after_scores: NDArray[np.float32] | None
    rows: Counts
    """At least 1."""

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self.rows)

    @property
    def total(self) -> int:
        """Rows in all cells."""
        return int(self.rows.sum())

    def groups_of(self, spec: str) -> Grouping:
        """Cut the cells by a group spec: `overall`, a column, or columns joined by `*`.

        Raises:
            InputError: a column that the data do not have.
        """
        if spec == OVERALL:
            return Grouping((GroupKey(),), np.zeros(len(self), dtype=np.int64))
        by = tuple(spec.split("*"))
        for column in by:
            if column not in self.groups:
                raise unknown_column(column, spec, self.groups)
        columns = [(len(self.values[column]), self.groups[column]) for column in by]
        size, number = number_rows(columns, len(self))
        example = _example(size, number)
        names = zip(
            *([self.values[column][code] for code in self.groups[column][example]] for column in by), strict=True
        )
        return Grouping(tuple(GroupKey(by=by, values=values) for values in names), number)


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which group of one group spec each cell is in."""

    keys: tuple[GroupKey, ...]
    """The groups that hold rows, in order of their values; overall is there even without rows."""
    number: Codes
    """[cells] index into `keys`."""

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self.keys)


def count_cells(
    before: Predictions | None,
    after: Predictions,
    split: Split,
    classes: Sequence[str],
    *,
    with_scores: bool = False,
) -> Cells:
    """Count the rows of a split by cell.

    Args:
        before: the float model's predictions for `split`; None where there is no float model.
        after: the device's.
        split: rows, true classes or targets, groups and people.
        classes: names of the classes that `split.y` indexes; none for a regression.
        with_scores: keep scores too, for metrics that need more than classes. A regression always keeps them.

    Raises:
        InputError: predictions that do not fit the split or are not finite.
    """
    for predictions in filter(None, (before, after)):
        _refuse_misfit(predictions, len(split), len(classes))
    keeps_scores = with_scores or after.task is Task.REGRESSION
    people, person = (None, np.zeros(len(split), dtype=np.int64)) if split.subjects is None else _number(split.subjects)
    columns = {column: _number(split.groups[column]) for column in sorted(split.groups)}
    return collapse(
        Cells(
            classes=tuple(classes),
            people=people,
            values={column: values for column, (values, _) in columns.items()},
            person=person,
            groups={column: codes for column, (_, codes) in columns.items()},
            true=split.y,
            before=None if before is None else _labels(before),
            after=_labels(after),
            target=None if split.target is None else _positive_zero(split.target),
            before_scores=_positive_zero(before.scores) if before is not None and keeps_scores else None,
            after_scores=_positive_zero(after.scores) if keeps_scores else None,
            rows=np.ones(len(split), dtype=np.int64),
        )
    )


def collapse(cells: Cells) -> Cells:
    """Join equal cells and bring them into canonical order; the vocabularies must be sorted already."""
    size, place = number_rows(_columns(cells), len(cells))
    example = _example(size, place)
    # float64 counts are exact below 2^53 rows
    rows = np.bincount(place, weights=cells.rows, minlength=size).astype(np.int64)

    def take(array: NDArray[Any]) -> NDArray[Any]:
        return _frozen(array[example])

    return replace(
        cells,
        person=take(cells.person),
        groups={column: take(codes) for column, codes in cells.groups.items()},
        true=take(cells.true),
        before=None if cells.before is None else take(cells.before),
        after=take(cells.after),
        target=None if cells.target is None else take(cells.target),
        before_scores=None if cells.before_scores is None else take(cells.before_scores),
        after_scores=None if cells.after_scores is None else take(cells.after_scores),
        rows=_frozen(rows),
    )


def _columns(cells: Cells) -> Iterator[tuple[int, Codes]]:
    """All that makes a cell, as numbers, in the order of their weight."""
    classes = max(len(cells.classes), 1)
    yield 1 if cells.people is None else len(cells.people), cells.person
    for column, values in cells.values.items():
        yield len(values), cells.groups[column]
    for labels in (cells.true, cells.before, cells.after):
        if labels is not None:
            yield classes, labels
    if cells.target is not None:
        yield number_values(cells.target)
    for scores in (cells.before_scores, cells.after_scores):
        if scores is not None:
            yield from map(number_values, scores.T)


def _number(texts: NDArray[np.str_]) -> tuple[tuple[str, ...], Codes]:
    values, codes = number_texts(texts)
    return tuple(values.tolist()), codes


def _example(size: int, place: Codes) -> Codes:
    """[size] one position of each number."""
    example = np.empty(size, dtype=np.int64)
    example[place] = np.arange(len(place))
    return example


def _labels(predictions: Predictions) -> Codes:
    if predictions.task is Task.REGRESSION:
        return np.zeros(len(predictions.scores), dtype=np.int64)
    return predictions.labels


def _positive_zero(values: NDArray[Any]) -> NDArray[Any]:
    """Without −0, which equals 0 but has other bits."""
    return np.asarray(values + values.dtype.type(0))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def _refuse_misfit(predictions: Predictions, rows: int, classes: int) -> None:
    columns, each = (classes, "each class") if predictions.task is Task.CLASSIFICATION else (1, "each row")
    if predictions.scores.shape != (rows, columns):
        raise InputError(
            "evaluate.scores-shape",
            f"the {predictions.made_by} model gave scores of shape {list(predictions.scores.shape)} for {rows} rows of "
            + (f"{classes} classes" if columns > 1 else "one score"),
            hint=f"the model's output must have one score for {each}",
        )
    bad = ~np.isfinite(predictions.scores).all(axis=1)
    if bad.any():
        raise InputError(
            "evaluate.scores-not-finite",
            f"the {predictions.made_by} model gave NaN or infinite scores for {_rows(int(bad.sum()))}",
            where=f"evaluation row {int(np.argmax(bad))}",
            hint="give the model inputs and weights whose outputs stay within float32, or train it again",
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
