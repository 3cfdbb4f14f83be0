"""Whose signatures count, from a signed trust file and root keys that the reader brings.

    load_trust(Path("signing/trust.yaml"), roots=(pinned,), now="2026-05-04T12:00:00Z").trust()

The file lies beside what it judges, so it cannot vouch for itself. It is believed where the keys that the reader pinned
from outside signed its exact bytes: as many distinct ones as its own root role asks for, and in any case more than half
of those pinned. Without the second rule one stolen root key could sign a file that asks for one.

What is counted: pinned keys that the file has in its root role, and that have not run out. A root that was replaced
or revoked by the others thus counts for nothing, though a reader still pins it.

An older file with good signatures is refused once it has expired, and by who remembers a newer one: the trail does
(`audit_pipeline.trust_memory`). A reader without either cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal.keys.forms import SIGNER_PUBLIC, SignerPublic, fingerprint, require_key
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.trust.checks import public_key
from audit_pipeline.seal.trust.envelope import envelope_path, open_envelope, read_envelope
from audit_pipeline.seal.trust.file import read_trust
from audit_pipeline.seal.trust.schema import RoleName, TrustDocument, moment
from audit_pipeline.seal.verify import Trust
from audit_pipeline.strict_yaml import Loaded


@dataclass(frozen=True)
class TrustFile:
    """A trust file that was signed by the pinned roots, and had not expired."""

    file: Loaded[TrustDocument]
    now: str
    """the moment it was judged for, ISO 8601; keys that ran out by then do not count"""

    @property
    def document(self) -> TrustDocument:
        """What it says."""
        return self.file.value

    @property
    def sha256(self) -> str:
        """Digest of its exact bytes."""
        return self.file.sha256

    def trust(self) -> Trust:
        """The keys and thresholds that images and attestations are judged by."""
        return Trust(
            image=live_keys(self.document, "image", self.now),
            verdict=self._quorum("verdict"),
            release=self._quorum("release"),
            waiver=self._quorum("waiver") if self.document.roles.waiver else None,
        )

    def _quorum(self, role: RoleName) -> Quorum:
        return Quorum(live_keys(self.document, role, self.now), self.document.roles.given()[role].threshold)


def load_trust(path: Path, roots: tuple[SignerPublic, ...], now: str) -> TrustFile:
    """Read a trust file and check that the pinned root keys vouch for it.

    Args:
        path: the file; its signatures are beside it, in `trust.dsse.json` for `trust.yaml`.
        roots: the root keys that the reader knows from elsewhere. The same key twice is one key.
        now: the time, ISO 8601 with a time zone.

    Raises:
        InputError: the file cannot be read, or contradicts itself (`trust.*`, every problem with its line); or
            `trust.no-root`.
        RejectedError: `trust.unsigned`, `trust.envelope`, `trust.root-not-pinned`, `trust.signature`,
            `trust.other-bytes` or `trust.expired`.
    """
    if not roots:
        raise InputError("trust.no-root", "a trust file needs root keys from elsewhere", hint="give --root KEY")
    file = read_trust(path)
    envelope = read_envelope(path)
    where = str(envelope_path(path))
    if envelope is None:
        raise RejectedError(
            "trust.unsigned",
            "nobody has signed this trust file since it was last changed",
            where=str(path),
            hint="each root key's holder runs: audit keys trust sign",
        )
    quorum, names = _pinned_quorum(file.value, roots, now, str(path)), _root_names(file.value)
    if open_envelope(envelope, quorum, names, where=where) != file.raw:
        raise RejectedError(
            "trust.other-bytes",
            "what the root keys signed is another file than the one beside it",
            where=where,
            hint="take both from the same commit, or have the file signed again if the change was meant",
        )
    if moment(now) >= moment(file.value.expires):
        raise RejectedError(
            "trust.expired",
            f"the trust file was good until {file.value.expires}",
            where=file.where(("expires",)),
            hint="get the present one; whoever maintains it gives it a later day: audit keys trust renew",
        )
    return TrustFile(file, now)


def live_keys(document: TrustDocument, role: RoleName, now: str) -> tuple[SignerPublic, ...]:
    """The keys of a role that have not run out; empty where the file has no such role."""
    given = document.roles.given().get(role)
    entries = [document.keys[name] for name in given.keys] if given else []
    return tuple(
        require_key(public_key(entry), SIGNER_PUBLIC)
        for entry in entries
        if entry.until is None or moment(now) < moment(entry.until)
    )


def _root_names(document: TrustDocument) -> dict[str, str]:
    return {fingerprint(public_key(document.keys[name])): name for name in document.roles.root.keys}


def _pinned_quorum(document: TrustDocument, roots: tuple[SignerPublic, ...], now: str, where: str) -> Quorum:
    pinned = {fingerprint(require_key(key, SIGNER_PUBLIC)) for key in roots}
    counting = tuple(key for key in live_keys(document, "root", now) if fingerprint(key) in pinned)
    needed = max(document.roles.root.threshold, len(pinned) // 2 + 1)
    if len(counting) < needed:
        raise RejectedError(
            "trust.root-not-pinned",
            f"{needed} root keys must sign, and only {len(counting)} of the {len(pinned)} given are its root keys",
            where=where,
            hint="give each present root key with --root, from a place that whoever changes this file cannot change",
        )
    return Quorum(counting, needed)
