"""The groups in which rows whose class the compression changed are more than their share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.evaluate.by_person import ByPerson
from audit_pipeline.evaluate.cells import Cells
from audit_pipeline.findings import Overrepresentation
from audit_pipeline.measurement import GroupKey, Measured
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.statistics.design_effect import CHANGE_CORRELATION
from audit_pipeline.statistics.estimate import measure
from audit_pipeline.statistics.multiplicity import holm
from audit_pipeline.statistics.permutation import p_more_inside, p_more_rows_inside
from audit_pipeline.statistics.share import Share
from audit_pipeline.statistics.tally import Counts, Tally


def overrepresented(cells: Cells, specs: Iterable[str], level: float, seed: int) -> tuple[Overrepresentation, ...]:
    """Each group's share of changed rows against everybody else's, the most over-represented first.

    A group that holds every row has nobody to be compared with and is left out.

    Args:
        cells: rows counted before and after.
        specs: group specs to look into.
        level: two-sided confidence level of the intervals, 0 to 1.
        seed: of the test's random deals.
    """
    [(_, everybody)] = _by_group(cells, OVERALL)
    groups = [
        (key, inside)
        for spec in dict.fromkeys(specs)
        for key, inside in _by_group(cells, spec)
        if inside.total < everybody.total
    ]
    named = cells.people is not None
    p_values = _p_values(everybody, [inside for _, inside in groups], named=named, seed=seed)
    found = []
    for (key, inside), p, adjusted in zip(groups, p_values, holm(p_values), strict=True):
        share, others = (Share(side.tally(named=named), CHANGE_CORRELATION) for side in (inside, everybody - inside))
        found.append(
            Overrepresentation(
                group=key,
                inside=measure(share, level),
                outside=measure(others, level),
                ratio=share.value / others.value if others.value else None,
                p=float(p),
                adjusted_p=float(adjusted),
            )
        )
    return tuple(sorted(found, key=_rank))


def _rank(found: Overrepresentation) -> tuple[float, float, str]:
    """The surest first, then by ratio, which has no bound where nothing changed outside."""
    inside = found.inside.estimate if isinstance(found.inside, Measured) else 0.0
    ratio = found.ratio if found.ratio is not None else np.inf if inside else 0.0
    return found.adjusted_p, -ratio, found.group.label


@dataclass(frozen=True, eq=False)
class _Side:
    """Rows inside a group, or outside it."""

    changed: Counts
    """[people] rows whose class changed."""
    rows: Counts
    """[people] all rows; 0 for who is not there."""

    def __sub__(self, part: _Side) -> _Side:
        return _Side(self.changed - part.changed, self.rows - part.rows)

    @property
    def total(self) -> int:
        return int(self.rows.sum())

    def tally(self, *, named: bool) -> Tally:
        there = self.rows > 0
        return Tally(self.changed[there], self.rows[there], named)


def _by_group(cells: Cells, spec: str) -> list[tuple[GroupKey, _Side]]:
    by_person = ByPerson(cells, cells.groups_of(spec))
    changed, everything = np.asarray(cells.before != cells.after), np.ones(len(cells), dtype=bool)
    people = 1 if cells.people is None else len(cells.people)
    found = []
    for key, (person, sums) in zip(by_person.grouping.keys, by_person.sums(changed, everything), strict=True):
        counts = np.zeros((2, people), dtype=np.int64)
        counts[:, person] = sums
        found.append((key, _Side(counts[0], counts[1])))
    return found


def _p_values(everybody: _Side, groups: Sequence[_Side], *, named: bool, seed: int) -> NDArray[np.float64]:
    """[groups] one-sided p-values of "no more change inside than outside"."""
    if not named or everybody.rows.max() == 1:
        overall = int(everybody.changed.sum())
        return np.asarray(
            [p_more_rows_inside(int(each.changed.sum()), each.total, overall, everybody.total) for each in groups]
        )
    p_values = np.empty(len(groups))
    parts = np.asarray([((each.rows > 0) & (each.rows < everybody.rows)).any() for each in groups], dtype=bool)
    if not parts.all():
        inside = np.stack([groups[number].rows > 0 for number in np.flatnonzero(~parts).tolist()], axis=1)
        p_values[~parts] = p_more_inside(everybody.changed, everybody.rows, inside, seed=seed)
    for number in np.flatnonzero(parts).tolist():
        p_values[number] = _p_of_parts(groups[number], everybody - groups[number], seed)
    return p_values


def _p_of_parts(inside: _Side, outside: _Side, seed: int) -> float:
    """Who has rows on both sides is dealt as two people, which widens the test where a person's rows are alike."""
    changed = np.concatenate([inside.changed, outside.changed])
    rows = np.concatenate([inside.rows, outside.rows])
    member = np.repeat([True, False], len(inside.rows))
    there = rows > 0
    return float(p_more_inside(changed[there], rows[there], member[there, None], seed=seed)[0])
