"""A proof for somebody who has neither the database nor a network: one entry, and the checkpoint that covers it."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import Checkpoint, signed_checkpoint
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, log_key, newest_signed, unsigned
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.proofs import ProofPath, check_consistency
from audit_pipeline.trail.tlog_proof import TlogProof
from audit_pipeline.trail.witnesses import require_witnesses


@dataclass(frozen=True)
class Proven:
    """What a proof that holds proves."""

    entry: Entry
    checkpoint: Checkpoint
    """whose head the entry is in"""
    cosigned: tuple[NoteKey, ...]
    """of the witnesses asked for, those that cosigned it"""


def prove(trail: Trail, entry: Entry, trust: LogTrust) -> TlogProof:
    """The proof that an entry is in the log, under the newest checkpoint that everybody asked for has signed.

    The entry goes with it, its header alone where its text was taken out. The proof is checked before it is given out:
    the tree's nodes come from a database that anybody may have edited.

    Raises:
        RejectedError: `trail.unsigned`, no checkpoint covers the entry; `witness.missing`; or `proof.*`, the database
            holds another tree than the one that was signed.
    """
    key = log_key(trail, trust)
    signed = newest_signed(trail, key, trust.witnesses, covers=entry.index + 1) if key is not None else None
    if key is None or signed is None:
        raise unsigned(trail, entry.index + 1)
    path = trail.inclusion(entry.index, signed.checkpoint.head.size)
    proof = TlogProof(entry.index, path, signed.note, entry.canonical)
    proof.check(entry.leaf_hash, key, where=trail.where)
    return proof


def check_proof(proof: TlogProof, text: bytes | None, trust: LogTrust, where: str) -> Proven:
    """Check a proof with nothing but keys.

    Args:
        proof: as it was read.
        text: the entry's exact bytes; None to take those that the proof carries.
        trust: the log's key, and the witnesses that must have cosigned.
        where: the file, for messages.

    Raises:
        RejectedError: `proof.*`, `note.*`, `checkpoint.*` or `witness.missing`.
    """
    if trust.key is None:
        raise ValueError("a proof is checked with the log's key")
    canonical = text if text is not None else proof.extra
    if canonical is None:
        raise RejectedError(
            "proof.no-entry",
            "the proof does not carry the entry that it is about",
            where=where,
            hint="give the entry's exact bytes with --entry",
        )
    try:
        entry = Entry.parse(canonical)
    except ValueError as error:
        raise RejectedError("proof.no-entry", f"what it proves is no entry of a trail: {error}", where=where) from error
    checkpoint = proof.check(entry.leaf_hash, trust.key, where=where)
    cosigned = require_witnesses(proof.checkpoint, trust.key, trust.witnesses, where=where) if trust.witnesses else ()
    return Proven(entry, checkpoint, tuple(cosigned))


def kept_checkpoint(trail: Trail, content: bytes, trust: LogTrust, where: str) -> Checkpoint:
    """A checkpoint that was kept elsewhere, once the log's key is known to have signed it.

    Raises:
        RejectedError: `trail.unsigned`, the log has no key; or `note.*` and `checkpoint.*`.
    """
    key = log_key(trail, trust)
    if key is None:
        raise unsigned(trail, 1)
    return signed_checkpoint(parse_note(content, where=where), key, where=where)


def extends(trail: Trail, old: Checkpoint, trust: LogTrust) -> tuple[Checkpoint, ProofPath]:
    """The newest checkpoint of a log, and the proof that it extends an older one.

    Raises:
        RejectedError: `trail.unsigned`, nothing was signed; `trail.rolled-back`, nothing as large; `proof.consistency`,
            it does not extend it; or as `prove`.
    """
    key = log_key(trail, trust)
    signed = newest_signed(trail, key, trust.witnesses) if key is not None else None
    if signed is None:
        raise unsigned(trail, old.head.size)
    new = signed.checkpoint
    if new.head.size < old.head.size:
        raise RejectedError(
            "trail.rolled-back",
            f"the log once held {old.head.size} entries, and no checkpoint of it is of more than {new.head.size}",
            where=trail.where,
            hint="this database is an older one, or was cut: keep both, and find the newest",
        )
    path = trail.consistency(old.head.size, new.head.size)
    check_consistency(old.head, new.head, path)
    return new, path
