"""What a trust file must be beyond its form: every role's keys exist, can sign, are distinct, and can reach it.

Keys are compared by their bytes. Two names for one key are refused wherever they stand, so that a threshold counted in
names is one counted in keys.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.forms import ANY_PUBLIC, SIGNER_PUBLIC, AnyPublic, fingerprint, kind_of
from audit_pipeline.seal.keys.pem import PemBlock, write_pem
from audit_pipeline.seal.keys.public_key import LABEL, read_public
from audit_pipeline.seal.trust.approver_roles import approver_disagreements
from audit_pipeline.seal.trust.log_keys import log_disagreements
from audit_pipeline.seal.trust.schema import ImageRole, Role, RoleName, TrustDocument, TrustedKey
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.strict_yaml import Loc

_FEWEST_WAIVING = 2

_RELEASING: tuple[RoleName, ...] = ("image", "verdict", "release")

Disagreement = tuple[Loc, str, str]
"""Where in the file, last part of the error's code, and what is wrong."""


def public_key(entry: TrustedKey, *, where: str | None = None) -> AnyPublic:
    """The key that an entry's base64 holds, in its one encoding and of the kind that the entry says.

    Raises:
        InputError: `trust.key`.
    """
    try:
        der = base64.b64decode(entry.public, validate=True)
    except binascii.Error:
        der = b""
    if not der or base64.b64encode(der).decode() != entry.public:
        raise InputError("trust.key", "this is not base64 in its one form", where=where)
    try:
        key = read_public(write_pem(PemBlock(LABEL, der)), ANY_PUBLIC, where="")
    except InputError as error:
        raise InputError("trust.key", error.what, where=where) from None
    if kind_of(key) != entry.kind:
        raise InputError("trust.key", f"this is a key of kind {kind_of(key)}, not {entry.kind}", where=where)
    return key


def disagreements(document: TrustDocument) -> list[Disagreement]:
    """Everything that is wrong in a trust file whose form is right; see the module."""
    found: list[Disagreement] = []
    fingerprints: dict[str, str] = {}
    for name, entry in document.keys.items():
        try:
            print_ = fingerprint(public_key(entry))
        except InputError as error:
            found.append((("keys", name, "public"), "key", error.what))
            continue
        twin = next((other for other, known in fingerprints.items() if known == print_), None)
        if twin is not None:
            found.append((("keys", name), "one-key-twice", f"the same key as {twin}: one key has one name"))
        fingerprints[name] = print_
    found += _revocations(document)
    for name, role in document.roles.given().items():
        found += _role(document, name, role, fingerprints)
    found += [*_one_waives(document), *_two_hats(document), *approver_disagreements(document, fingerprints)]
    return [*found, *log_disagreements(document.log)] if document.log else found


def _one_waives(document: TrustDocument) -> Iterator[Disagreement]:
    waiver = document.roles.waiver
    if waiver is not None and waiver.threshold < _FEWEST_WAIVING:
        text = f"nobody waives a rule alone: {_FEWEST_WAIVING} distinct keys or more must sign"
        yield ("roles", "waiver", "threshold"), "waiver-threshold", text


def _two_hats(document: TrustDocument) -> Iterator[Disagreement]:
    """Keys that release and waive: who wants a release would be one of those who must agree to the exception."""
    roles = document.roles.given()
    waiving = roles["waiver"].keys if "waiver" in roles else ()
    for position, key in enumerate(waiving):
        other = next((name for name in _RELEASING if key in roles[name].keys), None)
        if other is not None:
            text = f"{key} is in the {other} role too: who releases does not waive"
            yield ("roles", "waiver", "keys", position), "two-roles", text


def _revocations(document: TrustDocument) -> Iterator[Disagreement]:
    seen: set[str] = set()
    for position, revoked in enumerate(document.revoked):
        if revoked.fingerprint in seen:
            yield ("revoked", position), "revoked-twice", "this key is revoked already"
        seen.add(revoked.fingerprint)


def _role(
    document: TrustDocument, name: RoleName, role: Role | ImageRole, fingerprints: dict[str, str]
) -> Iterator[Disagreement]:
    revoked = {entry.fingerprint for entry in document.revoked}
    lasting: set[str] = set()
    for position, key in enumerate(role.keys):
        loc: Loc = ("roles", name, "keys", position)
        entry = document.keys.get(key)
        if entry is None:
            text = f"there is no key {key!r} under keys{did_you_mean(key, document.keys)}"
            yield loc, "unknown-name", text
        elif key in role.keys[:position]:
            yield loc, "name-twice", f"{key} stands here already, and counts once"
        elif entry.kind == "x25519":
            yield loc, "wrong-kind", f"{key} is an X25519 key, and {SIGNER_PUBLIC.name} belongs here"
        elif fingerprints.get(key) in revoked:
            yield loc, "revoked", f"{key} is revoked, and still in the {name} role"
        elif entry.until is not None and role.threshold > 1:
            # Beside its successor it would be a second vote of whoever holds both.
            yield loc, "until-in-quorum", f"{key} has an until: only where one signature is enough may a key overlap"
        elif entry.until is None:
            lasting.add(fingerprints.get(key, key))
    if role.threshold > len(lasting):
        text = f"{role.threshold} must sign, and only {len(lasting)} distinct keys without an until can"
        yield ("roles", name, "threshold"), "threshold", text
