"""Parts of a data set that were counted apart, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.cells import Cells, collapse
from audit_pipeline.evaluate.factorise import Codes


def merge(first: Cells, second: Cells) -> Cells:
    """The cells of two parts of a data set together, to the bit as if they had been counted at once.

    Raises:
        InputError: the parts were not counted alike: other classes, group columns, models or scores.
    """
    if _plan(first) != _plan(second):
        raise InputError(
            "evaluate.parts-differ",
            "two parts of a data set were counted in different ways and cannot be merged",
            hint="count every part with the same manifest, the same models and the same metrics",
        )
    vocabularies = {column: tuple(sorted({*first.values[column], *second.values[column]})) for column in first.values}
    people = None
    if first.people is not None and second.people is not None:
        people = tuple(sorted({*first.people, *second.people}))
    parts = [_recode(part, people, vocabularies) for part in (first, second)]
    arrays: dict[str, Any] = {
        name: None if getattr(first, name) is None else np.concatenate([getattr(part, name) for part in parts])
        for name in ("person", "true", "before", "after", "target", "before_scores", "after_scores", "rows")
    }
    groups = {column: np.concatenate([part.groups[column] for part in parts]) for column in vocabularies}
    return collapse(replace(first, people=people, values=vocabularies, groups=groups, **arrays))


def _recode(cells: Cells, people: tuple[str, ...] | None, values: Mapping[str, tuple[str, ...]]) -> Cells:
    """The same cells, numbered by larger vocabularies."""
    person = cells.person
    if cells.people is not None and people is not None:
        person = _places(cells.people, people)[person]
    groups = {column: _places(cells.values[column], values[column])[codes] for column, codes in cells.groups.items()}
    return replace(cells, person=person, groups=groups)


def _places(part: tuple[str, ...], whole: tuple[str, ...]) -> Codes:
    at = {value: place for place, value in enumerate(whole)}
    return np.array([at[value] for value in part], dtype=np.int64)


def _plan(cells: Cells) -> tuple[object, ...]:
    """What two parts must have in common."""
    scores = [None if s is None else s.shape[1] for s in (cells.before_scores, cells.after_scores)]
    has = (cells.people is None, cells.before is None, cells.target is None)
    return cells.classes, tuple(cells.values), has, tuple(scores)
