"""Changes of a trust file, from value to value: the first one, a key replaced, a key revoked, a later last day.

Each change says what the trail records of it. The same change of the same file at the same moment gives the same
bytes: a change that was recorded, and cut off before the file was written, can so be finished.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.forms import AnyPublic, SignerPublic, fingerprint, kind_of, spki
from audit_pipeline.seal.trust.checks import public_key
from audit_pipeline.seal.trust.schema import Log, RoleName, TrustDocument, TrustedKey, checked_document, moment
from audit_pipeline.spelling import did_you_mean

Values = dict[str, Any]

_WAIVERS_NEED = 2


class TrustChange(Protocol):
    """One change of a trust file."""

    def made(self, before: TrustDocument, at: str) -> TrustDocument:
        """The file afterwards, its serial raised by one.

        Raises:
            InputError: `trust.*`, the change cannot be made.
        """

    def said(self, before: TrustDocument) -> Values:
        """What the trail records of it: names, fingerprints and the reason."""


@dataclass(frozen=True)
class Rotation:
    """A key hands over all its roles to another; it is revoked, or counts beside it for a while."""

    old: str
    new: str
    public: SignerPublic
    reason: str
    keep_until: str | None = None
    """ISO 8601, UTC, to the second; None to revoke the old key at once"""

    def made(self, before: TrustDocument, at: str) -> TrustDocument:
        """See `TrustChange.made`."""
        entry = _entry(before, self.old)
        if self.new in before.keys:
            raise InputError(
                "trust.name-taken", f"there is a key {self.new!r} already", hint="give the new key a name of its own"
            )
        after = _next(before)
        after["keys"][self.new] = _key(self.public)
        if self.keep_until is None:
            _revoke(after, entry, at, self.reason)
            _replace(after, self.old, [self.new])
        else:
            after["keys"][self.old]["until"] = self.keep_until
            _replace(after, self.old, [self.new, self.old])
        return checked_document(after)

    def said(self, before: TrustDocument) -> Values:
        """See `TrustChange.said`."""
        return {
            "action": "rotate",
            "old": _named(self.old, public_key(_entry(before, self.old))),
            "old_until": self.keep_until,
            "new": _named(self.new, self.public),
            "roles": roles_of(before, self.old),
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Revocation:
    """A key counts for nothing any more and leaves all its roles."""

    name: str
    reason: str

    def made(self, before: TrustDocument, at: str) -> TrustDocument:
        """See `TrustChange.made`."""
        entry = _entry(before, self.name)
        for role_name, role in before.roles.given().items():
            others = [key for key in role.keys if key != self.name and before.keys[key].until is None]
            if self.name in role.keys and len(others) < role.threshold:
                raise InputError(
                    "trust.threshold",
                    f"without {self.name} the {role_name} role has too few keys: {role.threshold} must sign",
                    where=f"roles.{role_name}",
                    hint=f"replace it, which revokes it as well: audit keys rotate {self.name} --to NEW.pub.pem",
                )
        after = _next(before)
        _revoke(after, entry, at, self.reason)
        _replace(after, self.name, [])
        return checked_document(after)

    def said(self, before: TrustDocument) -> Values:
        """See `TrustChange.said`."""
        return {
            "action": "revoke",
            "old": _named(self.name, public_key(_entry(before, self.name))),
            "roles": roles_of(before, self.name),
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Renewal:
    """The file is good for longer; keys and roles stay as they are."""

    expires: str
    """ISO 8601, UTC, to the second"""

    def made(self, before: TrustDocument, at: str) -> TrustDocument:
        """See `TrustChange.made`."""
        after = checked_document(_next(before) | {"expires": self.expires})
        if moment(after.expires) <= moment(before.expires):
            raise InputError(
                "trust.moment", f"the file is good until {before.expires} already", hint="give a later moment"
            )
        return after

    def said(self, before: TrustDocument) -> Values:
        """See `TrustChange.said`."""
        return {"action": "renew", "expires": self.expires, "expires_before": before.expires}


def first_trust(
    name: str,
    expires: str,
    roles: Mapping[RoleName, Mapping[str, SignerPublic]],
    thresholds: Mapping[RoleName, int],
    approvers: Mapping[str, Mapping[str, SignerPublic]] | None = None,
    log: Log | None = None,
) -> TrustDocument:
    """A first trust file, serial 1.

    Args:
        name: of the file, as the trail remembers it.
        expires: ISO 8601, UTC, to the second.
        roles: keys by name, for every role; a role without keys is left out.
        thresholds: how many must sign. Where it is not given: more than half of the root keys, two of the waiver keys,
            and one of every other role's.
        approvers: keys by name, for every role that may approve a release.
        log: whose checkpoints are believed.

    Raises:
        InputError: `trust.name-taken`, one name stands for two keys; or `trust.invalid`.
    """
    keys: dict[str, Values] = {}
    approving = approvers or {}
    for given in (*roles.values(), *approving.values()):
        for key_name, public in given.items():
            if keys.setdefault(key_name, _key(public)) != _key(public):
                raise InputError(
                    "trust.name-taken", f"two keys are called {key_name!r}", hint="rename one of the files"
                )
    usual: dict[RoleName, int] = {"root": len(roles["root"]) // 2 + 1, "waiver": _WAIVERS_NEED}
    return checked_document(
        {
            "version": 1,
            "name": name,
            "serial": 1,
            "expires": expires,
            "keys": keys,
            "roles": {
                role: {"keys": list(given), "threshold": thresholds.get(role, usual.get(role, 1))}
                for role, given in roles.items()
                if given
            },
            "approvers": {role: list(given) for role, given in approving.items()},
            **({"log": log.model_dump(mode="json", exclude_none=True)} if log else {}),
        }
    )


def roles_of(document: TrustDocument, name: str) -> list[str]:
    """The roles that a key is in; `approver:ROLE` where it approves."""
    signing = [role_name for role_name, role in document.roles.given().items() if name in role.keys]
    return [*signing, *(f"approver:{role}" for role, keys in document.approvers.items() if name in keys)]


def _entry(document: TrustDocument, name: str) -> TrustedKey:
    entry = document.keys.get(name)
    if entry is None:
        raise InputError(
            "trust.unknown-name",
            f"the trust file has no key {name!r}{did_you_mean(name, document.keys)}",
            hint="`audit keys list` shows them",
        )
    if fingerprint(public_key(entry)) in {revoked.fingerprint for revoked in document.revoked}:
        raise InputError("trust.revoked-twice", f"{name} is revoked already", hint="`audit keys list` shows why")
    return entry


def _next(before: TrustDocument) -> Values:
    values: Values = before.model_dump(mode="json", exclude_none=True)
    return values | {"serial": before.serial + 1}


def _revoke(after: Values, entry: TrustedKey, at: str, reason: str) -> None:
    after["revoked"].append({"fingerprint": fingerprint(public_key(entry)), "at": at, "reason": reason})


def _replace(after: Values, old: str, successors: Collection[str]) -> None:
    def replaced(keys: Iterable[str]) -> list[str]:
        return [name for key in keys for name in (successors if key == old else [key])]

    for role in after["roles"].values():
        role["keys"] = replaced(role["keys"])
    # A role that nobody is left in goes: what a policy demands of it cannot be met then, and no gate opens.
    after["approvers"] = {role: left for role, keys in after["approvers"].items() if (left := replaced(keys))}


def _key(public: AnyPublic) -> Values:
    return {"kind": kind_of(public), "public": base64.b64encode(spki(public)).decode()}


def _named(name: str, public: AnyPublic) -> Values:
    return {"name": name, "kind": kind_of(public), "fingerprint": fingerprint(public)}
