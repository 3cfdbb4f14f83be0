"""PostgreSQL's error codes as errors that say what happened and what to do (its documentation's appendix A).

A wrong address, name or password is a wrong argument: exit 2. Everything else here is the server's or the network's
doing, exit 4. The server's own sentence is repeated where ours cannot be as precise; it holds no password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from audit_pipeline.errors import AuditError, InputError, ToolError

_Meaning = tuple[type[AuditError], str, str, str]

_MEANINGS: dict[str, _Meaning] = {
    "55P03": (
        ToolError,
        "trail.locked",
        "another process is writing to the trail and did not finish in time",
        "run again when it has ended; `SELECT * FROM pg_stat_activity` on the server shows which it is",
    ),
    "25006": (
        ToolError,
        "trail.read-only",
        "the server takes no writes",
        "it may be a standby, or in maintenance: give the address of the primary",
    ),
    "42501": (
        ToolError,
        "trail.forbidden",
        "this user may not do that on the server",
        "to read: SELECT on all tables of the trail; to write: INSERT and UPDATE as well; its owner alone makes it and "
        "brings it up to date",
    ),
    "53100": (
        ToolError,
        "trail.disk-full",
        "the server's disk is full",
        "the entry was not recorded: free some space there and run again",
    ),
    "58030": (
        ToolError,
        "trail.disk",
        "the server's disk failed while the trail was read or written",
        "an entry that was not acknowledged was not recorded",
    ),
    "XX001": (
        ToolError,
        "trail.corrupt",
        "the trail's table is damaged on the server's disk",
        "keep it as it is and restore a copy",
    ),
    "XX002": (
        ToolError,
        "trail.corrupt",
        "an index of the trail is damaged on the server's disk",
        "keep a copy as it is, then REINDEX, and `audit log verify`",
    ),
    "3F000": (
        InputError,
        "trail.absent",
        "the schema that the trail's address names does not exist",
        "make it first, or name another",
    ),
}

_LOGIN = "check the user and the password: in the address, in PGPASSWORD, or in ~/.pgpass"

# What a server says while a connection is made comes without its code (libpq's PQerrorMessage is all there is).
_CONNECTING: tuple[tuple[str, _Meaning], ...] = (
    (r"authentication failed", (InputError, "trail.login", "the server refused the user or the password", _LOGIN)),
    (r"no password supplied", (InputError, "trail.login", "the server asks for a password", _LOGIN)),
    (r"no pg_hba.conf entry", (InputError, "trail.login", "the server does not let this user in from here", _LOGIN)),
    (r'role ".*" does not exist', (InputError, "trail.login", "the server does not know this user", _LOGIN)),
    (
        r'database ".*" does not exist',
        (
            InputError,
            "trail.absent",
            "the server has no database of this name",
            "make it first: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        ),
    ),
)


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what the server or its driver raises within the block into an `AuditError` that names the trail."""
    try:
        yield
    except DBAPIError as error:
        raise _explanation(error.orig, where) from error
    except psycopg.Error as error:
        raise _explanation(error, where) from error


def unreachable(error: psycopg.OperationalError, where: str) -> AuditError:
    """What to say where no connection was made."""
    said = _one_line(error)
    for pattern, (family, code, what, hint) in _CONNECTING:
        if re.search(pattern, said):
            return family(code, what, where=where, hint=hint)
    return ToolError(
        "trail.server",
        f"the trail's server cannot be reached: {said}",
        where=where,
        hint="check that it runs, and the address; nothing was recorded",
    )


def _explanation(error: BaseException | None, where: str) -> AuditError:
    state = getattr(error, "sqlstate", None)
    if state in _MEANINGS:
        family, code, what, hint = _MEANINGS[state]
        return family(code, what, where=where, hint=hint)
    # Class 08 and 57P0x: the connection, or the server itself, ended. libpq gives no code where it was cut.
    if state is None or state.startswith(("08", "57P0")):
        return ToolError(
            "trail.server",
            f"the connection to the trail's server broke: {_one_line(error)}",
            where=where,
            hint="if it broke while an entry was committed, that entry may stand in the log: `audit log list` shows it",
        )
    return ToolError("trail.database", f"the trail's database refused: {_one_line(error)}", where=where)


def _one_line(error: object) -> str:
    # What a server sends reaches no terminal raw.
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(str(error).split()))
