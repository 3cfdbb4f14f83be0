"""The trail's tables: the entries, the Merkle tree over them, the log's identity and its signed checkpoints.

These models are how rows are read and written. How the tables come to be, and the triggers that guard them against
UPDATE, DELETE and INSERT OR REPLACE, stands in `migrations`; a test holds the two to the same columns. Hashes are
kept as hexadecimal text and documents as text, so that a reviewer can read the database with any SQLite tool.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Text
from sqlmodel import Field, SQLModel


class EntryRow(SQLModel, table=True):
    """One entry. `index`, `kind`, `run` and `at` repeat the document, to select and sort by."""

    __tablename__ = "entry"
    __table_args__ = ({"sqlite_strict": True},)

    index: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(sa_type=Text, index=True)
    run: str = Field(sa_type=Text, index=True)
    at: str = Field(sa_type=Text)
    canonical: str = Field(sa_type=Text)
    """the document; its header alone where a `redaction` entry says that its text was taken out"""
    leaf_hash: str = Field(sa_type=Text)
    root: str = Field(sa_type=Text)
    """root of the tree with this entry as its last leaf; shows which entry was changed first"""
    nodes: str = Field(sa_type=Text)
    """roots of the perfect subtrees of 2, 4, 8, … leaves that this entry completes; proofs are made of them"""


class FrontierRow(SQLModel, table=True):
    """The one row that grows the tree. See `merkle.Frontier`."""

    __tablename__ = "frontier"
    __table_args__ = (
        CheckConstraint("id = 1", name="only_one_frontier"),
        {"sqlite_strict": True, "comment": "audit trail, append-only"},
    )

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    size: int
    peaks: str = Field(sa_type=Text)


class LogRow(SQLModel, table=True):
    """The one row that says which log this is, set once."""

    __tablename__ = "log"
    __table_args__ = (CheckConstraint("id = 1", name="only_one_log"), {"sqlite_strict": True})

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    origin: str = Field(sa_type=Text)
    """first line of its checkpoints (C2SP tlog-checkpoint)"""
    vkey: str = Field(sa_type=Text)
    """its key (C2SP signed-note)"""


class CheckpointRow(SQLModel, table=True):
    """One signed checkpoint. Cosignatures come as further rows of the same size."""

    __tablename__ = "checkpoint"
    __table_args__ = ({"sqlite_strict": True},)

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """from 0, in the order in which they came"""
    size: int = Field(index=True)
    """number of entries that it covers"""
    note: str = Field(sa_type=Text)
    """the whole signed note (C2SP signed-note)"""
