"""A log that grows in memory, signed: what a witness is asked about, without any database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.merkle import TreeHead, leaf_hash
from audit_pipeline.trail.note import Note
from audit_pipeline.trail.note_key import NoteSigner
from audit_pipeline.trail.proofs import ProofPath, consistency_path, root_at
from audit_pipeline.trail.witness.request import AddCheckpoint


@dataclass(frozen=True)
class GrownLog:
    """Twenty entries, of which any number may be signed."""

    signer: NoteSigner = field(default_factory=lambda: NoteSigner.generate("example.com/log"))
    forked_at: int = 20
    """from this entry on it holds others than its twin with the same key"""

    def node(self, level: int, number: int) -> bytes:
        """A node by its definition, from the leaves alone."""
        if level == 0:
            return leaf_hash(f"{'false' if number >= self.forked_at else 'true'} {number}".encode())
        below = self.node(level - 1, 2 * number), self.node(level - 1, 2 * number + 1)
        return hashlib.sha256(b"\x01" + b"".join(below)).digest()

    def head(self, size: int) -> TreeHead:
        """The head of the first entries."""
        return TreeHead(size, root_at(size, self.node).hex())

    def checkpoint(self, size: int) -> Note:
        """That head, signed."""
        return sign_checkpoint(self.signer, self.head(size))

    def proof(self, old: int, new: int) -> ProofPath:
        """That the first `new` entries extend the first `old`."""
        return consistency_path(old, new, self.node)

    def request(self, old: int, new: int) -> bytes:
        """What is sent to a witness that has cosigned `old` entries."""
        return AddCheckpoint(old, self.proof(old, new), self.checkpoint(new)).to_bytes()
