"""A trust file is changed and signed so that the trail never knows less than the file says.

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
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.staged import Staged
from audit_pipeline.seal.trust.changes import TrustChange
from audit_pipeline.seal.trust.envelope import add_signature, envelope_path, read_envelope
from audit_pipeline.seal.trust.file import read_trust, write_text
from audit_pipeline.seal.trust.listing import root_signers
from audit_pipeline.seal.trust.load import live_keys
from audit_pipeline.seal.trust.schema import TrustDocument
from audit_pipeline.strict_yaml import Loaded
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trust_memory import log_name, newest, require_newest, said_of


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


def change(path: Path, wanted: TrustChange, *, trail: Address, at: str) -> Changed:
    """Change a trust file: into the trail, then into the file, whose signatures go.

    Args:
        path: the file.
        wanted: what to change.
        trail: where the trail is; made where there is none.
        at: the time now, ISO 8601, UTC, to the second.

    Raises:
        InputError: `trust.*`, the file is not one, or the change cannot be made.
        RejectedError: `trust.rolled-back`, `trust.serial`, `trust.revocation-lost`, or the trail does not verify.
        ToolError: `trust.write-failed`, or the trail cannot be written; the file is as it was.
    """
    file = read_trust(path)
    after = wanted.made(file.value, at)
    content = write_text(after)
    with Trail.open(trail) as opened:
        opened.verify()
        known = newest(opened.entries(log_name(file.value.name)), file.value.name)
        if known is not None and known.before == file.sha256:
            unfinished = wanted.made(file.value, known.at)
            if sha256_hex(write_text(unfinished)) == known.sha256:
                with Staged(path, write_text(unfinished)) as staged:
                    _move_in(staged, path)
                return Changed(unfinished, known.sha256, known.index)
        body = {**wanted.said(file.value), "trust": said_of(after, content, before=file.sha256)}
        with Staged(path, content) as staged:
            index = _enter(opened, file, body, at)
            _move_in(staged, path)
    return Changed(after, sha256_hex(content), index)


def begin(path: Path, document: TrustDocument, *, trail: Address, at: str) -> Changed:
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

    body = {"action": "init", "trust": said_of(document, content, before=None)}
    with Trail.open(trail) as opened, Staged(path, content) as staged:
        receipt = opened.append("keys", run=log_name(document.name), at=at, body=body, after=nothing_else_known)
        _move_in(staged, path)
    return Changed(document, sha256_hex(content), receipt.entry.index)


def sign(path: Path, signer: Signer, *, trail: Address, at: str) -> Signed:
    """Add a root key's signature to a trust file, and enter it.

    The trail so remembers what was signed: whoever signs with it is not brought to sign an older file later, nor
    another one with the same serial.

    Args:
        path: the trust file.
        signer: the root key.
        trail: where the trail is; made where there is none.
        at: the time now, ISO 8601, UTC.

    Raises:
        InputError: `trust.*`, the file is not one, or `trust.not-a-root`.
        RejectedError: as `change`, or `trust.envelope`.
        ToolError: the signer failed, or trail or envelope cannot be written; the envelope is as it was.
    """
    file = read_trust(path)
    place = envelope_path(path)
    roots = live_keys(file.value, "root", at)
    added = add_signature(read_envelope(path), file.raw, signer, roots, where=str(place))
    body = {
        "action": "sign",
        "signer": fingerprint(signer.public),
        "trust": said_of(file.value, file.raw, before=None),
    }
    with Trail.open(trail) as opened, Staged(place, added.envelope) as staged:
        opened.verify()
        index = _enter(opened, file, body, at)
        staged.move_in()
    by = root_signers(file, added.envelope, at, where=str(place))
    return Signed(file, by, added.dropped, index)


def _enter(trail: Trail, file: Loaded[TrustDocument], body: dict[str, Any], at: str) -> int:
    name = file.value.name

    def not_older(entries: Iterable[Entry]) -> None:
        require_newest(file, newest(entries, name))

    return trail.append("keys", run=log_name(name), at=at, body=body, after=not_older).entry.index


def _move_in(staged: Staged, path: Path) -> None:
    """Replace a trust file, and take away the signatures over what it was."""
    staged.move_in()
    envelope_path(path).unlink(missing_ok=True)
