"""Reading a file that somebody else put there: a pipe never blocks, a device never fills the memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular_file(path: Path, *, largest_bytes: int) -> bytes:
    """The content of a regular file.

    Args:
        path: the file, or a symbolic link to it.
        largest_bytes: how many bytes it may have.

    Raises:
        OSError: it cannot be read; with EINVAL, it is a pipe or a device; with EFBIG, it is larger. `strerror` says so.
    """
    with open(path, "rb", opener=_open_at_once) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")
        content = stream.read(largest_bytes + 1)
    if len(content) > largest_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {largest_bytes >> 20} MiB")
    return content


def _open_at_once(path: str, flags: int) -> int:
    """Opening a pipe waits for whoever writes to it, unless told not to."""
    return os.open(path, flags | os.O_NONBLOCK)
