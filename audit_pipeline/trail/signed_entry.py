"""A person's statement as it stands in the trail: the envelope, and beside it what people read without opening it.

    {"envelope": "<DSSE>", "sha256": "<of the payload>", "signer": "<fingerprint>", …the predicate, key by key}

The copy is for people and for searching. It must equal the predicate that was signed, or the entry is refused: whoever
reads the trail would read something else than what somebody put a name to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.predicate import Predicate, first_fault
from audit_pipeline.seal.statement import Statement, read_statement
from audit_pipeline.trail.entry import Entry

Said = TypeVar("Said", bound=Predicate)


@dataclass(frozen=True)
class SignedEntry:
    """A statement from the trail whose readable copy is what it says. Whether its signature holds is not known yet."""

    entry: Entry
    envelope: bytes
    sha256: str
    """of the payload"""
    signer: str
    """fingerprint of the key that the entry says has signed"""
    statement: Statement

    @property
    def where(self) -> str:
        """The entry, for messages."""
        return self.statement.where

    def read_as(self, form: type[Said]) -> Said:
        """What the statement says, as its kind says it.

        Raises:
            RejectedError: `<kind>.format`, it says something else.
        """
        try:
            return form.model_validate(self.statement.predicate)
        except ValidationError as error:
            raise RejectedError(f"{self.entry.kind}.format", first_fault(error), where=self.where) from None

    def require_signed_by(self, key: SignerPublic) -> None:
        """Refuse an entry that a key did not sign.

        Raises:
            RejectedError: `<kind>.signature`.
        """
        try:
            dsse.verify(self.envelope, Quorum((key,)), where=self.where)
        except RejectedError:
            raise RejectedError(
                f"{self.entry.kind}.signature",
                f"the key {fingerprint(key)[:16]}… did not sign what the entry says it signed",
                where=self.where,
                hint="treat it as forged: audit enters nothing that was not signed",
            ) from None


def sign_entry(payload: bytes, signer: Signer, predicate_type: str) -> dict[str, Any]:
    """The body of an entry: a payload, signed by one key, with its readable copy.

    Raises:
        ToolError: the signer failed.
    """
    statement = read_statement(payload, predicate_type, where="statement")
    return {
        **statement.predicate,
        "envelope": dsse.sign(payload, [signer]).decode(),
        "sha256": sha256_hex(payload),
        "signer": fingerprint(signer.public),
    }


def read_entry(entry: Entry, predicate_type: str, where: str) -> SignedEntry:
    """The statement in an entry, whoever signed it.

    Args:
        entry: of a kind that people's statements have.
        predicate_type: what kind of statement it must hold.
        where: the trail, for messages.

    Raises:
        RejectedError: `<kind>.entry`, the entry is not as this tool writes them; `<kind>.copy`, its readable copy
            differs from the statement; or `attestation.*`, the envelope is none or holds no such statement.
    """
    place = f"{where}, entry {entry.index}"
    match entry.body:
        case {"envelope": str(text), "sha256": str(sha256), "signer": str(signer), **copy}:
            envelope = text.encode()
        case _:
            raise _refused(entry, "entry", "it holds no statement that somebody signed", place)
    payload = dsse.unverified_payload(envelope, where=place)
    statement = read_statement(payload, predicate_type, where=place)
    if sha256 != sha256_hex(payload):
        raise _refused(entry, "copy", "its digest is not that of the statement in it", place)
    # As bytes, because 1, 1.0 and true are equal to Python.
    if canonical_json(copy) != canonical_json(dict(statement.predicate)):
        raise _refused(entry, "copy", "what it says to readers is not what was signed", place)
    return SignedEntry(entry, envelope, sha256, signer, statement)


def _refused(entry: Entry, fault: str, what: str, where: str) -> RejectedError:
    return RejectedError(
        f"{entry.kind}.{fault}", what, where=where, hint="treat it as forged: audit enters nothing of this form"
    )
