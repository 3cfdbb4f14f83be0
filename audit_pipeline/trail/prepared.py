"""Statements that are put into words once for each kind of database, and then cost no more than the driver takes.

Writers queue for the time in which one of them reads the log's end and writes the next entry. What SQLAlchemy does
around a statement each time was half of that time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect


@dataclass(frozen=True)
class _Words:
    """A statement as a driver takes it."""

    text: str
    fixed: Mapping[str, Any]
    """values that stand in the statement itself"""
    order: tuple[str, ...]
    """of all values, where the driver wants them without names"""


class Prepared:
    """One statement, within a transaction that SQLAlchemy has begun.

    Its values are given by name; their types have to be the database's own: text and integers. What the driver raises
    is raised as it is.
    """

    def __init__(self, statement: ClauseElement, *columns: str) -> None:
        """Prepare a statement; for an INSERT or UPDATE, of which columns."""
        self._statement = statement
        self._columns = columns
        self._worded: dict[type[Dialect], _Words] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Have the database carry it out."""
        self._cursor(connection, values).close()

    def first(self, connection: Connection, values: Mapping[str, Any] | None = None) -> Mapping[str, Any] | None:
        """Its first row, by column; None where there is none."""
        cursor = self._cursor(connection, values or {})
        row = cursor.fetchone()
        names = [column[0] for column in cursor.description]
        cursor.close()
        return None if row is None else dict(zip(names, row, strict=True))

    def _cursor(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        dialect = type(connection.dialect)
        if dialect not in self._worded:
            self._worded[dialect] = self._in_words(dialect)
        words = self._worded[dialect]
        given = {**words.fixed, **values}
        cursor = connection.connection.cursor()
        cursor.execute(words.text, tuple(map(given.__getitem__, words.order)) if words.order else given)
        return cursor

    def _in_words(self, dialect: type[Dialect]) -> _Words:
        compiled = self._statement.compile(dialect=dialect(), column_keys=list(self._columns) or None)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return _Words(str(compiled), fixed, tuple(getattr(compiled, "positiontup", None) or ()))
