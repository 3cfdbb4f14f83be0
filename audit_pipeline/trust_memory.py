"""What the trail remembers of a trust file: the highest serial, its digest, and the keys that were ever revoked.

A trust file's entries are of kind `keys` and stand under the name `keys:NAME`, which no run can have. So an older file
is refused though its signatures are good, two files with one serial cannot both be believed (the one that was entered
first is the one), and no later file brings a revoked key back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.trust.schema import TrustDocument
from audit_pipeline.strict_yaml import Loaded
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address


@dataclass(frozen=True)
class Remembered:
    """The newest trust file of a name that the trail knows."""

    serial: int
    sha256: str
    before: str | None
    """digest of the file it was made from; None for a first one, and where a person wrote it by hand"""
    revoked: frozenset[str]
    """fingerprints"""
    index: int
    """of the entry, the first one with this serial"""
    at: str


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


def recall(trail: Address, name: str) -> Remembered | None:
    """The newest trust file of a name that a trail knows, once the trail's hashes hold; see `newest`.

    A trail that was cut off at its end, frontier and all, still holds: a head noted elsewhere shows that.

    Raises:
        InputError: there is no trail here.
        RejectedError: `trust.unlogged`, the trail knows trust files and none of this name; or as `newest` and
            `Trail.verify`.
    """
    with Trail.open(trail, create=False) as opened:
        entries = tuple(opened.verified().entries(kind="keys"))
    known = newest(entries, name)
    if known is None and entries:
        raise RejectedError(
            "trust.unlogged",
            f"the trail knows trust files, and none of the name {name}",
            hint="give the one that belongs to this trail; `audit keys trust sign` with --trail enters another",
        )
    return known


def require_unrevoked(trail: Address, key: str) -> None:
    """Refuse a key that a trust file in the trail revokes, for a reader who was given the key and no trust file.

    Args:
        trail: where the trail is.
        key: its fingerprint.

    Raises:
        InputError: there is no trail here.
        RejectedError: `trust.revoked`; or as `newest` and `Trail.verify`.
    """
    with Trail.open(trail, create=False) as opened:
        known = revocation(opened.verified().entries(kind="keys"), key)
    if known is not None:
        raise RejectedError(
            "trust.revoked",
            f"entry {known.index} of the trail knows the key {key[:16]}… as revoked",
            where="--signer",
            hint="give the key that replaced it, or the trust file with --trust and --root",
        )


def revocation(entries: Iterable[Entry], key: str) -> Remembered | None:
    """The first trust file among entries, of whatever name, that revokes a key.

    Args:
        entries: of kind `keys`.
        key: its fingerprint.

    Raises:
        RejectedError: as `newest`.
    """
    return next((known for known in map(_remembered, entries) if key in known.revoked), None)


def require_newest(file: Loaded[TrustDocument], known: Remembered | None) -> None:
    """Refuse a trust file that the trail knows to be older, to be another one, or to forget a revocation.

    Raises:
        RejectedError: `trust.rolled-back`, `trust.serial` or `trust.revocation-lost`.
    """
    if known is None:
        return
    if file.value.serial < known.serial:
        raise RejectedError(
            "trust.rolled-back",
            f"this trust file has serial {file.value.serial}, entry {known.index} of the trail knows {known.serial}",
            where=file.where(("serial",)),
            hint="get the newer file; if a change was cut off before it was written, give the same command once more",
        )
    if file.value.serial == known.serial and file.sha256 != known.sha256:
        raise RejectedError(
            "trust.serial",
            f"entry {known.index} of the trail knows another file with serial {known.serial}",
            where=file.where(("serial",)),
            hint="raise serial by one with every change; if nobody changed it, treat the file as hostile",
        )
    lost = known.revoked - {entry.fingerprint for entry in file.value.revoked}
    if lost:
        raise RejectedError(
            "trust.revocation-lost",
            f"entry {known.index} of the trail knows the key {min(lost)} as revoked, and this trust file does not",
            where=file.where(("revoked",)),
            hint="a key once revoked stays revoked: put it back under revoked",
        )


def said_of(document: TrustDocument, content: bytes, *, before: str | None) -> dict[str, Any]:
    """What an entry says of the file that it makes or signs: what `newest` reads.

    Args:
        document: the file.
        content: its exact bytes.
        before: digest of the file it was made from, where a command made it.
    """
    return {
        "name": document.name,
        "serial": document.serial,
        "sha256": sha256_hex(content),
        "before_sha256": before,
        "revoked": [entry.fingerprint for entry in document.revoked],
    }


def _remembered(entry: Entry) -> Remembered:
    match entry.body.get("trust"):
        case {
            "serial": int(serial),
            "sha256": str(digest),
            "before_sha256": str() | None as before,
            "revoked": [*keys],
        }:
            return Remembered(serial, digest, before, frozenset(map(str, keys)), entry.index, entry.at)
    raise RejectedError(
        "trust.entry",
        f"entry {entry.index} of the trail is of kind keys and names no trust file",
        hint="`audit log verify` says whether it was changed",
    )
