"""What the trail remembers of a trust file, and how a file is changed so that the trail never knows less than it.

Every change and every signature is an entry of kind `keys` under the name `keys:NAME`, which no run can have. It holds
the file's serial and digest. So an older file is refused though its signatures are good, and two files with one serial
cannot both be believed: the one that was entered first is the one.

The trail is written first, the file after it. The other way round, a revocation could reach the file and not the trail,
and putting the old file back would undo it unseen. This way the worst that a kill in between leaves is a trail
that knows more than the file: nothing is released on the old file any more, and the same command, given once more,
finishes the change as it was entered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal.key_forms import fingerprint
from audit_pipeline.seal.signer import Signer
from audit_pipeline.seal.staged import Staged
from audit_pipeline.seal.trust import live_keys
from audit_pipeline.seal.trust_changes import TrustChange
from audit_pipeline.seal.trust_envelope import add_signature, envelope_path, read_envelope
from audit_pipeline.seal.trust_file import read_trust, write_text
from audit_pipeline.seal.trust_listing import root_signers
from audit_pipeline.seal.trust_schema import TrustDocument
from audit_pipeline.strict_yaml import Loaded
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail


@dataclass(frozen=True)
class Remembered:
    """The newest trust file of a name that the trail knows."""

    serial: int
    sha256: str
    before: str | None
    """digest of the file it was made from; None for a first one, and where a person wrote it by hand"""
    index: int
    """of the entry, the first one with this serial"""
    at: str


@dataclass(frozen=True)
class Changed:
    """A trust file that was changed, and lost its signatures by it."""

    document: TrustDocument
    sha256: str
    index: int
    """of the entry in the trail"""


@dataclass(frozen=True)
class Signed:
    """A trust file with one more signature."""

    file: Loaded[TrustDocument]
    by: tuple[str, ...]
    """names of its root keys that have signed it by now"""
    dropped: int
    """signatures that were there and were over other bytes, or of no root key"""
    index: int
    """of the entry in the trail"""


def log_name(name: str) -> str:
    """Under what a trust file's entries stand in the trail; a run's name has no colon."""
    return f"keys:{name}"


def newest(entries: Iterable[Entry], name: str) -> Remembered | None:
    """The trust file with the highest serial among entries; None where the trail knows none of this name.

    Raises:
        RejectedError: `trust.entry`, an entry is not as this tool writes them.
    """
    found: Remembered | None = None
    for entry in entries:
        if entry.kind != "keys" or entry.run != log_name(name):
            continue
        said = _remembered(entry)
        if found is None or said.serial > found.serial:
            found = said
    return found


def recall(url: str, name: str) -> Remembered | None:
    """The newest trust file of a name that a trail knows; see `newest`.

    Raises:
        InputError: there is no trail here.
        RejectedError: as `newest`.
    """
    with Trail.open(url, create=False) as trail:
        return newest(trail.entries(log_name(name)), name)


def require_newest(file: Loaded[TrustDocument], known: Remembered | None) -> None:
    """Refuse a trust file that is older than one the trail knows, or another one of the same serial.

    Raises:
        RejectedError: `trust.rolled-back` or `trust.serial`.
    """
    if known is None or file.value.serial > known.serial:
        return
    if file.value.serial < known.serial:
        raise RejectedError(
            "trust.rolled-back",
            f"this trust file has serial {file.value.serial}, entry {known.index} of the trail knows {known.serial}",
            where=file.where(("serial",)),
            hint="get the newer file; if a change was cut off before it was written, give the same command once more",
        )
    if file.sha256 != known.sha256:
        raise RejectedError(
            "trust.serial",
            f"entry {known.index} of the trail knows another file with serial {known.serial}",
            where=file.where(("serial",)),
            hint="raise serial by one with every change; if nobody changed it, treat the file as hostile",
        )


def change(path: Path, wanted: TrustChange, *, trail: str, at: str) -> Changed:
    """Change a trust file: into the trail, then into the file, whose signatures go.

    Args:
        path: the file.
        wanted: what to change.
        trail: file or URL of the trail; made where there is none.
        at: the time now, ISO 8601, UTC, to the second.

    Raises:
        InputError: `trust.*`, the file is not one, or the change cannot be made.
        RejectedError: `trust.rolled-back` or `trust.serial`.
        ToolError: `trust.write-failed`, or the trail cannot be written; the file is as it was.
    """
    file = read_trust(path)
    after = wanted.made(file.value, at)
    content = write_text(after)
    with Trail.open(trail) as opened:
        known = newest(opened.entries(log_name(file.value.name)), file.value.name)
        if known is not None and known.before == file.sha256:
            unfinished = wanted.made(file.value, known.at)
            if sha256_hex(write_text(unfinished)) == known.sha256:
                with Staged(path, write_text(unfinished)) as staged:
                    _move_in(staged, path)
                return Changed(unfinished, known.sha256, known.index)
        body = {**wanted.said(file.value), "trust": _trust(after, content, before=file.sha256)}
        with Staged(path, content) as staged:
            index = _enter(opened, file, body, at)
            _move_in(staged, path)
    return Changed(after, sha256_hex(content), index)


def begin(path: Path, document: TrustDocument, *, trail: str, at: str) -> Changed:
    """Write a first trust file, and enter it.

    Raises:
        InputError: `trust.exists`, or `trust.*` where the file contradicts itself.
        RejectedError: `trust.serial`, the trail knows a trust file of this name already.
        ToolError: as `change`.
    """
    if path.exists() or envelope_path(path).exists():
        raise InputError("trust.exists", "a trust file is never overwritten", where=str(path), hint="name another file")
    content = write_text(document)

    def nothing_else_known(entries: Iterable[Entry]) -> None:
        known = newest(entries, document.name)
        if known is not None and known.sha256 != sha256_hex(content):
            raise RejectedError(
                "trust.serial",
                f"entry {known.index} of the trail knows a trust file of the name {document.name}",
                hint="change that one, or take another name",
            )

    body = {"action": "init", "trust": _trust(document, content, before=None)}
    with Trail.open(trail) as opened, Staged(path, content) as staged:
        receipt = opened.append("keys", run=log_name(document.name), at=at, body=body, after=nothing_else_known)
        _move_in(staged, path)
    return Changed(document, sha256_hex(content), receipt.entry.index)


def sign(path: Path, signer: Signer, *, trail: str, at: str) -> Signed:
    """Add a root key's signature to a trust file, and enter it.

    The trail so remembers what was signed: whoever signs with it is not brought to sign an older file later, nor
    another one with the same serial.

    Args:
        path: the trust file.
        signer: the root key.
        trail: file or URL of the trail; made where there is none.
        at: the time now, ISO 8601, UTC.

    Raises:
        InputError: `trust.*`, the file is not one, or `trust.not-a-root`.
        RejectedError: `trust.rolled-back`, `trust.serial`, or `trust.envelope`.
        ToolError: the signer failed, or trail or envelope cannot be written; the envelope is as it was.
    """
    file = read_trust(path)
    place = envelope_path(path)
    roots = live_keys(file.value, "root", at)
    added = add_signature(read_envelope(path), file.raw, signer, roots, where=str(place))
    body = {
        "action": "sign",
        "signer": fingerprint(signer.public),
        "trust": _trust(file.value, file.raw, before=None),
    }
    with Trail.open(trail) as opened, Staged(place, added.envelope) as staged:
        index = _enter(opened, file, body, at)
        staged.move_in()
    by = root_signers(file, added.envelope, at, where=str(place))
    return Signed(file, by, added.dropped, index)


def _enter(trail: Trail, file: Loaded[TrustDocument], body: dict[str, Any], at: str) -> int:
    name = file.value.name

    def not_older(entries: Iterable[Entry]) -> None:
        require_newest(file, newest(entries, name))

    return trail.append("keys", run=log_name(name), at=at, body=body, after=not_older).entry.index


def _trust(document: TrustDocument, content: bytes, *, before: str | None) -> dict[str, Any]:
    return {"name": document.name, "serial": document.serial, "sha256": sha256_hex(content), "before_sha256": before}


def _remembered(entry: Entry) -> Remembered:
    match entry.body.get("trust"):
        case {"serial": int(serial), "sha256": str(digest), "before_sha256": str() | None as before}:
            return Remembered(serial, digest, before, entry.index, entry.at)
    raise RejectedError(
        "trust.entry",
        f"entry {entry.index} of the trail is of kind keys and names no trust file",
        hint="`audit log verify` says whether it was changed",
    )


def _move_in(staged: Staged, path: Path) -> None:
    """Replace a trust file, and take away the signatures over what it was."""
    staged.move_in()
    envelope_path(path).unlink(missing_ok=True)
