"""The run folder: what one run leaves behind. It appears whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from audit_pipeline.durable import sync_folder
from audit_pipeline.errors import InputError, ToolError

EVIDENCE = "evidence.json"
POLICY = "policy.yaml"
MODEL = "model.tflite"
IMAGE = "firmware.bin"
VERDICT = "verdict.dsse.json"
RELEASE = "release.dsse.json"
SUMMARY = "svr.dsse.json"
MODEL_SIGNATURE = "model.sig"
HTML = "report.html"
MARKDOWN = "report.md"
PREDICTIONS = "predictions.npz"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PLACE_TAKEN = "a run's folder is never overwritten: choose another --run or another --reports"


def waiver(sha256: str) -> str:
    """Name of the file with a waiver that a verdict was given under.

    Args:
        sha256: of the waiver's payload.
    """
    return f"waiver-{sha256[:16]}.dsse.json"


def claim(reports: Path, run: str) -> Path:
    """Make sure that a run can be put in its place later, before hours of work go into it.

    Returns:
        The folder that `publish` will fill; it does not exist yet.

    Raises:
        InputError: the name cannot be a folder's on every system, the place is taken, or the reports folder cannot be
            made or written to.
    """
    if not _NAME.fullmatch(run):
        raise InputError(
            "run.bad-name",
            "a run's name is 1 to 128 letters, digits, dots, hyphens and underscores, a letter or digit first",
            where=f"--run {run[:64]!r}",
        )
    folder = reports / run
    if folder.exists():
        raise InputError("run.exists", "this run exists already", where=str(folder), hint=_PLACE_TAKEN)
    try:
        reports.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=reports, prefix=".claim-"):
            pass
    except OSError as error:
        raise InputError(
            "run.not-writable",
            f"the reports folder cannot be written to: {error.strerror}",
            where=str(reports),
            hint="give another folder with --reports",
        ) from error
    return folder


def way_to(manifest: Path, folder: Path) -> str | None:
    """The relative path, with `/`, by which a run's folder finds the data set's manifest again.

    Returns:
        None where the two have no folder in common but the root: such a path would spell out where things lie on this
        machine, and lead nowhere on another.
    """
    target, start = manifest.resolve(), folder.resolve()
    try:
        common = Path(os.path.commonpath((target, start)))
    except ValueError:  # on different drives
        return None
    return None if common == Path(common.anchor) else Path(os.path.relpath(target, start)).as_posix()


@contextmanager
def publishing(folder: Path, files: Mapping[str, bytes]) -> Iterator[None]:
    """Write the files beside their place and flush them to the disk; at the end of the block the folder moves in.

    What is done in the block, the last entry in the trail, happens after the disk turned out to have room, and before
    anybody can find the folder. Where the block raises, nothing is left behind.

    Raises:
        InputError: another run took the place meanwhile.
        ToolError: the disk is full or failed; nothing is left behind.
    """
    staging = None
    try:
        with _explained(folder):
            staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:64]}-"))
            _write(staging, files)
        yield
        with _explained(folder):
            staging.chmod(0o755)  # until now nobody else could have looked in
            staging.rename(folder)
        with suppress(OSError):  # it is in its place, whether or not the disk says so now
            sync_folder(folder.parent)
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _write(staging: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        with (staging / name).open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    sync_folder(staging)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if folder.exists():
            raise InputError("run.exists", "this run exists already", where=str(folder), hint=_PLACE_TAKEN) from error
        raise ToolError(
            "run.write-failed",
            f"the run could not be written: {error.strerror}",
            where=str(folder),
            hint="make room on the disk and run again; nothing was left behind",
        ) from error
