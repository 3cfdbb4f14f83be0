"""A part of the report as a title, what is said, and a table: written once, drawn as a page and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.measurement import GroupKey, Measurement

Cell = str | GroupKey | Measurement | None
"""Words, a group, a number with its interval, or nothing."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under their heads."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: frozenset[int] = frozenset()
    """Columns that hold numbers."""
    differences: frozenset[int] = frozenset()
    """Columns whose numbers are differences, and bear their sign."""
    note: str = ""
    """What must be remembered of every row, where a row may be read or copied alone."""


@dataclass(frozen=True)
class Section:
    """One heading of the report and what stands under it."""

    title: str
    said: tuple[str, ...] = ()
    table: Table | None = None
    listed: tuple[str, ...] = ()
    """Points of a list, under the table."""
    more: Table | None = None
    """What is there for whoever looks closer: a page folds it, a text leaves it out."""
