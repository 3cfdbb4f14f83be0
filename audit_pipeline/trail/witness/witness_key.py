"""The key of a witness, which no log and nobody who holds one has."""

from __future__ import annotations

from pathlib import Path

from audit_pipeline.errors import InputError
from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner
from audit_pipeline.trail.signer_file import read_signer, write_signer


def make_witness_key(path: Path, name: str) -> NoteSigner:
    """Make a witness's key file, mode 0600.

    Args:
        path: where none is yet.
        name: of the witness, a URL without scheme such as `example.com/w1`.

    Raises:
        InputError: `witness.name`, or `witness.key-exists`: a key is never overwritten.
        ToolError: `note.write-failed`.
    """
    try:
        signer = NoteSigner.generate(name, COSIGNATURE)
        write_signer(path, signer)
    except ValueError as error:
        raise InputError("witness.name", str(error), hint="for example example.com/w1") from error
    except FileExistsError:
        raise InputError(
            "witness.key-exists", "a key is never overwritten", where=str(path), hint="choose another name"
        ) from None
    return signer


def read_witness_key(path: Path) -> NoteSigner:
    """The key of a witness.

    Raises:
        InputError: `witness.key-missing`, or as `signer_file.read_signer`.
    """
    try:
        return read_signer(path, kind=COSIGNATURE)
    except FileNotFoundError:
        raise InputError(
            "witness.key-missing",
            "there is no key of a witness here",
            where=str(path),
            hint="`audit log witness new FILE --name NAME` makes one",
        ) from None
