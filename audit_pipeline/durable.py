"""Files that are there after a power cut: content and name are on the disk when these return."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Put new content in the place of a file, whole; a kill at any moment leaves the one or the other.

    Only one process at a time may replace a file: what is written beside it has one name, so that what a kill leaves
    there is written over.

    Args:
        path: the file, which need not exist.
        content: its new bytes.
        mode: permissions of the new file, less the process's umask.

    Raises:
        OSError: as the system says.
    """
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder written to the disk, where the system can do that.

    Raises:
        OSError: as the system says.
    """
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
