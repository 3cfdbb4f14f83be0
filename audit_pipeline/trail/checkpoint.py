"""Checkpoints as C2SP tlog-checkpoint has them: the head of a log as the text of a signed note.

    example.com/log               the origin: which log this is
    20852163                      how many entries it has
    CsUYapGGPo4dkMgIAUqom/Xa…     the root over them, base64

Whoever has one can later demand a proof that the log only grew since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.merkle import HASH_BYTES, TreeHead
from audit_pipeline.trail.note import Note
from audit_pipeline.trail.note_key import NoteKey, NoteSigner, verified
from audit_pipeline.trail.strict_base64 import decode, encode

MAX_SIZE = (1 << 63) - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself at one size."""

    origin: str
    """the log's identity, one line"""
    head: TreeHead
    extensions: tuple[str, ...] = ()
    """further lines, which other logs may have and which mean nothing here"""

    @classmethod
    def parse(cls, text: str, *, where: str | None = None) -> Self:
        """Read a note's text. It is a claim until the note's signatures were checked: see `signed_checkpoint`.

        Raises:
            RejectedError: `checkpoint.malformed`.
        """
        try:
            origin, size, root, *extensions = text.removesuffix("\n").split("\n")
            if not (origin and all(extensions)):
                raise ValueError("an empty line")
            return cls(origin, TreeHead(read_size(size), read_hash(root).hex()), tuple(extensions))
        except ValueError as error:
            raise RejectedError("checkpoint.malformed", f"this is no checkpoint: {error}", where=where) from error

    def to_text(self) -> str:
        """The note's text."""
        root = encode(bytes.fromhex(self.head.root))
        return "".join(f"{line}\n" for line in (self.origin, self.head.size, root, *self.extensions))


def sign_checkpoint(signer: NoteSigner, head: TreeHead) -> Note:
    """A log's signed checkpoint; its origin is its key's name."""
    text = Checkpoint(signer.key.name, head).to_text()
    return Note(text, (signer.sign(text),))


def signed_checkpoint(note: Note, log: NoteKey, *, where: str | None = None) -> Checkpoint:
    """The checkpoint that a note holds, once the log's key is known to have signed it.

    Raises:
        RejectedError: `checkpoint.unsigned`, `checkpoint.other-log`, `checkpoint.malformed` or `note.signature`.
    """
    if not verified(note, (log,), where=where):
        raise RejectedError(
            "checkpoint.unsigned",
            f"this checkpoint is not signed by the log {log.name!r}",
            where=where,
            hint="give the log's own key, and a checkpoint of that log",
        )
    checkpoint = Checkpoint.parse(note.text, where=where)
    if checkpoint.origin != log.name:
        raise RejectedError(
            "checkpoint.other-log",
            f"this checkpoint is of the log {checkpoint.origin!r}, not of {log.name!r}",
            where=where,
        )
    return checkpoint


def read_size(text: str) -> int:
    """A tree's size in decimal, without leading zeroes, at most 2**63 − 1.

    Raises:
        ValueError: it is none.
    """
    if not _SIZE.fullmatch(text) or int(text) > MAX_SIZE:
        raise ValueError("a size is a plain decimal number")
    return int(text)


def read_hash(text: str) -> bytes:
    """A SHA-256 in base64, 32 bytes.

    Raises:
        ValueError: it is none.
    """
    decoded = decode(text)
    if len(decoded) != HASH_BYTES:
        raise ValueError(f"a hash has {HASH_BYTES} bytes, not {len(decoded)}")
    return decoded
