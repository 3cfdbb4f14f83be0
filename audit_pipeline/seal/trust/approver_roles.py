"""Who may approve a release, by role: each key in one such role, and in none that makes or governs the release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from audit_pipeline.seal.keys.forms import SIGNER_PUBLIC
from audit_pipeline.seal.trust.schema import RoleName, TrustDocument
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.strict_yaml import Loc

_MAKING: tuple[RoleName, ...] = ("root", "image", "verdict", "release")


def approver_disagreements(document: TrustDocument, fingerprints: Mapping[str, str]) -> Iterator[tuple[Loc, str, str]]:
    """What is wrong with the approvers.

    Args:
        document: the trust file.
        fingerprints: of its keys, by name.
    """
    roles = document.roles.given()
    revoked = {entry.fingerprint for entry in document.revoked}
    seen: dict[str, str] = {}
    for role, keys in document.approvers.items():
        for position, key in enumerate(keys):
            loc: Loc = ("approvers", role, position)
            entry = document.keys.get(key)
            made = next((name for name in _MAKING if name in roles and key in roles[name].keys), None)
            if entry is None:
                text = f"there is no key {key!r} under keys{did_you_mean(key, document.keys)}"
                yield loc, "unknown-name", text
            elif seen.get(key) == role:
                yield loc, "name-twice", f"{key} stands here already, and counts once"
            elif key in seen:
                yield loc, "two-roles", f"{key} approves as {seen[key]} already: one key, one role"
            elif made is not None:
                yield loc, "two-roles", f"{key} is in the {made} role too: who makes a release does not approve it"
            elif entry.kind == "x25519":
                yield loc, "wrong-kind", f"{key} is an X25519 key, and {SIGNER_PUBLIC.name} belongs here"
            elif fingerprints.get(key) in revoked:
                yield loc, "revoked", f"{key} is revoked, and still approves as {role}"
            elif entry.until is not None:
                # Beside its successor it would be a second vote of whoever holds both.
                yield loc, "until-in-quorum", f"{key} has an until: no key that approves may overlap with another"
            seen.setdefault(key, role)
