"""What a witness does with a request, and how it answers: C2SP tlog-witness, add-checkpoint, without any HTTP.

It cosigns a checkpoint only if the log's key signed it and it extends the last one that was cosigned: so a log that
was rewritten, cut off or forked gets no cosignature, whoever holds its database and its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import Checkpoint
from audit_pipeline.trail.merkle import EMPTY_ROOT, TreeHead
from audit_pipeline.trail.note import Note
from audit_pipeline.trail.note_key import NoteKey, NoteSigner, verified
from audit_pipeline.trail.proofs import check_consistency
from audit_pipeline.trail.witness.request import SIZE_TYPE, AddCheckpoint
from audit_pipeline.trail.witness.state import WitnessState

_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: HTTPStatus
    body: bytes
    content_type: str = _TEXT

    @classmethod
    def refusal(cls, status: HTTPStatus, why: str) -> Answer:
        """An answer that says why there is no cosignature."""
        return cls(status, f"{why}\n".encode())


class Cosigner:
    """A witness: its key, the logs that it knows, and what it has cosigned of them."""

    def __init__(
        self, signer: NoteSigner, logs: Iterable[NoteKey], state: WitnessState, now: Callable[[], int]
    ) -> None:
        """A witness of some logs.

        Args:
            signer: its own key, of kind `note_key.COSIGNATURE`.
            logs: keys of the logs, each named as its log's origin.
            state: opened with that key.
            now: the time, whole seconds since 1970 (POSIX).
        """
        self._signer = signer
        self._logs = tuple(logs)
        self._state = state
        self._now = now

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request.

        Raises:
            ToolError: `witness.state-*`, the witness cannot know or remember what it cosigned, and cosigns nothing.
        """
        try:
            request = AddCheckpoint.parse(body)
            checkpoint = Checkpoint.parse(request.note.text)
        except RejectedError as error:
            return Answer.refusal(HTTPStatus.BAD_REQUEST, error.what)
        keys = [key for key in self._logs if key.name == checkpoint.origin]
        if not keys:
            return Answer.refusal(HTTPStatus.NOT_FOUND, "this witness does not know the log")
        try:
            signed = verified(request.note, keys)
        except RejectedError as error:
            return Answer.refusal(HTTPStatus.FORBIDDEN, error.what)
        if not signed:
            return Answer.refusal(HTTPStatus.FORBIDDEN, "no key that this witness knows for the log has signed this")
        if request.old > checkpoint.head.size:
            return Answer.refusal(HTTPStatus.BAD_REQUEST, "the old size is above the checkpoint's")
        with self._state.alone():
            return self._cosigned(request, checkpoint, signed)

    def newest(self, origin_sha256: str) -> Answer:
        """The last checkpoint that was cosigned of a log, for whoever wants to compare."""
        note = self._state.newest(origin_sha256)
        if note is None:
            return Answer.refusal(HTTPStatus.NOT_FOUND, "nothing was cosigned of this log")
        return Answer(HTTPStatus.OK, note)

    def _cosigned(self, request: AddCheckpoint, checkpoint: Checkpoint, signed: tuple[NoteKey, ...]) -> Answer:
        last = self._state.recall(checkpoint.origin)
        head = last.head if last else TreeHead(0, EMPTY_ROOT.hex())
        if request.old != head.size:
            return Answer(HTTPStatus.CONFLICT, f"{head.size}\n".encode(), SIZE_TYPE)
        try:
            check_consistency(head, checkpoint.head, request.path)
        except RejectedError as error:
            return Answer.refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error.what)
        text = request.note.text
        cosignature = self._signer.sign(text, seconds=self._now())
        logs = [line for line in request.note.signatures if any(key.names(line) for key in signed)]
        self._state.record(checkpoint.origin, Note(text, (*logs, cosignature)))
        return Answer(HTTPStatus.OK, cosignature.to_line().encode())
