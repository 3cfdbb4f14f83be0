"""A trust file between bytes and value; who signed it is not asked here (see `trust`).

Reading is strict: every problem is told with its line. Writing gives one text for one value, so that what a change
makes can be made again, byte for byte, and compared by its digest. Comments are therefore not kept: notes and reasons
are, and that is where they belong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from audit_pipeline.errors import InputError
from audit_pipeline.seal.trust.checks import disagreements
from audit_pipeline.seal.trust.schema import ImageRole, Log, Role, TrustDocument
from audit_pipeline.strict_yaml import Loaded, Problem, load, refuse
from audit_pipeline.strict_yaml.loading import LARGEST_BYTES
from audit_pipeline.strict_yaml.scalars import resolve

_STAGE = "trust"
_HEADER = (
    "# Whose signatures count. Believed only with enough signatures of root keys beside it (trust.dsse.json).\n"
    "# To change it: `audit keys rotate` or `revoke`, or by hand, serial raised by one; then have it signed again.\n"
    "# Those commands keep notes, not comments.\n"
)


def read_trust(path: Path) -> Loaded[TrustDocument]:
    """Read a trust file and hold it against itself; nothing is said about who made it.

    Raises:
        InputError: `trust.*`; every problem with its line.
    """
    file = load(path, TrustDocument, _STAGE)
    found = disagreements(file.value)
    if found:
        refuse(str(path), _STAGE, [Problem(file.line(loc), loc, kind, text) for loc, kind, text in found])
    return file


def write_text(document: TrustDocument) -> bytes:
    """The one text of a trust file, UTF-8.

    Raises:
        InputError: `trust.*`; `read_trust` would refuse it.
    """
    for loc, kind, text in disagreements(document):
        raise InputError(f"{_STAGE}.{kind}", text, where=".".join(map(str, loc)))
    content = (_HEADER + "\n".join(_lines(document)) + "\n").encode()
    if len(content) > LARGEST_BYTES:
        raise InputError(f"{_STAGE}.too-large", "the file would be too large to be read", hint="give shorter notes")
    return content


def _lines(document: TrustDocument) -> Iterator[str]:
    yield f"version: {document.version}"
    yield f"name: {_word(document.name)}"
    yield f"serial: {document.serial}"
    yield f"expires: {document.expires}"
    yield "keys:"
    for name, key in document.keys.items():
        yield f"  {_word(name)}:"
        yield f"    kind: {key.kind}"
        yield f"    public: {_word(key.public)}"
        if key.until is not None:
            yield f"    until: {key.until}"
        if key.note is not None:
            yield f"    note: {_quoted(key.note)}"
    yield "roles:"
    for role_name, role in document.roles.given().items():
        yield f"  {role_name}: {_role(role)}"
    if document.approvers:
        yield "approvers:"
    for approver, keys in document.approvers.items():
        yield f"  {_word(approver)}: [{', '.join(map(_word, keys))}]"
    if document.log is not None:
        yield from _log(document.log)
    if document.revoked:
        yield "revoked:"
    for revoked in document.revoked:
        yield f"  - fingerprint: {_word(revoked.fingerprint)}"
        yield f"    at: {revoked.at}"
        yield f"    reason: {_quoted(revoked.reason)}"


def _log(log: Log) -> Iterator[str]:
    yield "log:"
    yield f"  key: {_quoted(log.key)}"
    if log.witnesses is not None:
        yield "  witnesses:"
        yield f"    keys: [{', '.join(map(_quoted, log.witnesses.keys))}]"
        yield f"    threshold: {log.witnesses.threshold}"


def _role(role: Role | ImageRole) -> str:
    return f"{{keys: [{', '.join(map(_word, role.keys))}], threshold: {role.threshold}}}"


def _word(text: str) -> str:
    """Plain where it reads back as text; `007` and `null` are names too, and would not."""
    return text if resolve(text) == text else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
