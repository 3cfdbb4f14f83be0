"""Redaction: the text of an entry is taken out, and its header, its place and a signed reason stay.

Personal data that got in by mistake has to go (GDPR article 17), and the log has to stand. The tree is over the
entries' headers, so a text may go, with the salt that its digest was made with, without any root changing: which run it
was of, what kind of entry and when stay bound, and nobody finds the text by guessing. It may go only where an entry of
kind `redaction` says so, in a statement that names the key which signed it. Whoever kept the whole document can prove
from the header that it was the one recorded.

Entries without free text stay as they are: in them the tool reads what a run came to and which counters and trust files
are spent, and a `redaction` is the only account of what it took out. A withdrawal without its text still withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.measurement import Sha256
from audit_pipeline.seal.keys.forms import SIGNER_PUBLIC, fingerprint, spki
from audit_pipeline.seal.keys.public_key import read_spki
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.predicate import Predicate, Text, first_fault
from audit_pipeline.seal.statement import Subject, make_statement
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import KEPT_KINDS
from audit_pipeline.trail.signed_entry import read_entry, sign_entry
from audit_pipeline.trail.strict_base64 import decode, encode

REDACTION_TYPE = "https://audit-pipeline.dev/redaction/v1"


class Redaction(Predicate):
    """What stays of an entry whose text was taken out."""

    index: Annotated[int, Field(ge=0)]
    leaf_hash: Sha256
    kind: Text
    run: Text
    entry_at: Text
    """when the entry was recorded"""
    reason: Text
    key: Text
    """of whoever signs this: SubjectPublicKeyInfo, DER, base64"""

    def is_of(self, entry: Entry) -> bool:
        """Whether this took out the text of an entry."""
        said = (self.index, self.kind, self.run, self.entry_at, self.leaf_hash)
        return said == (entry.index, entry.kind, entry.run, entry.at, entry.leaf_hash.hex())


def require_redactable(entry: Entry) -> None:
    """Refuse an entry whose text cannot be taken out, before anybody opens a key for it.

    Raises:
        InputError: `redaction.kind`, entries of this kind are never redacted; `redaction.gone`, its text is gone
            already; `redaction.format`, it is of the first format.
    """
    if entry.kind in KEPT_KINDS:
        raise InputError(
            "redaction.kind",
            f"entry {entry.index} is a {entry.kind} entry, which is never redacted",
            hint="the tool itself reads these entries to refuse what was released or revoked before",
        )
    if entry.redacted:
        raise InputError("redaction.gone", f"the text of entry {entry.index} was taken out before")
    if not entry.salted:
        raise InputError(
            "redaction.format",
            f"entry {entry.index} was written by an older version, which hashed the text itself",
            hint="without its text nothing would show what kind of entry it was: begin a new trail, and keep this one",
        )


def sign_redaction(entry: Entry, reason: str, signer: Signer) -> dict[str, Any]:
    """The body of the `redaction` entry that takes an entry's text out.

    Args:
        entry: whose text is to go.
        reason: why; it stays in the log for good, so it must not repeat what is taken out.
        signer: of whoever answers for it.

    Raises:
        InputError: as `require_redactable`, or `redaction.reason`.
        ToolError: the signer failed.
    """
    require_redactable(entry)
    try:
        redaction = Redaction(
            index=entry.index,
            leaf_hash=entry.leaf_hash.hex(),
            kind=entry.kind,
            run=entry.run,
            entry_at=entry.at,
            reason=reason,
            key=encode(spki(signer.public)),
        )
    except ValidationError as error:
        raise InputError("redaction.reason", f"this is no reason: {first_fault(error)}") from error
    subject = Subject(f"entry {entry.index}", redaction.leaf_hash)
    return sign_entry(make_statement([subject], REDACTION_TYPE, redaction.model_dump()), signer, REDACTION_TYPE)


def read_redaction(entry: Entry, where: str) -> Redaction:
    """What a `redaction` entry says, if the key that it names signed it.

    Args:
        entry: of that kind.
        where: the trail, for messages.

    Raises:
        RejectedError: `redaction.*` or `attestation.*`, it is not as this tool writes them.
    """
    signed = read_entry(entry, REDACTION_TYPE, where)
    redaction = signed.read_as(Redaction)
    try:
        key = read_spki(decode(redaction.key), SIGNER_PUBLIC, where=signed.where)
    except (ValueError, InputError) as error:
        raise RejectedError("redaction.format", str(error), where=signed.where) from None
    if signed.signer != fingerprint(key) or not signed.statement.speaks_of(redaction.leaf_hash):
        raise RejectedError("redaction.format", "it names another key or another entry", where=signed.where)
    signed.require_signed_by(key)
    return redaction


def redactions_of(entries: Iterable[Entry], where: str) -> Mapping[int, tuple[Redaction, ...]]:
    """What stays of redacted entries, by their index: each redaction whose signature holds.

    Args:
        entries: the trail's; those of other kinds are passed over.
        where: the trail, for messages.
    """
    found: dict[int, tuple[Redaction, ...]] = {}
    for redaction in _redactions(entries, where):
        found[redaction.index] = (*found.get(redaction.index, ()), redaction)
    return found


def _redactions(entries: Iterable[Entry], where: str) -> Iterator[Redaction]:
    for entry in entries:
        if entry.kind == "redaction":
            try:
                redaction = read_redaction(entry, where)
            except RejectedError:
                # It takes nothing out: the entry that it names is the one that was changed.
                continue
            if redaction.index < entry.index and redaction.kind not in KEPT_KINDS:
                yield redaction
