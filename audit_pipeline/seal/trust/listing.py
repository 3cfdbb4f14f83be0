"""A trust file as people read it: each key with its roles and its state, and which root keys have signed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from audit_pipeline.seal.keys.forms import KeyKind, fingerprint
from audit_pipeline.seal.trust.changes import roles_of
from audit_pipeline.seal.trust.checks import public_key
from audit_pipeline.seal.trust.envelope import who_signed
from audit_pipeline.seal.trust.load import live_keys
from audit_pipeline.seal.trust.schema import TrustDocument, TrustedKey, moment
from audit_pipeline.strict_yaml import Loaded


@dataclass(frozen=True)
class Revoked:
    """When and why a key was revoked."""

    at: str
    reason: str


@dataclass(frozen=True)
class ListedKey:
    """One line of `audit keys list`."""

    name: str
    """empty for a revoked key that the file has no name for"""
    kind: KeyKind | None
    roles: tuple[str, ...]
    """`approver:ROLE` where it approves"""
    fingerprint: str
    state: str
    """`active`, `until …`, `ran out …`, `unused` or `revoked`"""
    note: str | None = None
    revoked: Revoked | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as `--json` prints it."""
        return asdict(self)


def listed_keys(document: TrustDocument, now: str) -> tuple[ListedKey, ...]:
    """All keys in the file's order, then those that are only revoked."""
    revoked = {entry.fingerprint: Revoked(entry.at, entry.reason) for entry in document.revoked}
    rows = []
    for name, entry in document.keys.items():
        print_ = fingerprint(public_key(entry))
        roles = tuple(roles_of(document, name))
        why = revoked.pop(print_, None)
        state = _state(entry, roles, now) if why is None else "revoked"
        rows.append(ListedKey(name, entry.kind, roles, print_, state, entry.note, why))
    rows += [ListedKey("", None, (), print_, "revoked", revoked=why) for print_, why in revoked.items()]
    return tuple(rows)


def name_of(document: TrustDocument, print_: str) -> str | None:
    """What the file calls the key of a fingerprint; None for a key that it has no name for."""
    return next((name for name, entry in document.keys.items() if fingerprint(public_key(entry)) == print_), None)


def root_signers(file: Loaded[TrustDocument], envelope: bytes | None, now: str, *, where: str) -> tuple[str, ...]:
    """Names of the file's own root keys that have signed its present bytes. Proves nothing to who has not pinned them.

    Raises:
        RejectedError: `trust.envelope`.
    """
    if envelope is None:
        return ()
    by = who_signed(envelope, file.raw, live_keys(file.value, "root", now), where=where)
    names = file.value.roles.root.keys
    return tuple(name for name in names if fingerprint(public_key(file.value.keys[name])) in by)


def _state(entry: TrustedKey, roles: tuple[str, ...], now: str) -> str:
    if entry.until is not None:
        return f"until {entry.until}" if moment(now) < moment(entry.until) else f"ran out {entry.until}"
    return "active" if roles else "unused"
