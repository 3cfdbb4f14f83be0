"""Opening a log for whoever writes to it: its key is found or, for a new log, made, and has to be the log's own."""

from __future__ import annotations

from pathlib import Path

from audit_pipeline.errors import InputError
from audit_pipeline.trail import checkpoint_rows
from audit_pipeline.trail.checkpointing import Checkpointing, OpenLog
from audit_pipeline.trail.log_key import LogIdentity, identity_of, make_log_key, read_log_key
from audit_pipeline.trail.memory import Memory
from audit_pipeline.trail.note_key import NoteSigner
from audit_pipeline.trail.place import KEY_VARIABLE


def open_checkpointing(log: OpenLog, key_file: Path | None, *, timeout_seconds: float) -> Checkpointing:
    """What signs a log, once the log is known to be the one that its key remembers; see `Checkpointing.catch_up`.

    Args:
        log: an open trail.
        key_file: the log's private key; None where neither the address nor the database says where it is.
        timeout_seconds: how long to wait for other writers.

    Raises:
        InputError: `trail.key-needed`, `trail.key-missing`, `trail.key-wrong`, `trail.key-place` or `note.*`.
        RejectedError: `trail.rolled-back`, `trail.other-log`, `trail.memory` or `trail.memory-missing`.
        ToolError: `trail.memory-place`, or the key or the database cannot be written.
    """
    if key_file is None:
        raise InputError(
            "trail.key-needed",
            "a log on a server is signed with a key that is kept elsewhere, and none was named",
            where=log.where,
            hint=f"name its file in ${KEY_VARIABLE}; the key of a new log is made there",
        )
    key_file = key_file.absolute()
    with log.reading() as connection:
        identity = checkpoint_rows.read_identity(connection)
    signer = read_log_key(key_file, identity, log=log.where) if identity else make_log_key(key_file)
    memory = Memory(key_file, signer.key)
    memory.require_place()
    checkpointing = Checkpointing(log, signer, memory, timeout_seconds)
    if identity is None:
        # Before the log is given this key: it may be one that has signed another log.
        with log.reading() as connection:
            checkpointing.refuse_unlike(checkpointing.recall(), connection, log.head(connection))
        _require_same(_entered(log, signer), signer, key_file, log.where)
    checkpointing.catch_up()
    return checkpointing


def _entered(log: OpenLog, signer: NoteSigner) -> LogIdentity:
    """The log's identity, which another process may have entered in the meantime."""
    with log.writing() as connection:
        found = checkpoint_rows.read_identity(connection)
        if found is None:
            found = identity_of(signer)
            checkpoint_rows.enter_identity(connection, found)
    return found


def _require_same(identity: LogIdentity, signer: NoteSigner, key_file: Path, where: str) -> None:
    if identity != identity_of(signer):
        raise InputError(
            "trail.key-wrong",
            f"this is the key of {signer.key.name}, and {where} was just made with another one's",
            where=str(key_file),
            hint="name the same key for all who write to one log",
        )
