"""One entry of the trail: a canonical JSON document, and nothing that is not in those bytes.

The document has the keys `at`, `body`, `format`, `index`, `kind`, `run` and `salt`. What is hashed into the tree is its
*header*: the same without body and salt, and with `body_sha256`, the SHA-256 of both, instead. So a text that has to go
(see `redaction`) goes with its salt and leaves the header: which run, which kind and when stay as surely bound as
before, and nobody can find out by guessing what the text was. Format 1 had no salt, and the whole document was hashed.

A document is stored exactly as it was made and never written out again. A kind or a format that is added later comes
with a schema migration, even an empty one, so that an older tool calls such a log newer rather than wrong.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    TypeAdapter,
    ValidationError,
    with_config,
)
from pydantic_core import from_json
from typing_extensions import TypedDict

from audit_pipeline.canonical import canonical_json, canonical_text
from audit_pipeline.errors import InputError
from audit_pipeline.trail.merkle import TreeHead, leaf_hash

Kind = Literal[
    "policy",
    "data",
    "model",
    "candidate",
    "findings",
    "verdict",
    "seal",
    "aborted",
    "keys",
    "approval",
    "waiver",
    "incident",
    "revocation",
    "redaction",
    "clock",
]
"""What an entry records.

One kind per stage; `aborted` for a run that ended in an error; `keys` for a trust file; `approval`, `waiver`,
`incident` and `revocation` for what a person signed about a run; `redaction` for an entry whose text was taken out;
`clock` for a correction of the writers' clock.
"""

KINDS: frozenset[str] = frozenset(get_args(Kind))

KEPT_KINDS = frozenset({"candidate", "findings", "verdict", "seal", "aborted", "keys", "redaction"})
"""Kinds of entry whose text is never taken out; see `redaction`."""

FORMAT = 2
SALT_BYTES = 16


def _real_moment(at: str) -> str:
    datetime.fromisoformat(at)
    return at


_UTC_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|\+00:00)")
# No control characters: a run's name is printed to terminals.
_RUN_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,255}")
_UtcTime = Annotated[str, Field(pattern=f"^{_UTC_TIME.pattern}$"), AfterValidator(_real_moment)]
_RunName = Annotated[str, Field(pattern=f"^{_RUN_NAME.pattern}$")]


class _Common(TypedDict):
    at: _UtcTime
    index: Annotated[int, Field(ge=0)]
    kind: Kind
    run: _RunName


@with_config(ConfigDict(strict=True, extra="forbid"))
class _Document(_Common):
    body: dict[str, JsonValue]
    format: Literal[2]
    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


@with_config(ConfigDict(strict=True, extra="forbid"))
class _Header(_Common):
    body_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    format: Literal[2]


@with_config(ConfigDict(strict=True, extra="forbid"))
class _First(_Common):
    body: dict[str, JsonValue]
    format: Literal[1]


def _form(document: Any) -> Literal["document", "header", "first"]:
    if isinstance(document, dict) and document.get("format") == 1:
        return "first"
    return "header" if isinstance(document, dict) and "body_sha256" in document else "document"


_STORED: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        Annotated[_Document, Tag("document")] | Annotated[_Header, Tag("header")] | Annotated[_First, Tag("first")],
        Discriminator(_form),
    ]
)
_SALT = re.compile(r',"salt":"[0-9a-f]{32}"}')
_SALT_CHARACTERS = len(',"salt":""}') + 2 * SALT_BYTES


def leaf_of(text: str, index: int, kind: str, run: str, at: str) -> bytes | None:
    """The leaf hash of an entry's document of today's format, if the text is one and has these values; else None.

    What `Entry.parse` says, in half the time. Never a hash where that raises or reads other values, so whoever is given
    None can ask there why. The values may come from a file that somebody edited, and be of any type.
    """
    try:
        moment, named = _quoted_time(at), _quoted_run(run)
        before, after = f'{{"at":{moment},"body":', f',"format":{FORMAT},"index":{index},"kind":"{kind}","run":{named}'
        said, salt = text[:-_SALT_CHARACTERS], text[-_SALT_CHARACTERS:]
        if not (kind in KINDS and said.startswith(before) and said.endswith(after) and _SALT.fullmatch(salt)):
            return None
        body = said[len(before) : -len(after)]
        value = from_json(body, allow_inf_nan=False)
        if type(value) is not dict or canonical_text(value) != body:
            return None
        digest = hashlib.sha256(f'{{"body":{body}{salt}'.encode()).hexdigest()
        return leaf_hash(f'{{"at":{moment},"body_sha256":"{digest}"{after}}}'.encode())
    except (ValueError, TypeError, AttributeError):
        return None


def _body_sha256(body: str, salt: str) -> str:
    """SHA-256 of body and salt, as the canonical JSON of both."""
    return hashlib.sha256(f'{{"body":{body},"salt":"{salt}"}}'.encode()).hexdigest()


# Several entries have one run, and many have one second.
@lru_cache(maxsize=4096)
def _quoted_time(at: str) -> str:
    if not _UTC_TIME.fullmatch(_real_moment(at)):
        raise ValueError("it is not UTC")
    return f'"{at}"'


@lru_cache(maxsize=4096)
def _quoted_run(run: str) -> str:
    if not _RUN_NAME.fullmatch(run):
        raise ValueError("it cannot be printed")
    return canonical_text(run)


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
        try:
            document = _STORED.validate_json(canonical)
        except ValidationError as error:
            raise ValueError(_first_problem(error)) from error
        if canonical_json(document) != canonical:
            raise ValueError("it is not canonical JSON")
        redacted = "body_sha256" in document
        if redacted and document["kind"] in KEPT_KINDS:
            raise ValueError(f"no {document['kind']} entry is ever taken out")
        return cls(
            index=document["index"],
            kind=document["kind"],
            run=document["run"],
            at=document["at"],
            body=document.get("body", {}),
            canonical=canonical,
            leaf_hash=leaf_hash(_hashed(document)),
            redacted=redacted,
        )

    @property
    def header(self) -> bytes:
        """The exact bytes that are hashed into the tree; of format 1 those of the whole document."""
        return _hashed(from_json(self.canonical))

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


def _hashed(document: dict[str, Any]) -> bytes:
    """The bytes that are hashed into the tree: the header, or the whole document of format 1."""
    if "salt" not in document:
        return canonical_json(document)
    header = {key: value for key, value in document.items() if key not in {"body", "salt"}}
    digest = _body_sha256(canonical_text(document["body"]), document["salt"])
    return canonical_json({**header, "body_sha256": digest})


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # Quoted, because a key may hold what a terminal would obey.
    place = ".".join(part if part.isidentifier() else repr(part) for part in map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
