"""Key files on disk: read without surprises, and written so that a file is there whole or was never there.

A new file is written where it has no name, synced, and then linked to its name, which fails if the name is taken: a
full disk, a crash or a kill leaves nothing. Who may enter the folder is not looked at: the passphrase guards against
whoever reads the file, and whoever puts another in its place cannot make the maker's passphrase open it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.durable import sync_folder
from audit_pipeline.errors import InputError, ToolError

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAX_FILE_BYTES = 1 << 14
_NO_UNNAMED_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}
"""What open(2) says of O_TMPFILE where the filesystem or the kernel does not have it."""
_OPEN_FILES = Path("/proc/self/fd")
_NO_PLACE = {errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP}
_PRIVATE_MARK = b"PRIVATE KEY-----"


@dataclass(frozen=True)
class NewFile:
    """A file to be written, where none is yet."""

    path: Path
    content: bytes
    mode: int


def read_key_file(path: Path, *, missing: str) -> bytes:
    """All of a key file; one that holds a private key must be its owner's alone.

    Args:
        path: the file.
        missing: what to do where there is none.

    Raises:
        InputError: `keys.not-found`, `keys.unreadable`, `keys.not-pem` or `keys.readable-by-others`.
    """
    content, mode = _read(path, missing)
    if len(content) > _MAX_FILE_BYTES:
        raise InputError("keys.not-pem", "this is too long to be a key", where=str(path))
    if _PRIVATE_MARK in content and mode & _OTHERS:
        raise InputError(
            "keys.readable-by-others",
            f"others than its owner may use this private key (mode {stat.S_IMODE(mode):04o})",
            where=str(path),
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )
    return content


def write_new(*files: NewFile) -> None:
    """Write files that must not exist yet, all of them or none.

    All are on disk before the first gets its name; a kill between two names leaves the first ones, whole.

    Raises:
        InputError: `keys.exists` (nothing is ever overwritten), `keys.no-folder` or `keys.no-place`.
        ToolError: `keys.write-failed`. Nothing is left behind by any of them.
    """
    with contextlib.ExitStack() as staged, contextlib.ExitStack() as undo:
        sources = [staged.enter_context(_staged(file)) for file in files]
        for file, source in zip(files, sources, strict=True):
            with _told(file.path):
                _link(source, file.path)
            undo.callback(file.path.unlink)
        for folder in {file.path.parent for file in files}:
            with _told(folder):
                sync_folder(folder)
        undo.pop_all()


def _read(path: Path, missing: str) -> tuple[bytes, int]:
    """Up to one byte more than a key file may have, and the file's mode; only regular files, which never block."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise InputError("keys.unreadable", "a key is read from a regular file only", where=str(path))
            return stream.read(_MAX_FILE_BYTES + 1), mode
    except FileNotFoundError:
        raise InputError("keys.not-found", "there is no such key file", where=str(path), hint=missing) from None
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "its name holds a zero byte"
        raise InputError("keys.unreadable", f"the key file cannot be read: {what}", where=str(path)) from None


@contextlib.contextmanager
def _staged(file: NewFile) -> Iterator[str]:
    """A path to link a file by, whose content is on disk already."""
    with _unnamed(file.path) as (descriptor, source):
        with _told(file.path):
            os.fchmod(descriptor, file.mode)
            _write_all(descriptor, file.content)
            os.fsync(descriptor)
        yield source


@contextlib.contextmanager
def _unnamed(path: Path) -> Iterator[tuple[int, str]]:
    """A new file and a path to link it by: one without a name, or on filesystems that have none a hidden one."""
    hidden: str | None = None
    with _told(path):
        try:
            # Without the flag a folder cannot be opened for writing, which ends in the other way too.
            without_name = getattr(os, "O_TMPFILE", 0) if _OPEN_FILES.is_dir() else 0
            descriptor = os.open(path.parent, without_name | os.O_WRONLY | os.O_CLOEXEC, PRIVATE_MODE)
        except OSError as error:
            if error.errno not in _NO_UNNAMED_FILES:
                raise
            descriptor, hidden = tempfile.mkstemp(prefix=".audit-", dir=path.parent)
    try:
        yield descriptor, hidden or str(_OPEN_FILES / str(descriptor))
    finally:
        os.close(descriptor)
        if hidden is not None:
            Path(hidden).unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the system refuses while a file is written, in our words."""
    try:
        yield
    except FileExistsError:
        raise InputError(
            "keys.exists", "a key is never overwritten", where=str(path), hint="choose another name"
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            "keys.no-folder", "the folder for the key does not exist", where=str(path.parent), hint="make it first"
        ) from None
    except ValueError:
        raise _no_place(path, "its name holds a zero byte") from None
    except OSError as error:
        if error.errno in _NO_PLACE:
            raise _no_place(path, str(error.strerror)) from None
        raise ToolError(
            "keys.write-failed", f"the key could not be written: {error.strerror}", where=str(path)
        ) from None


def _no_place(path: Path, why: str) -> InputError:
    return InputError("keys.no-place", f"no key can be put here: {why}", where=str(path), hint="choose another place")


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
