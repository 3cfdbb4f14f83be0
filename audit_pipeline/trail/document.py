"""The stored document of an entry: its forms, and what of it is hashed into the tree.

A document is canonical JSON with the keys `at`, `body`, `format`, `index`, `kind`, `run` and `salt`. What is hashed is
its *header*: the same without body and salt, and with `body_sha256`, the SHA-256 of both, instead. So a text that has
to go (see `redaction`) goes with its salt and leaves the header: which run, which kind and when stay as surely bound as
before, and nobody can find out by guessing what the text was. Format 1 had no salt, and the whole document was hashed.

A document is stored exactly as it was made and never written out again. A kind or a format that is added later comes
with a schema migration, even an empty one, so that an older tool calls such a log newer rather than wrong.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

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
from audit_pipeline.trail.kind import KEPT_KINDS, KINDS, Kind
from audit_pipeline.trail.merkle import leaf_hash

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


def read_document(canonical: bytes) -> dict[str, Any]:
    """A stored document, or the header that is left of one, from its canonical bytes.

    Raises:
        ValueError: the bytes are not JSON, not canonical (a key given twice, white space), or not an entry.
    """
    try:
        document: dict[str, Any] = _STORED.validate_json(canonical)
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from error
    if canonical_json(document) != canonical:
        raise ValueError("it is not canonical JSON")
    if "body_sha256" in document and document["kind"] in KEPT_KINDS:
        raise ValueError(f"no {document['kind']} entry is ever taken out")
    return document


def hashed_bytes(document: dict[str, Any]) -> bytes:
    """The bytes that are hashed into the tree: the header, or the whole document of format 1."""
    if "salt" not in document:
        return canonical_json(document)
    header = {key: value for key, value in document.items() if key not in {"body", "salt"}}
    digest = _body_sha256(canonical_text(document["body"]), document["salt"])
    return canonical_json({**header, "body_sha256": digest})


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


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # Quoted, because a key may hold what a terminal would obey.
    place = ".".join(part if part.isidentifier() else repr(part) for part in map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]
