"""`signing/trust.yaml` as strict, frozen models: the authority behind `policies/trust.schema.json`.

A key that is replaced in good order has an `until`, and counts up to that moment. A key that is `revoked` counts for
nothing, from whatever time its signatures claim to be: a thief writes any date.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.forms import KeyKind
from audit_pipeline.strict_yaml import Strict

RoleName = Literal["root", "image", "verdict", "release", "waiver"]
ROLES: tuple[RoleName, ...] = ("root", "image", "verdict", "release", "waiver")


def moment(text: str) -> datetime:
    """A point in time from its ISO 8601 text with a time zone.

    Raises:
        ValueError: it is none, or names no zone.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its zone is no moment")
    return found


def _real(text: str) -> str:
    try:
        moment(text)
    except ValueError:
        raise ValueError("there is no such day or time") from None
    return text


def _printable(text: str) -> str:
    # Notes and reasons are printed to terminals; a line break or a change of direction could fake another line.
    if not text.isprintable():
        raise ValueError("one line of printable characters, no control or formatting characters")
    return text


Moment = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"),
    Field(examples=["2027-05-04T00:00:00Z"], description="UTC, to the second"),
    AfterValidator(_real),
]
KeyName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), Field(examples=["release-2026"])
]
Fingerprint = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(description="as `audit keys fingerprint` prints it")
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_printable)]


ApproverRole = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$"), Field(examples=["clinical-safety"])
]
VerifierKey = Annotated[
    str,
    StringConstraints(pattern=r"^[!-*,-~]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{1,300}={0,2}$"),
    Field(examples=["log.example.com+7e0e8d92+AQ…"]),
]


class TrustedKey(Strict):
    """A public key and what people call it. What it may sign stands in the roles, not here."""

    kind: KeyKind
    public: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{1,300}={0,2}$")] = Field(
        description="SubjectPublicKeyInfo in base64, on one line: a PEM file's text without its first and last line"
    )
    until: Moment | None = Field(
        default=None, description="when it stops to count, for a key that is replaced in good order"
    )
    note: Line | None = Field(default=None, description="where it is kept, and by which function; not a person's name")


class Role(Strict):
    """Keys, of which as many distinct ones as the threshold says must sign."""

    keys: Annotated[tuple[KeyName, ...], Field(min_length=1, max_length=64)]
    threshold: Annotated[int, Field(ge=1, le=64)]


class ImageRole(Strict):
    """Keys of which one signs each image: MCUboot has room for one signature."""

    keys: Annotated[tuple[KeyName, ...], Field(min_length=1, max_length=64)]
    threshold: Literal[1] = 1


class Roles(Strict):
    """Who signs what. Where there is no waiver role, no waiver is ever accepted."""

    root: Role = Field(description="signs this file; readers pin these keys from elsewhere")
    image: ImageRole = Field(description="signs images")
    verdict: Role = Field(description="signs verdict attestations")
    release: Role = Field(description="signs release attestations")
    waiver: Role | None = Field(default=None, description="signs waivers; two keys or more must")

    def given(self) -> dict[RoleName, Role | ImageRole]:
        """The roles that the file has, in their order."""
        return {name: role for name in ROLES if (role := getattr(self, name)) is not None}


class RevokedKey(Strict):
    """A key that counts for nothing any more, whichever of its signatures it is."""

    fingerprint: Fingerprint
    at: Moment
    reason: Line


class Witnesses(Strict):
    """Who keep what the log said of itself, and of whom as many as the threshold says must have seen a checkpoint."""

    keys: Annotated[tuple[VerifierKey, ...], Field(min_length=1, max_length=64)]
    threshold: Annotated[int, Field(ge=1, le=64)]


class Log(Strict):
    """The audit trail that releases are entered in: whose checkpoints are believed."""

    key: VerifierKey = Field(description="signs checkpoints, as `audit log` names it")
    witnesses: Witnesses | None = Field(default=None, description="where there are none, the log's word is enough")


class TrustDocument(Strict):
    """A whole trust file."""

    version: Literal[1]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$"), Field(examples=["wearable"])]
    serial: Annotated[int, Field(ge=1, lt=1 << 53)] = Field(description="rises by one with every change")
    expires: Moment = Field(description="from when on the file is not believed: bounds the life of an old copy")
    keys: Annotated[dict[KeyName, TrustedKey], Field(min_length=1, max_length=256)]
    roles: Roles
    approvers: Annotated[
        dict[ApproverRole, Annotated[tuple[KeyName, ...], Field(min_length=1, max_length=64)]], Field(max_length=64)
    ] = Field(
        default_factory=dict,
        description="who may approve a release in which role; how many must is the policy's to say (`approvals`)",
    )
    log: Log | None = None
    revoked: Annotated[tuple[RevokedKey, ...], Field(max_length=1024)] = ()


def checked_document(values: dict[str, Any]) -> TrustDocument:
    """A trust file from plain values, as a change makes them.

    Raises:
        InputError: `trust.invalid`, a value that the file may not hold, such as a reason of two lines.
    """
    try:
        return TrustDocument.model_validate_json(json.dumps(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError("trust.invalid", first["msg"].removeprefix("Value error, "), where=where) from None


def trust_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a trust file, as `policies/trust.schema.json` holds it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:audit-pipeline:trust:1",
        **TrustDocument.model_json_schema(by_alias=True),
    }
