"""in-toto Statements v1: what an attestation says, and of which bytes it says it.

The **verdict** is signed before the image exists, because the image carries the digest of its payload (TLV 0xA0); its
subject is the .tflite. The **release** is signed after; its subjects are the run's files, the image among them.
`verify` relies on these values of their predicates and on no other::

    verdict   {"verdict": {"outcome": "PASS"}, "policy": {"sha256": …}, …}
    release   {"verdict": {"sha256": digest of the verdict attestation's payload}, …}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.strict_json import shown, strict_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
VERDICT_TYPE = "https://audit-pipeline.dev/verdict/v1"
RELEASE_TYPE = "https://audit-pipeline.dev/release/v1"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Subject:
    """Bytes that a statement is about: a name for people, and the SHA-256 in lower-case hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Statement:
    """A statement as it was read from a payload whose signature holds."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]
    where: str
    """Which attestation it came from, for messages."""

    def speaks_of(self, sha256: str) -> bool:
        """Whether some subject has this digest."""
        return any(subject.sha256 == sha256 for subject in self.subjects)

    def value(self, *path: str) -> Any:
        """The predicate's value at a path of keys.

        Raises:
            RejectedError: `attestation.predicate`, there is no such value.
        """
        value: Any = self.predicate
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                raise RejectedError("attestation.predicate", f"the predicate has no {'.'.join(path)}", where=self.where)
            value = value[key]
        return value


def make_statement(subjects: Sequence[Subject], predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """A statement as canonical JSON: the payload that `dsse.sign` signs.

    Raises:
        ValueError: no subject, a digest that is not SHA-256 hexadecimal, an empty predicate, or a NaN in it.
    """
    if not subjects or not predicate or not predicate_type:
        raise ValueError("a statement needs a subject, a predicate type and a predicate")
    for subject in subjects:
        if not _SHA256.fullmatch(subject.sha256):
            raise ValueError(f"the digest of subject {subject.name!r} is not SHA-256 in lower-case hexadecimal")
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": subject.name, "digest": {"sha256": subject.sha256}} for subject in subjects],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        }
    )


def read_statement(payload: bytes, predicate_type: str, *, where: str) -> Statement:
    """Read a payload that `dsse.verify` gave.

    Raises:
        RejectedError: `attestation.json`, `attestation.statement` where it is not a Statement v1, or
            `attestation.predicate-type` where it is a statement of another kind.
    """
    document = strict_json(payload, code="attestation.json", where=where)
    if not isinstance(document, dict) or set(document) != {"_type", "subject", "predicateType", "predicate"}:
        raise _malformed("it does not have exactly _type, subject, predicateType and predicate", where)
    if document["_type"] != STATEMENT_TYPE:
        raise _malformed(f"_type is not {STATEMENT_TYPE}", where)
    if document["predicateType"] != predicate_type:
        raise RejectedError(
            "attestation.predicate-type",
            f"this attestation is a {shown(document['predicateType'])}, not a {predicate_type!r}",
            where=where,
            hint="give the verdict and the release each in its own place",
        )
    if not isinstance(document["predicate"], dict):
        raise _malformed("the predicate is not an object", where)
    return Statement(_subjects(document["subject"], where), predicate_type, document["predicate"], where)


def _subjects(found: Any, where: str) -> tuple[Subject, ...]:
    if not isinstance(found, list) or not found:
        raise _malformed("it has no subject", where)
    subjects = tuple(_subject(item, where) for item in found)
    if len({subject.name for subject in subjects}) < len(subjects):
        raise _malformed("two subjects have one name", where)
    return subjects


def _subject(item: Any, where: str) -> Subject:
    match item:
        case {"name": str(name), "digest": {"sha256": str(sha256), **other}, **more}:
            if _SHA256.fullmatch(sha256) and not other and not more:
                return Subject(name, sha256)
    raise _malformed("a subject does not have exactly a name and a SHA-256", where)


def _malformed(what: str, where: str) -> RejectedError:
    return RejectedError("attestation.statement", f"not an in-toto Statement v1: {what}", where=where)
