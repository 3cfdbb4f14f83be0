"""A PostgreSQL server of one's own: in a folder that goes away with it, reached by a socket there and by nothing else.

The server's programs come from Debian's package, or from wherever PATH has them. They refuse to run as root, so that
root starts them as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OWNER = "owner"
"""Owns every database, is let in without a password."""

GUEST = "guest"
"""A user whom the server asks for a password, where a test makes one."""

_DEBIAN = Path("/usr/lib/postgresql")
_ACCESS = f"local all {GUEST} scram-sha-256\nlocal all all trust\n"


class NoServerError(Exception):
    """No server can be started here; its text says why."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    folder: Path
    """holds its socket and its `data`"""

    def url(self, database: str, user: str = OWNER) -> str:
        """The address of one of its databases."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.folder), safe='')}"

    def stop(self) -> None:
        """End it at once, as a crash would."""
        _run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def start(self, *, durable: bool = True) -> None:
        """Start it, and wait until it answers.

        Args:
            durable: whether commits wait for the disk.
        """
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if durable else "off",
            "shared_buffers": "32MB",
            "lc_messages": "C",
        }
        options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
        _run("pg_ctl", "-D", self._data, "-o", options, "-l", self.folder / "log", "-w", "start")

    def query(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside any transaction, and give back its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def _data(self) -> Path:
        return self.folder / "data"


@contextmanager
def server(*, durable: bool = True) -> Iterator[Server]:
    """Make a server, start it, and remove it at the end of the block.

    Args:
        durable: whether commits wait for the disk.

    Raises:
        NoServerError: a program, the driver, or a user to run it as is missing.
    """
    _require_driver()
    # Not under a test's folder: a socket's path may have 107 bytes, and root's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if user := _user():
            shutil.chown(folder, user)
        made = Server(folder)
        _run("initdb", "-D", folder / "data", "-U", OWNER, "-E", "UTF8", "--locale=C", "--wal-segsize=1", "-N")
        (folder / "data" / "pg_hba.conf").write_text(_ACCESS)
        made.start(durable=durable)
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_driver() -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise NoServerError("psycopg is not installed: pip install 'audit-pipeline[postgres]'") from None


def _run(program: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [_program(program), *map(str, arguments)],
        user=_user(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        # Not captured: the server would hold a pipe open.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise NoServerError(f"{program} ended with {done.returncode}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        installed = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
        if not installed:
            raise NoServerError(f"PostgreSQL's {name} is not installed (Debian: postgresql)")
        found = str(installed[-1])
    return found


def _user() -> str | None:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NoServerError("PostgreSQL does not run as root, and there is no user postgres")
