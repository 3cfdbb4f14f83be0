"""Asking a witness for its cosignature: C2SP tlog-witness, add-checkpoint, from the log's side."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from audit_pipeline.errors import AuditError, InputError, RejectedError, ToolError
from audit_pipeline.trail.checkpoint import read_size, signed_checkpoint
from audit_pipeline.trail.note import Note, NoteSignature
from audit_pipeline.trail.note_key import NoteKey, verified
from audit_pipeline.trail.proofs import ProofPath
from audit_pipeline.trail.witness.request import PATH, SIZE_TYPE, AddCheckpoint

_MAX_ANSWER_BYTES = 1 << 16
_MAX_LINES = 16
_MAX_CONFLICTS = 3
"""Others may ask for the same log at the same time, and the size move on between two requests."""
_COSIGNATURE_BYTES = 8 + 64


@dataclass(frozen=True)
class WitnessAddress:
    """Where a witness is. A redirection is not followed and no proxy is asked: what is named is what is spoken to."""

    secure: bool
    host: str
    port: int | None
    prefix: str
    """the path before `/add-checkpoint`"""

    @classmethod
    def parse(cls, url: str) -> WitnessAddress:
        """Read `http://HOST[:PORT][/PREFIX]` or the same with https.

        Raises:
            InputError: `witness.url`.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise InputError(
                "witness.url", f"{url!r} is no address of a witness", hint="for example http://127.0.0.1:8099"
            )
        return cls(parts.scheme == "https", parts.hostname, port, parts.path.rstrip("/"))

    def connect(self, timeout_seconds: float) -> http.client.HTTPConnection:
        """A connection, not opened yet."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=timeout_seconds)


@dataclass(frozen=True)
class _Reply:
    status: int
    content_type: str
    body: bytes


def ask_witness(
    url: str,
    note: Note,
    log: NoteKey,
    consistency: Callable[[int], ProofPath],
    *,
    keys: Iterable[NoteKey] = (),
    timeout_seconds: float = 10.0,
) -> tuple[NoteSignature, ...]:
    """Have a witness cosign a checkpoint.

    Args:
        url: of the witness, before `/add-checkpoint`.
        note: the checkpoint.
        log: the log's key.
        consistency: gives the proof from a smaller size to the checkpoint's.
        keys: of the witness; where any is given, nothing but its cosignatures is taken, and one must be there.
        timeout_seconds: how long to wait for each answer.

    Returns:
        The cosignatures; where no key was given, nobody has checked them yet.

    Raises:
        InputError: `witness.url`, or `witness.unknown-log`: the witness was not told of this log.
        RejectedError: `witness.ahead`, it has seen a longer log; `witness.other-log`, it has seen another one;
            `witness.log-key`, it knows the log by another key; `witness.cosignature`, it answered with none of its own.
        ToolError: `witness.down`, or `witness.answer`: what it answers is not the protocol.
    """
    size = signed_checkpoint(note, log).head.size
    address = WitnessAddress.parse(url)
    with closing(address.connect(timeout_seconds)) as connection:
        reply = _post(connection, address.prefix, AddCheckpoint(0, (), note), url)
        for _ in range(_MAX_CONFLICTS):
            if reply.status != HTTPStatus.CONFLICT:
                break
            old = _old_size(reply, size, url)
            reply = _post(connection, address.prefix, AddCheckpoint(old, consistency(old), note), url)
    if reply.status != HTTPStatus.OK:
        raise _refusal(reply, url)
    return _cosignatures(reply, note, tuple(keys), url)


def _post(connection: http.client.HTTPConnection, prefix: str, request: AddCheckpoint, url: str) -> _Reply:
    try:
        connection.request("POST", prefix + PATH, request.to_bytes(), {"Content-Type": "text/plain; charset=utf-8"})
        response = connection.getresponse()
        body = response.read(_MAX_ANSWER_BYTES + 1)
        if len(body) > _MAX_ANSWER_BYTES:
            raise _not_the_protocol("it is too long", url)
        return _Reply(response.status, response.headers.get_content_type(), body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ToolError(
            "witness.down",
            f"the witness does not answer: {error or type(error).__name__}",
            where=url,
            hint="the log is as it was; ask again when the witness is up",
        ) from error


def _old_size(reply: _Reply, size: int, url: str) -> int:
    try:
        if reply.content_type != SIZE_TYPE:
            raise ValueError("it does not say a size")
        old = read_size(reply.body.decode("ascii").removesuffix("\n"))
    except ValueError as error:
        raise _not_the_protocol(str(error), url) from error
    if old > size:
        raise RejectedError(
            "witness.ahead",
            f"the witness has cosigned {old} entries of this log, and its newest checkpoint here is of {size}",
            where=url,
            hint="this database is an older copy, or entries were cut off: put the newest back",
        )
    return old


def _refusal(reply: _Reply, url: str) -> AuditError:
    said = repr(reply.body[:200].decode("utf-8", "replace").strip())
    match reply.status:
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return RejectedError(
                "witness.other-log",
                f"the witness has seen another log by this name, which this one does not extend: {said}",
                where=url,
                hint="entries that it has seen were changed, or two logs have one key: compare its checkpoint",
            )
        case HTTPStatus.FORBIDDEN:
            return RejectedError(
                "witness.log-key",
                f"the witness knows this log by another key: {said}",
                where=url,
                hint="give the witness the vkey that `audit log` shows for this log",
            )
        case HTTPStatus.NOT_FOUND:
            return InputError(
                "witness.unknown-log",
                f"the witness was not told of this log: {said}",
                where=url,
                hint="start it with --log and this log's vkey",
            )
    return ToolError("witness.answer", f"the witness answered {reply.status}: {said}", where=url)


def _cosignatures(reply: _Reply, note: Note, keys: tuple[NoteKey, ...], url: str) -> tuple[NoteSignature, ...]:
    try:
        lines = reply.body.decode().removesuffix("\n").split("\n")
        if len(lines) > _MAX_LINES:
            raise ValueError(f"it has {len(lines)} lines")
        signatures = tuple(NoteSignature.parse(line) for line in lines)
    except ValueError as error:
        raise _not_the_protocol(str(error), url) from error
    if keys:
        signatures = tuple(line for line in signatures if any(key.names(line) for key in keys))
        if not signatures or not verified(Note(note.text, signatures), keys, where=url):
            raise RejectedError(
                "witness.cosignature",
                "what the witness answered is not signed by the key that it should have",
                where=url,
                hint="this is another witness than the one whose vkey was given",
            )
    return tuple(line for line in signatures if len(line.signature) == _COSIGNATURE_BYTES)


def _not_the_protocol(what: str, url: str) -> ToolError:
    return ToolError(
        "witness.answer",
        f"what answers is no witness: {what}",
        where=url,
        hint="give the address that the witness prints when it starts",
    )
