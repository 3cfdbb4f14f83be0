"""A copy of a log as a power cut may leave it: the database, and its write-ahead log cut off anywhere.

Part of the log was moved into the database file before, as SQLite does every thousand pages; the rest stands in the
write-ahead log alone. That file is cut at every page, a few bytes before and after each, and in the midst of each. How
many entries must then be there is read from the frames (https://www.sqlite.org/fileformat2.html#walformat) by the few
lines here: those of the last transaction whose commit frame is whole.
"""

from __future__ import annotations

import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.errors import AuditError
from audit_pipeline.trail.log import Trail
from benchmarks.table import Row
from benchmarks.trail_checkpoints import newest_checkpoint, unlike_the_log

_AT = "2026-11-23T12:00:00Z"
_IN_THE_DATABASE = 40
_IN_THE_WAL = 40
_WAL_HEADER, _FRAME_HEADER = 32, 24


@dataclass(frozen=True)
class _Log:
    """The two files of a log, and how many entries were acknowledged when the second had which length."""

    database: bytes
    wal: bytes
    moved: int
    """entries that stood in the database file"""
    lengths: tuple[tuple[int, int], ...]
    """pairs: bytes of the write-ahead log after an append, entries acknowledged"""
    leaves: tuple[bytes, ...]
    key: dict[str, bytes]
    """files of the log's key, by name"""

    def page_ends(self) -> list[int]:
        """Where each frame of the write-ahead log ends."""
        frame = _FRAME_HEADER + struct.unpack_from(">I", self.wal, 8)[0]
        return list(range(_WAL_HEADER, len(self.wal) + 1, frame))

    def acknowledged(self, length: int) -> int:
        """Entries that must be there when so many bytes of the write-ahead log are."""
        return max((entries for end, entries in self.lengths if end <= length), default=self.moved)


def rows() -> list[Row]:
    """Every cut of one log."""
    with tempfile.TemporaryDirectory() as folder:
        log = _written(Path(folder))
        ends = log.page_ends()
        cuts = sorted({cut for end in ends for cut in _around(end, ends[1] - ends[0]) if 0 <= cut <= len(log.wal)})
        wrong = [problem for cut in cuts for problem in _problems(log, cut, Path(folder) / f"cut-{cut}")]
    for problem in wrong[:10]:
        print("write-ahead log cut:", problem)
    return [
        Row("pages of the write-ahead log that it was cut at", len(ends) - 1, "", at_least=100),
        Row("cuts at and inside of pages", len(cuts), "", at_least=500),
        Row("copies that do not open, verify and hold what was acknowledged", len(wrong), "", at_most=0),
    ]


def _around(end: int, frame: int) -> tuple[int, ...]:
    return (end, end - 1, end + 1, end + _FRAME_HEADER, end + frame // 2)


def _written(folder: Path) -> _Log:
    path, lengths = folder / "audit.db", []
    wal = Path(f"{path}-wal")
    with Trail.open(path) as trail:
        for number in range(_IN_THE_DATABASE):
            trail.append("data", run="cut", at=_AT, body={"number": number})
        _move_into_the_database(path)
        with sqlite3.connect(path, isolation_level=None) as holder:
            # An open reader keeps SQLite from beginning the write-ahead log anew.
            holder.execute("BEGIN").execute('SELECT max("index") FROM entry').fetchall()
            database = path.read_bytes()
            for number in range(_IN_THE_WAL):
                receipt = trail.append("data", run="cut", at=_AT, body={"more": number})
                lengths.append((wal.stat().st_size, receipt.entry.index + 1))
            assert path.read_bytes() == database, "SQLite moved pages into the database meanwhile"
            log = wal.read_bytes()
        leaves = tuple(entry.leaf_hash for entry in trail.entries())
        key = {name.name: name.read_bytes() for name in folder.glob("audit.db.key*")}
    return _Log(database, log, _IN_THE_DATABASE, tuple(lengths), leaves, key)


def _move_into_the_database(path: Path) -> None:
    with sqlite3.connect(path, isolation_level=None) as connection:
        blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not blocked
    connection.close()


def _problems(log: _Log, cut: int, folder: Path) -> Iterator[str]:
    folder.mkdir()
    path = folder / "audit.db"
    path.write_bytes(log.database)
    Path(f"{path}-wal").write_bytes(log.wal[:cut])
    for name, content in log.key.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    must = log.acknowledged(cut)
    try:
        with Trail.open(path, create=False) as trail:
            size = trail.verify().size
            found = tuple(entry.leaf_hash for entry in trail.entries())
            newest = newest_checkpoint(trail)
            wrong = "its checkpoint is ahead" if newest.size > size else unlike_the_log(trail, newest)
        if found != log.leaves[:size] or not must <= size <= must + 1:
            yield f"at byte {cut}: {size} entries instead of {must}"
        if wrong:
            yield f"at byte {cut}: {wrong}"
        yield from _when_written(path, size, len(log.leaves), cut)
    except AuditError as error:
        yield f"at byte {cut}: {error.code} {error}"
    shutil.rmtree(folder)


def _when_written(path: Path, size: int, remembered: int, cut: int) -> Iterator[str]:
    """Nobody goes on from a copy that lost entries: the log's key remembers more of them."""
    code = None
    try:
        with Trail.open(path) as trail:
            trail.append("data", run="after", at=_AT, body={})
    except AuditError as error:
        code = error.code
    if code != ("trail.rolled-back" if size < remembered else None):
        yield f"at byte {cut}: writing on ended in {code}"
