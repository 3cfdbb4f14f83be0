"""A log as a bundle that checks itself: the entries, the signed checkpoint, a checker, and how to use it.

A bundle holds the log as far as it was signed, and the same log gives the same bytes. The tree's nodes are left out,
since whoever checks makes them anew. Nothing is exported of a log that does not hold.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail.checkpoint import Checkpoint
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, check_log, unsigned
from audit_pipeline.trail.redaction import redactions_of

ENTRIES = "entries.jsonl"
CHECKPOINT = "checkpoint.txt"
HOW_TO = "CHECK.md"
CHECKER = "check.py"

_FILES = (HOW_TO, CHECKPOINT, CHECKER, ENTRIES)
_FOLDER_IN_TAR = "audit-log"
_TAR = ".tar"
_PACKED = {".gz", ".tgz", ".xz", ".bz2", ".zst", ".zip", ".7z"}


@dataclass(frozen=True)
class Exported:
    """What a bundle holds."""

    checkpoint: Checkpoint
    vkey: str
    """the log's public key, as the log names it"""


def check_export_place(place: Path) -> None:
    """Find out before any work whether a bundle can be put somewhere.

    Raises:
        InputError: `export.exists`, `export.no-folder` or `export.form`.
    """
    if place.exists() or place.is_symlink():
        raise InputError("export.exists", "an export is never overwritten", where=str(place), hint="name another place")
    if not place.parent.is_dir():
        raise InputError("export.no-folder", "its folder does not exist", where=str(place), hint="make it first")
    if place.suffix.lower() in _PACKED:
        raise InputError(
            "export.form",
            "an export is a folder or a .tar file",
            where=str(place),
            hint="name a .tar, and compress it afterwards",
        )


def export(trail: Trail, place: Path, trust: LogTrust) -> Exported:
    """Write a bundle, whole or not at all.

    Args:
        trail: the log.
        place: a folder or, where it ends in `.tar`, a file; nothing may be there yet.
        trust: what the log is held against before it is exported.

    Raises:
        InputError: as `check_export_place`.
        RejectedError: as `log_trust.check_log`; `export.redacted-since`, a text was taken out after what is exported.
        ToolError: `export.write-failed`; nothing was left behind.
    """
    check_export_place(place)
    checked = check_log(trail, trust, covers=1)
    if checked.note is None or checked.signed is None or checked.key is None:
        raise unsigned(trail, 1)
    size, vkey = checked.signed.head.size, checked.key.to_vkey()
    _refuse_later_redactions(trail, size)
    with _staging(place) as folder:
        how_to = _template(HOW_TO).decode().format(origin=checked.signed.origin, vkey=vkey, size=size)
        (folder / HOW_TO).write_text(how_to, encoding="utf-8", newline="\n")
        (folder / CHECKPOINT).write_bytes(checked.note.to_bytes())
        (folder / CHECKER).write_bytes(_template(CHECKER))
        with (folder / ENTRIES).open("wb") as stream:
            stream.writelines(_lines(islice(trail.entries(), size)))
        _move_in(folder, place)
    return Exported(checked.signed, vkey)


def _refuse_later_redactions(trail: Trail, size: int) -> None:
    """Refuse to export an entry without its text where the reason would be left out."""
    later = (entry for entry in trail.entries(kind="redaction") if entry.index >= size)
    for index in redactions_of(later, trail.where):
        if index < size:
            raise RejectedError(
                "export.redacted-since",
                f"the text of entry {index} was taken out after the checkpoint of {size} entries",
                where=trail.where,
                hint="have the newest checkpoint cosigned first (`audit log witness ask`), and export under that",
            )


def _lines(entries: Iterable[Entry]) -> Iterator[bytes]:
    for entry in entries:
        yield entry.canonical + b"\n"


def _template(name: str) -> bytes:
    return (resources.files("audit_pipeline.trail.bundle") / name).read_bytes()


@contextmanager
def _staging(place: Path) -> Iterator[Path]:
    """A folder beside the place, which is gone at the end unless it was moved in."""
    beside = None
    try:
        beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".audit-"))
        folder = beside / _FOLDER_IN_TAR
        folder.mkdir()
        yield folder
    except FileExistsError as error:
        raise InputError("export.exists", "something was put here meanwhile", where=str(place)) from error
    except OSError as error:
        raise ToolError(
            "export.write-failed",
            f"the export could not be written: {error.strerror}",
            where=str(place),
            hint="nothing was left behind",
        ) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _move_in(folder: Path, place: Path) -> None:
    if place.suffix != _TAR:
        if place.exists():
            raise FileExistsError
        folder.rename(place)
        return
    packed = folder.with_suffix(_TAR)
    with tarfile.open(packed, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in _FILES:
            archive.add(folder / name, f"{_FOLDER_IN_TAR}/{name}", filter=_impersonal)
    # Unlike a rename, a link takes nobody's name away.
    os.link(packed, place)


def _impersonal(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without who wrote it and when, so that one log gives one file."""
    plain = tarfile.TarInfo(member.name)
    plain.size = member.size
    plain.mode = 0o644
    return plain
