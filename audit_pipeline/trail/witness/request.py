"""What a log sends to a witness: C2SP tlog-witness, add-checkpoint.

old 20852014                  the size that the witness has cosigned
base64 of a hash              the consistency proof from there
…

the checkpoint to cosign
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import read_hash, read_size
from audit_pipeline.trail.note import MAX_NOTE_BYTES, Note, parse_note
from audit_pipeline.trail.proofs import ProofPath
from audit_pipeline.trail.strict_base64 import encode

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
"""Content type of an answer that says which size the witness has cosigned."""
MAX_HASHES = 63
MAX_BODY_BYTES = MAX_NOTE_BYTES + 64 * (MAX_HASHES + 1)


@dataclass(frozen=True)
class AddCheckpoint:
    """A checkpoint to cosign, and the proof that it extends the one that was cosigned last."""

    old: int
    """size of the last one; 0 where there was none"""
    path: ProofPath
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request from bytes that anybody may have sent.

        Raises:
            RejectedError: `witness.malformed`, or `note.malformed` of its checkpoint.
        """
        try:
            if len(body) > MAX_BODY_BYTES:
                raise ValueError(f"it is larger than {MAX_BODY_BYTES} bytes")
            head, blank, note = body.partition(b"\n\n")
            first, *hashes = head.decode().split("\n")
            if not (blank and first.startswith("old ")) or len(hashes) > MAX_HASHES:
                raise ValueError(f"it is not an old size, at most {MAX_HASHES} hashes, a blank line, and a checkpoint")
            old, path = read_size(first.removeprefix("old ")), tuple(map(read_hash, hashes))
        except ValueError as error:
            raise RejectedError("witness.malformed", f"this is no request to a witness: {error}") from error
        return cls(old, path, parse_note(note))

    def to_bytes(self) -> bytes:
        """The request's body."""
        return "\n".join([f"old {self.old}", *map(encode, self.path)]).encode() + b"\n\n" + self.note.to_bytes()
