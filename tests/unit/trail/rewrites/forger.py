"""Somebody who holds all that a log's keeper holds: database, key, what the key remembers, and old copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from story import Story, Told
from tables import Change, Tables, read_tables, write_tables

from audit_pipeline.trail.note_key import NoteSigner

DATABASE, KEY, MEMORY = "audit.db", "audit.db.key", "audit.db.key.checkpoint"


@dataclass(frozen=True)
class Files:
    """What lay on the keeper's disk at one size of the log."""

    database: bytes
    key: bytes
    memory: bytes | None

    @classmethod
    def of(cls, folder: Path) -> Files:
        """What lies there now; the log must be closed."""
        memory = folder / MEMORY
        return cls(
            (folder / DATABASE).read_bytes(),
            (folder / KEY).read_bytes(),
            memory.read_bytes() if memory.exists() else None,
        )

    def lay(self, folder: Path) -> None:
        """Put them there, and nothing else beside them."""
        for old in folder.iterdir():
            old.unlink()
        (folder / DATABASE).write_bytes(self.database)
        (folder / KEY).write_bytes(self.key)
        (folder / KEY).chmod(0o600)
        if self.memory is not None:
            (folder / MEMORY).write_bytes(self.memory)


@dataclass(frozen=True)
class Forger:
    """Rewrites what lies in a folder."""

    folder: Path
    signer: NoteSigner
    past: tuple[Files, ...]
    """copies from earlier days, by the number of entries"""

    @property
    def database(self) -> Path:
        """The log's file."""
        return self.folder / DATABASE

    @property
    def memory(self) -> bytes:
        """What the log's key remembers."""
        return (self.folder / MEMORY).read_bytes()

    def retell(self, story: Story) -> None:
        """Another story, whole: text, columns, hashes, nodes, frontier, checkpoints and memory."""
        self.change(lambda tables: tables.retell(story), rehash=False)

    def append(self, *told: Told) -> None:
        """Go on with what lies there."""

        def more(tables: Tables) -> None:
            tables.retell([*tables.story(), *told])

        self.change(more, rehash=False)

    def change(self, change: Change, *, rehash: bool = True, sign: bool = True) -> None:
        """Change rows, and perhaps make everything else fit them."""
        tables = read_tables(self.database)
        change(tables)
        if rehash:
            tables.rehash()
        if sign:
            self.remember(tables.sign(self.signer))
        write_tables(self.database, tables)

    def restore(self, size: int, *, memory: bool) -> None:
        """The file of an earlier day, with or without what the key remembered then."""
        old, now = self.past[size], self.memory
        old.lay(self.folder)
        if not memory:
            self.remember(now)

    def remember(self, note: bytes) -> None:
        """Make the key remember a checkpoint, or none."""
        if note:
            (self.folder / MEMORY).write_bytes(note)
        else:
            (self.folder / MEMORY).unlink(missing_ok=True)
