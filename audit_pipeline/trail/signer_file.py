"""Files with the private key of a log or a witness: one line, its owner's alone, there whole or not at all."""

from __future__ import annotations

import os
import shlex
import stat
import tempfile
from pathlib import Path

from audit_pipeline.durable import sync_folder
from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.regular_file import read_regular_file
from audit_pipeline.trail.note_key import NoteSigner

_MAX_FILE_BYTES = 1 << 12
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_signer(path: Path, *, kind: int) -> NoteSigner:
    """The private key that a file holds.

    Args:
        path: the file.
        kind: what it has to be, `note_key.ED25519` for a log, `note_key.COSIGNATURE` for a witness.

    Raises:
        FileNotFoundError: there is none, which means something else to each caller.
        InputError: `note.unreadable`, `note.readable-by-others` or `note.skey`.
    """
    try:
        content = read_regular_file(path, largest_bytes=_MAX_FILE_BYTES)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError("note.unreadable", f"the key cannot be read: {error.strerror}", where=str(path)) from None
    if mode & _OTHERS:
        raise InputError(
            "note.readable-by-others",
            f"others than its owner may use this private key (mode {stat.S_IMODE(mode):04o})",
            where=str(path),
            hint=f"chmod 600 {shlex.quote(str(path))}",
        )
    signer = NoteSigner.parse(content.decode("ascii", "replace").strip(), where=str(path))
    if signer.key.kind != kind:
        raise InputError(
            "note.skey", "this is a witness's key and not a log's, or the other way round", where=str(path)
        )
    return signer


def write_signer(path: Path, signer: NoteSigner) -> None:
    """Write a private key where nothing is yet, mode 0600; on disk when this returns.

    Raises:
        FileExistsError: something is there, which means something else to each caller.
        ToolError: `note.write-failed`; nothing is left behind.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=".audit-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(f"{signer.to_skey()}\n".encode())
                stream.flush()
                os.fsync(stream.fileno())
            # Unlike a rename, a link takes nobody's name away.
            os.link(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise ToolError(
            "note.write-failed", f"the key could not be written: {error.strerror}", where=str(path)
        ) from None
