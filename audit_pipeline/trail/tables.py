"""The trail's tables: the entries, and the frontier of the Merkle tree over them.

These models are how rows are read and written. How the tables come to be, and the triggers that guard them against
UPDATE, DELETE and INSERT OR REPLACE, stands in `migrations`; a test holds the two to the same columns. Hashes are
kept as hexadecimal text and documents as text, so that a reviewer can read the database with any SQLite tool.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Text
from sqlmodel import Field, SQLModel


class EntryRow(SQLModel, table=True):
    """One entry. Every column but `canonical`, `leaf_hash` and `root` repeats the document, to select and sort by."""

    __tablename__ = "entry"
    __table_args__ = ({"sqlite_strict": True},)

    index: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=Text)
    run: str = Field(sa_type=Text, index=True)
    at: str = Field(sa_type=Text)
    canonical: str = Field(sa_type=Text)
    """the exact text that is hashed"""
    leaf_hash: str = Field(sa_type=Text)
    root: str = Field(sa_type=Text)
    """root of the tree with this entry as its last leaf; shows which entry was changed first"""


class FrontierRow(SQLModel, table=True):
    """The one row that grows the tree. See `merkle.Frontier`."""

    __tablename__ = "frontier"
    __table_args__ = (CheckConstraint("id = 1", name="only_one_frontier"), {"sqlite_strict": True})

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int
    peaks: str = Field(sa_type=Text)
