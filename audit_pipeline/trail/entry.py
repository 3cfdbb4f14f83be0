"""One entry of the trail: a canonical JSON document, and nothing that is not in those bytes.

The document has the keys `at`, `body`, `format`, `index`, `kind` and `run`. Its bytes are stored exactly as they were
hashed and are never written out again. A kind or a format that is added later comes with a schema migration, even an
empty one, so that an older tool calls such a log newer rather than wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError, with_config
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

KEPT_KINDS = frozenset({"seal", "keys", "redaction"})
"""Kinds of entry whose text is never taken out; see `redaction`."""

FORMAT = 1


def _real_moment(at: str) -> str:
    datetime.fromisoformat(at)
    return at


_UTC_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|\+00:00)")
# No control characters: a run's name is printed to terminals.
_RUN_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,255}")
_UtcTime = Annotated[str, Field(pattern=f"^{_UTC_TIME.pattern}$"), AfterValidator(_real_moment)]
_RunName = Annotated[str, Field(pattern=f"^{_RUN_NAME.pattern}$")]


@with_config(ConfigDict(strict=True, extra="forbid"))
class _Document(TypedDict):
    at: _UtcTime
    body: dict[str, JsonValue]
    format: Literal[1]
    index: Annotated[int, Field(ge=0)]
    kind: Kind
    run: _RunName


_DOCUMENT = TypeAdapter(_Document)
_HEX_HASH = re.compile(r"[0-9a-f]{64}")


def is_document(text: str, index: int, kind: str, run: str, at: str) -> bool:
    """Whether a text is an entry's document with these values: what `Entry.parse` says, in half the time.

    Never true where `Entry.parse` raises or reads other values, so whoever is told that it is not can ask there why.
    The values may come from a file that somebody edited, and be of any type.
    """
    try:
        body = from_json(text, allow_inf_nan=False)["body"]
        written = (
            f'{{"at":{_quoted_time(at)},"body":{canonical_text(body)},"format":{FORMAT},"index":{index},'
            f'"kind":"{kind}","run":{_quoted_run(run)}}}'
        )
    except (ValueError, TypeError, KeyError):
        return False
    return written == text and type(body) is dict and kind in KINDS


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
    """the document's exact bytes, UTF-8; empty where they were taken out"""
    leaf_hash: bytes = field(repr=False)
    """RFC 6962 hash of the document's bytes, 32 bytes"""

    @classmethod
    def emptied(cls, index: int, kind: Kind, run: str, at: str, leaf_hash: str) -> Entry:
        """An entry whose text was taken out, from what is left of it.

        Raises:
            ValueError: this is no such entry, or a `leaf_hash` that is not 64 hexadecimal digits.
        """
        document = {"at": at, "body": {}, "format": FORMAT, "index": index, "kind": kind, "run": run}
        try:
            _DOCUMENT.validate_python(document)
        except ValidationError as error:
            raise ValueError(_first_problem(error)) from error
        if kind in KEPT_KINDS:
            raise ValueError(f"no {kind} entry is ever taken out")
        if not _HEX_HASH.fullmatch(leaf_hash):
            raise ValueError("its hash is none")
        return cls(index, kind, run, at, {}, b"", bytes.fromhex(leaf_hash))

    @property
    def redacted(self) -> bool:
        """Whether its text was taken out; see `redaction`."""
        return not self.canonical

    def holds(self, body: dict[str, Any]) -> bool:
        """Whether this body is what was recorded, by its hash, so that it can be asked of a redacted entry too."""
        try:
            return Entry.compose(self.index, self.kind, self.run, self.at, body).leaf_hash == self.leaf_hash
        except InputError:
            return False

    @classmethod
    def compose(cls, index: int, kind: Kind, run: str, at: str, body: dict[str, Any]) -> Entry:
        """Make the document and read it back, so that nothing is logged that could not be checked later.

        Raises:
            InputError: a value does not fit the document: an empty run name, a time that is not UTC, a NaN.
        """
        document = {"at": at, "body": body, "format": FORMAT, "index": index, "kind": kind, "run": run}
        try:
            return cls.parse(canonical_json(document))
        except ValueError as error:
            raise InputError("trail.entry", f"this cannot be logged as a {kind!r} entry: {error}") from error

    @classmethod
    def parse(cls, canonical: bytes) -> Entry:
        """Read an entry from its canonical bytes.

        Raises:
            ValueError: the bytes are not JSON, not canonical (a key given twice, white space), or not an entry.
        """
        try:
            document = _DOCUMENT.validate_json(canonical)
        except ValidationError as error:
            raise ValueError(_first_problem(error)) from error
        if canonical_json(document) != canonical:
            raise ValueError("it is not canonical JSON")
        return cls(
            index=document["index"],
            kind=document["kind"],
            run=document["run"],
            at=document["at"],
            body=document["body"],
            canonical=canonical,
            leaf_hash=leaf_hash(canonical),
        )

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


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # Quoted, because a key may hold what a terminal would obey.
    place = ".".join(part if part.isidentifier() else repr(part) for part in map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
