"""Files that a command is told to write: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from audit_pipeline.errors import InputError


def check_place(path: Path) -> None:
    """Find out before any work whether a file can be put there.

    Raises:
        InputError: its folder does not exist, or it is a folder itself.
    """
    if path.is_dir() or not path.parent.is_dir():
        what = "it is a folder" if path.is_dir() else "its folder does not exist"
        raise InputError("output.no-place", f"nothing can be written here: {what}", where=str(path))


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the place, then move in; an error leaves what was there before.

    Raises:
        InputError: as `check_place`.
        OSError: the system refused.
    """
    check_place(path)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".audit-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
