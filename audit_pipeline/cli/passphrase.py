"""Where a private key's passphrase comes from: a file descriptor, the environment or a prompt; never the arguments."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Annotated

import typer

from audit_pipeline.errors import InputError

VARIABLE = "AUDIT_PASSPHRASE"

PassphraseFd = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        help=f"Read the passphrase from this file descriptor; otherwise from ${VARIABLE} or a prompt.",
        metavar="N",
        min=0,
        max=65_535,
    ),
]


def read_passphrase(descriptor: int | None, *, purpose: str, confirm: bool = False) -> bytes:
    """The passphrase as bytes, without its line end.

    Args:
        descriptor: an open file descriptor, or None.
        purpose: what the prompt says it is for.
        confirm: ask twice at a prompt, for new keys.

    Raises:
        InputError: it is empty, cannot be read, differs when asked twice, or there is nobody to ask.
    """
    if descriptor is not None:
        try:
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return _not_empty(stream.readline())
        except OSError as error:
            raise InputError(
                "passphrase.descriptor",
                f"the passphrase cannot be read: {error.strerror}",
                where=f"--passphrase-fd {descriptor}",
                hint="open the descriptor first, as in: --passphrase-fd 3 3<passphrase-file",
            ) from error
    if VARIABLE in os.environ:
        return _not_empty(os.fsencode(os.environ[VARIABLE]))
    if not sys.stdin.isatty():
        raise InputError(
            "passphrase.nobody-to-ask",
            f"{purpose} needs a passphrase and there is no terminal to ask on",
            hint=f"give --passphrase-fd, or set {VARIABLE}",
        )
    passphrase = getpass.getpass(f"Passphrase for {purpose}: ")
    if confirm and getpass.getpass("Once more: ") != passphrase:
        raise InputError("passphrase.differs", "the two passphrases differ", hint="try again; nothing was written")
    return _not_empty(os.fsencode(passphrase))


def _not_empty(line: bytes) -> bytes:
    passphrase = line.rstrip(b"\r\n")
    if not passphrase:
        raise InputError("passphrase.empty", "the passphrase is empty", hint="a private key is never kept in the clear")
    return passphrase
