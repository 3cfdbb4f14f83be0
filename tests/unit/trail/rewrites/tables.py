"""The log's tables as plain rows, and how somebody who knows the format makes them fit each other again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from story import Story, Told

from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note_key import NoteSigner

Row = dict[str, Any]

_TABLES = ("entry", "frontier", "log", "checkpoint")


@dataclass
class Tables:
    """All rows of a database, to be changed at will."""

    entry: list[Row]
    frontier: list[Row]
    log: list[Row]
    checkpoint: list[Row]

    @property
    def head(self) -> TreeHead:
        """What the entries' texts hash to, whatever the other columns say."""
        return _head([_leaf(row) for row in self.entry])

    def story(self) -> Story:
        """What the entries tell."""
        documents = [json.loads(row["canonical"]) for row in self.entry]
        return [Told(kind=each["kind"], run=each["run"], at=each["at"], body=each["body"]) for each in documents]

    def retell(self, story: Story) -> None:
        """Put other entries in the place of all, with every column as it has to be; what is as it was stays."""
        known = list(zip(self.story(), self.entry, strict=True))
        self.entry = [
            known[index][1] if index < len(known) and known[index][0] == told else _row(index, told)
            for index, told in enumerate(story)
        ]
        self.rehash()

    def add(self, told: Told) -> None:
        """Put one entry behind the others, without its hashes."""
        self.entry.append(_row(len(self.entry), told))

    def rehash(self, start: int = 0) -> None:
        """Compute leaf hashes, roots and nodes from an entry on, and the frontier."""
        leaves = [bytes.fromhex(row["leaf_hash"]) for row in self.entry[:start]]
        for row in self.entry[start:]:
            leaves.append(_leaf(row))
            row["leaf_hash"] = leaves[-1].hex()
            row["root"] = _head(leaves).root
            row["nodes"] = b"".join(_completed(leaves)).hex()
        peaks = b"".join(_root(leaves[start:end]) for start, end in _peaks(len(leaves)))
        self.frontier = [{"id": 1, "size": len(leaves), "peaks": peaks.hex()}]

    def sign(self, signer: NoteSigner) -> bytes:
        """Sign every head that the log passed through, and give the last, for the key's memory."""
        heads = [TreeHead(size, row["root"]) for size, row in enumerate(self.entry, start=1)]
        notes = [sign_checkpoint(signer, head).to_bytes() for head in heads]
        self.checkpoint = [
            {"number": number, "size": head.size, "note": note.decode()}
            for number, (head, note) in enumerate(zip(heads, notes, strict=True))
        ]
        return notes[-1] if notes else b""


def read_tables(path: Path) -> Tables:
    """All rows, each table by its key."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        found = (connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in _TABLES)
        return Tables(*([dict(row) for row in rows] for rows in found))


def write_tables(path: Path, tables: Tables) -> None:
    """Put these rows in the place of all, past the guards, which stand afterwards as they stood before."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        guards = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        for name in _TABLES:
            connection.execute(f"DELETE FROM {name}")
            for row in getattr(tables, name):
                columns = ", ".join(f'"{column}"' for column in row)
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {name} ({columns}) VALUES ({marks})", list(row.values()))
        for _, statement in guards:
            connection.execute(statement)
        connection.execute("COMMIT")


def canonical(index: int, told: Told) -> str:
    """The text of an entry, RFC 8785 for what the story holds."""
    return _written({"format": 2, "index": index, "salt": sha256(b"salt %d" % index).hexdigest()[:32], **told})


def header(text: str) -> str:
    """What of an entry's text is hashed into the tree; all of it where it is no such text."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if not isinstance(document, dict) or not {"body", "salt"} <= document.keys():
        return text
    secret = {name: document.pop(name) for name in ("body", "salt")}
    return _written({**document, "body_sha256": sha256(_written(secret).encode()).hexdigest()})


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _row(index: int, told: Told) -> Row:
    columns = {name: told[name] for name in ("kind", "run", "at")}  # type: ignore[literal-required]
    return {"index": index, **columns, "canonical": canonical(index, told)}


def _leaf(row: Row) -> bytes:
    return sha256(b"\x00" + header(row["canonical"]).encode()).digest()


def _head(leaves: list[bytes]) -> TreeHead:
    return TreeHead(len(leaves), _root(leaves).hex())


def _root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + _root(leaves[:middle]) + _root(leaves[middle:])).digest()


def _completed(leaves: list[bytes]) -> Iterable[bytes]:
    """Roots of the perfect subtrees of 2, 4, 8, … leaves that the last leaf completes."""
    width = 2
    while len(leaves) % width == 0:
        yield _root(leaves[-width:])
        width *= 2


def _peaks(size: int) -> Iterable[tuple[int, int]]:
    start = 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            yield start, start + (1 << bit)
            start += 1 << bit


Change = Callable[[Tables], object]
