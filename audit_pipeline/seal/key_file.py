"""Key files on disk: read without surprises, and written so that a file is there whole or was never there.

A new file is written where it has no name, synced, and then linked to its name, which fails if the name is taken: a
full disk, a crash or a kill leaves nothing. Who may enter the folder is not looked at: the passphrase guards against
whoever reads the file, and whoever puts another in its place cannot make the maker's passphrase open it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from audit_pipeline.errors import InputError, ToolError

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_FILE_BYTES = 1 << 14
_PRIVATE_MARK = b"PRIVATE KEY-----"


def read_key_file(path: Path) -> bytes:
    """All of a key file; one that holds a private key must be its owner's alone.

    Raises:
        InputError: `keys.not-found`, `keys.unreadable`, `keys.not-pem` or `keys.readable-by-others`.
    """
    content, mode = _read(path)
    if len(content) > _MAX_FILE_BYTES:
        raise InputError("keys.not-pem", "this is too long to be a key", where=str(path))
    if _PRIVATE_MARK in content and mode & _OTHERS:
        raise InputError(
            "keys.readable-by-others",
            f"others than its owner may use this private key (mode {stat.S_IMODE(mode):04o})",
            where=str(path),
            hint=f"chmod 600 {path}",
        )
    return content


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that must not exist yet.

    Raises:
        InputError: `keys.exists` (nothing is ever overwritten) or `keys.no-folder`.
        ToolError: `keys.write-failed`; nothing is left behind.
    """
    try:
        with _unnamed(path.parent) as (descriptor, source):
            os.fchmod(descriptor, mode)
            _write_all(descriptor, content)
            os.fsync(descriptor)
            _link(source, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise InputError(
            "keys.exists", "a key is never overwritten", where=str(path), hint="choose another name"
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            "keys.no-folder", "the folder for the key does not exist", where=str(path.parent), hint="make it first"
        ) from None
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "its name holds a zero byte"
        raise ToolError("keys.write-failed", f"the key could not be written: {what}", where=str(path)) from None


def _read(path: Path) -> tuple[bytes, int]:
    """Up to one byte more than a key file may have, and the file's mode; only regular files, which never block."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise InputError("keys.unreadable", "a key is read from a regular file only", where=str(path))
            return stream.read(_MAX_FILE_BYTES + 1), mode
    except FileNotFoundError:
        raise InputError(
            "keys.not-found", "there is no such key file", where=str(path), hint="make one with `audit keys new`"
        ) from None
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "its name holds a zero byte"
        raise InputError("keys.unreadable", f"the key file cannot be read: {what}", where=str(path)) from None


@contextlib.contextmanager
def _unnamed(folder: Path) -> Iterator[tuple[int, str]]:
    """A new file and a path to link it by: one without a name, or on filesystems that have none a hidden one."""
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, PRIVATE_MODE)
    except (AttributeError, IsADirectoryError, OSError) as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError, PermissionError)):
            raise
        descriptor, name = tempfile.mkstemp(prefix=".audit-", dir=folder)
        try:
            yield descriptor, name
        finally:
            os.close(descriptor)
            Path(name).unlink(missing_ok=True)
        return
    try:
        yield descriptor, f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _link(source: str, path: Path) -> None:
    """Give a file its name; the folder's descriptor makes Python ask for the symbolic link in /proc to be followed."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(source, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
