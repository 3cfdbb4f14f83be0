"""One entry of the trail: a canonical JSON document (see `document`), and nothing that is not in those bytes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import InputError
from audit_pipeline.trail.document import FORMAT, SALT_BYTES, hashed_bytes, read_document
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.merkle import TreeHead, leaf_hash


@dataclass(frozen=True)
class Entry:
    """An entry as it stands in the log."""

    index: int
    """place in the log, from 0"""
    kind: Kind
    run: str
    """the run that wrote it, 1 to 255 printable characters"""
    at: str
    """when, by the writer's clock: ISO 8601, UTC"""
    body: dict[str, Any]
    """what is recorded: digests and figures, never a row of data; empty where it was taken out"""
    canonical: bytes = field(repr=False)
    """the stored document's exact bytes, UTF-8; those of its header where the text was taken out"""
    leaf_hash: bytes = field(repr=False)
    """RFC 6962 hash of the header's bytes, 32 bytes"""
    redacted: bool = False
    """whether its text was taken out; see `redaction`"""

    @classmethod
    def compose(
        cls, index: int, kind: Kind, run: str, at: str, body: dict[str, Any], salt: bytes | None = None
    ) -> Entry:
        """Make the document and read it back, so that nothing is logged that could not be checked later.

        Args:
            index: place in the log, from 0.
            kind: what is recorded.
            run: the run it belongs to.
            at: the time, ISO 8601, UTC.
            body: a JSON object.
            salt: 16 bytes that nobody knows; None to draw them.

        Raises:
            InputError: a value does not fit the document: an empty run name, a time that is not UTC, a NaN.
        """
        drawn = salt if salt is not None else secrets.token_bytes(SALT_BYTES)
        document = {
            "at": at,
            "body": body,
            "format": FORMAT,
            "index": index,
            "kind": kind,
            "run": run,
            "salt": drawn.hex(),
        }
        try:
            return cls.parse(canonical_json(document))
        except ValueError as error:
            raise InputError("trail.entry", f"this cannot be logged as a {kind!r} entry: {error}") from error

    @classmethod
    def parse(cls, canonical: bytes) -> Entry:
        """Read an entry from the canonical bytes of its document, or of the header that is left of it.

        Raises:
            ValueError: the bytes are not JSON, not canonical (a key given twice, white space), or not an entry.
        """
        document = read_document(canonical)
        return cls(
            index=document["index"],
            kind=document["kind"],
            run=document["run"],
            at=document["at"],
            body=document.get("body", {}),
            canonical=canonical,
            leaf_hash=leaf_hash(hashed_bytes(document)),
            redacted="body_sha256" in document,
        )

    @property
    def header(self) -> bytes:
        """The exact bytes that are hashed into the tree; of format 1 those of the whole document."""
        return hashed_bytes(from_json(self.canonical))

    @property
    def salted(self) -> bool:
        """Whether something else than its text is hashed, so that the text can be taken out."""
        return self.header != self.canonical

    def taken_out(self) -> Entry:
        """What is left of the entry without its text: the same leaf, and nothing to guess the text by.

        Raises:
            ValueError: an entry of this kind or of format 1 is never taken out.
        """
        return Entry.parse(self.header)

    def holds(self, body: dict[str, Any]) -> bool:
        """Whether this body is what was recorded; of a text that was taken out nobody can tell any more."""
        # As bytes, because 1, 1.0 and true are equal to Python.
        return not self.redacted and canonical_json(self.body) == canonical_json(body)

    def to_json(self) -> dict[str, Any]:
        """The document and its leaf hash, as `audit log --json` prints them."""
        return {
            **({"redacted": True} if self.redacted else {}),
            "index": self.index,
            "kind": self.kind,
            "run": self.run,
            "at": self.at,
            "body": self.body,
            "leaf_hash": self.leaf_hash.hex(),
        }


@dataclass(frozen=True)
class Receipt:
    """What an append gives back: the entry, and the head of the log with it as the last leaf."""

    entry: Entry
    head: TreeHead
