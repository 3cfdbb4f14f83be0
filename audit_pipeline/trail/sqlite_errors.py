"""SQLite's error codes as errors that say what happened and what to do (https://www.sqlite.org/rescode.html).

A file that is no database is a wrong argument: exit 2. Everything else here is the machine's doing, exit 4: where the
trail cannot be read, nothing is said about whether its entries hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from audit_pipeline.errors import AuditError, InputError, ToolError

_MEANINGS: dict[int, tuple[type[AuditError], str, str, str]] = {
    sqlite3.SQLITE_BUSY: (
        ToolError,
        "trail.locked",
        "another process is writing to the trail and did not finish in time",
        "run again when it has ended; a copying or backup tool may hold the file too",
    ),
    sqlite3.SQLITE_READONLY: (
        ToolError,
        "trail.read-only",
        "the trail may not be written to",
        "the file, its folder and any -wal and -shm file beside it must be writable, the folder even to read; "
        "to read only, copy them to a folder of your own",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        ToolError,
        "trail.cannot-open",
        "the trail cannot be opened",
        "check that it is there, and that this user may read it and write to its folder; to read one in a folder that "
        "nobody writes to, copy it to a folder of your own, with any -wal beside it",
    ),
    sqlite3.SQLITE_FULL: (
        ToolError,
        "trail.disk-full",
        "the disk is full",
        "the entry was not recorded: free some space and run again",
    ),
    sqlite3.SQLITE_IOERR: (
        ToolError,
        "trail.disk",
        "the disk failed while the trail was read or written",
        "an entry that was not acknowledged was not recorded",
    ),
    sqlite3.SQLITE_CORRUPT: (
        ToolError,
        "trail.corrupt",
        "the trail's file is damaged",
        "keep it as it is and restore a copy; `sqlite3 FILE .recover` saves what can be read",
    ),
    sqlite3.SQLITE_NOTADB: (
        InputError,
        "trail.not-a-database",
        "this is not an SQLite database",
        "name the trail's own file; if this was one, it was overwritten: restore a copy",
    ),
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the database raises within the block into an `AuditError` that names `path`."""
    try:
        yield
    except DBAPIError as error:
        raise _explanation(error.orig, path) from error
    except sqlite3.Error as error:
        raise _explanation(error, path) from error
    except UnicodeDecodeError as error:
        # Python's driver cannot decode SQLite's own message where that quotes a damaged schema.
        raise _error(sqlite3.SQLITE_CORRUPT, path) from error


def primary_code(error: BaseException | None) -> int:
    """SQLite's result code without its extension, which is in the higher bytes; `SQLITE_ERROR` where there is none."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _explanation(error: BaseException | None, path: Path) -> AuditError:
    code = primary_code(error)
    if code in _MEANINGS:
        return _error(code, path)
    return ToolError("trail.database", f"the trail's database refused: {error}", where=str(path))


def _error(code: int, path: Path) -> AuditError:
    family, name, what, hint = _MEANINGS[code]
    return family(name, what, where=str(path), hint=hint)
