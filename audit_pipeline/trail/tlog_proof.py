"""Proofs that an entry is in a log, as C2SP tlog-proof has them: one text that is checked without network or database.

    c2sp.org/tlog-proof@v1
    extra base64                  where there is any: here the entry itself, its canonical bytes
    index 73894
    base64 of a hash              the inclusion proof of RFC 6962, from the leaf's sibling up
    …

    the checkpoint, with all its signatures

Who checks has the log's key, and those of the witnesses, from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import Checkpoint, read_hash, read_size, signed_checkpoint
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.proofs import ProofPath, check_inclusion
from audit_pipeline.trail.strict_base64 import decode, encode

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_BYTES = 1 << 23
MAX_HASHES = 63
"""A tree of 2**63 − 1 leaves, the largest a checkpoint may name, is not higher."""


@dataclass(frozen=True)
class TlogProof:
    """A proof as it was written; nothing of it is believed before `check`."""

    index: int
    """of the entry, from 0"""
    path: ProofPath
    """hashes of 32 bytes, from the leaf's sibling to the root's child"""
    checkpoint: Note
    extra: bytes | None = None
    """what the maker added; to be believed only where it is the very leaf that is proven"""

    @classmethod
    def parse(cls, content: bytes, *, where: str | None = None) -> Self:
        """Read a proof from bytes that anybody may have made.

        Raises:
            RejectedError: `proof.malformed`, or `note.malformed` of its checkpoint.
        """
        try:
            if len(content) > MAX_PROOF_BYTES:
                raise ValueError(f"it is larger than {MAX_PROOF_BYTES >> 20} MiB")
            head, blank, checkpoint = content.partition(b"\n\n")
            header, *lines = head.decode().split("\n")
            if header != HEADER or not blank:
                raise ValueError(f"it is not {HEADER!r}, lines of a proof, a blank line, and a checkpoint")
            extra = decode(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
            index = read_size((lines or [""])[0].removeprefix("index "))
            if not lines[0].startswith("index ") or len(lines) > 1 + MAX_HASHES:
                raise ValueError("it has no index, or too many hashes")
            path = tuple(read_hash(line) for line in lines[1:])
        except ValueError as error:
            raise RejectedError("proof.malformed", f"this is no proof of an entry: {error}", where=where) from error
        return cls(index, path, parse_note(checkpoint, where=where), extra)

    def to_bytes(self) -> bytes:
        """The proof as it is stored: to be kept in a file that ends in `.tlog-proof`."""
        extra = [] if self.extra is None else [f"extra {encode(self.extra)}"]
        lines = [HEADER, *extra, f"index {self.index}", *map(encode, self.path)]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint.to_bytes()

    def check(self, leaf: bytes, log: NoteKey, *, where: str | None = None) -> Checkpoint:
        """Check that an entry is in a log. Witnesses are asked for apart: see `witnesses.require_witnesses`.

        Args:
            leaf: the entry's `merkle.leaf_hash`, computed by whoever checks, 32 bytes.
            log: the log's key, from elsewhere than the proof.
            where: the file, for messages.

        Returns:
            The checkpoint, whose head the entry is in.

        Raises:
            RejectedError: `proof.*`, `note.*` or `checkpoint.*`.
        """
        checkpoint = signed_checkpoint(self.checkpoint, log, where=where)
        check_inclusion(checkpoint.head, self.index, leaf, self.path)
        return checkpoint
