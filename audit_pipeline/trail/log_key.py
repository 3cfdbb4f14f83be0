"""The key of a log: which log it is, and where its private key is.

A new log's key is made with it, beside an SQLite file as `PATH.key`, or where `Place.key` says. Its name is the log's
origin and is made of the key, so that no two logs have one name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.note_key import ED25519, NoteKey, NoteSigner
from audit_pipeline.trail.place import KEY_VARIABLE
from audit_pipeline.trail.signer_file import read_signer, write_signer

ORIGIN_PREFIX = "audit-pipeline.dev/log/"


@dataclass(frozen=True)
class LogIdentity:
    """Which log this is, as its database says."""

    origin: str
    """first line of its checkpoints"""
    vkey: str
    """public key, as others are given it"""

    def key(self) -> NoteKey:
        """The public key.

        Raises:
            RejectedError: `trail.identity`, the database was changed.
        """
        try:
            key = NoteKey.parse(self.vkey)
        except InputError as error:
            raise _changed(error.what) from error
        if key.kind != ED25519 or key.name != self.origin:
            raise _changed("its key is not one of that origin")
        return key


def new_log_signer() -> NoteSigner:
    """A signer with a new key, and with an origin that no other log has."""
    private = Ed25519PrivateKey.generate()
    return NoteSigner(ORIGIN_PREFIX + sha256_hex(private.public_key().public_bytes_raw())[:16], private)


def identity_of(signer: NoteSigner) -> LogIdentity:
    """The identity of the log that a key signs."""
    return LogIdentity(signer.key.name, signer.key.to_vkey())


def make_log_key(path: Path) -> NoteSigner:
    """Make a key file for a new log; where another process has just made one, that is it.

    Raises:
        InputError: `trail.key-place`, no file can be made here; or as `read_log_key`.
        ToolError: `note.write-failed`.
    """
    if not path.parent.is_dir():
        raise InputError(
            "trail.key-place", "the folder for the log's key does not exist", where=str(path), hint="make it first"
        )
    try:
        signer = new_log_signer()
        write_signer(path, signer)
    except FileExistsError:
        return read_signer(path, kind=ED25519)
    return signer


def read_log_key(path: Path, identity: LogIdentity, *, log: str) -> NoteSigner:
    """The private key of a log that has one.

    Args:
        path: where it should be.
        identity: which log it has to be of.
        log: the log, for messages.

    Raises:
        InputError: `trail.key-missing`, `trail.key-wrong`, or as `signer_file.read_signer`.
    """
    way_out = (
        f"put back the key of {identity.origin} with its .checkpoint, or name it in ${KEY_VARIABLE}; if it is lost, "
        "begin a new trail: this one can still be read and verified"
    )
    try:
        signer = read_signer(path, kind=ED25519)
    except FileNotFoundError:
        raise InputError(
            "trail.key-missing",
            f"the key that signs this log is not here, so nothing can be added to {log}",
            where=str(path),
            hint=way_out,
        ) from None
    if identity_of(signer) != identity:
        raise InputError(
            "trail.key-wrong",
            f"this is the key of {signer.key.name}, and {log} is the log {identity.origin}",
            where=str(path),
            hint=way_out,
        )
    return signer


def _changed(what: str) -> RejectedError:
    return RejectedError(
        "trail.identity",
        f"what the database says of which log it is was changed: {what}",
        hint="compare the database with a copy, and the log's vkey with one noted elsewhere",
    )
