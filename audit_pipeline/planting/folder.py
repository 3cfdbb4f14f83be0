"""The folder of a data set with canaries: whole or not at all, the record apart from what the training is given."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_pipeline.durable import sync_folder
from audit_pipeline.errors import InputError, ToolError
from audit_pipeline.planting.plant import Planted
from audit_pipeline.privacy.canaries.record import RECORD, ROWS

SECRET = "record"  # noqa: S105 - a folder's name
"""Folder of the record: all else may be given to whoever trains."""


def check_folder(folder: Path) -> None:
    """Find out before any work whether the folder can be made.

    Raises:
        InputError: `canaries.exists` or `canaries.no-place`.
    """
    if folder.exists():
        raise InputError(
            "canaries.exists", "something is there already", where=str(folder), hint="choose another --out"
        )
    if not folder.absolute().parent.is_dir():
        raise InputError("canaries.no-place", "the folder it would be in does not exist", where=str(folder))


def write_folder(folder: Path, planted: Planted) -> Path:
    """Write the data set, and the record into a folder of its own that only its owner may open.

    Returns:
        Where the record is.

    Raises:
        InputError: as `check_folder`.
        ToolError: `canaries.write-failed`; nothing was left behind.
    """
    check_folder(folder)
    with _staging(folder) as staging:
        for name, content in planted.data.files.items():
            _write(staging / name, content)
        for name, source in planted.data.copies.items():
            shutil.copyfile(source, staging / name)
        secret = staging / SECRET
        secret.mkdir(mode=0o700)
        _write(secret / RECORD, planted.record)
        _write(secret / ROWS, planted.rows)
        staging.chmod(0o755)
        staging.rename(folder)
        sync_folder(folder.absolute().parent)
    return folder / SECRET / RECORD


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder beside the place, which is gone at the end unless it was moved in."""
    staging = None
    try:
        staging = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=".canaries-"))
        yield staging
    except OSError as error:
        raise ToolError(
            "canaries.write-failed",
            f"the data set could not be written: {error.strerror}",
            where=str(folder),
            hint="nothing was left behind",
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
