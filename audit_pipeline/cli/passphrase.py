"""Where a passphrase or PIN comes from: a file descriptor, the environment or a prompt; never the arguments.

Arguments are shown to every process of the machine, and kept in the shell's history.
"""

from __future__ import annotations

import getpass
import os
import sys
from typing import Annotated

import typer

from audit_pipeline.errors import InputError

VARIABLE = "AUDIT_PASSPHRASE"

_MAX_LINE_BYTES = 4096

PassphraseFd = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        help=f"Read each passphrase or PIN as a line of this file descriptor; otherwise from ${VARIABLE} or a prompt.",
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
            return _not_empty(_line(descriptor))
        except OSError as error:
            raise InputError(
                "passphrase.descriptor",
                f"the passphrase cannot be read: {error.strerror}",
                where=f"--passphrase-fd {descriptor}",
                hint="open the descriptor first, as in: --passphrase-fd 3 3<passphrase-file",
            ) from None
    if VARIABLE in os.environ:
        return _not_empty(os.fsencode(os.environ[VARIABLE]))
    if not sys.stdin.isatty():
        raise InputError(
            "passphrase.nobody-to-ask",
            f"{purpose} needs a passphrase and there is no terminal to ask on",
            hint=f"give --passphrase-fd, or set {VARIABLE}",
        )
    passphrase = _asked(f"Passphrase for {purpose}: ")
    if confirm and _asked("Once more: ") != passphrase:
        raise InputError("passphrase.differs", "the two passphrases differ", hint="try again; nothing was written")
    return _not_empty(os.fsencode(passphrase))


def _asked(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        return ""


def _line(descriptor: int) -> bytes:
    """One line, byte by byte: the next key's passphrase may stand in the next line."""
    line = b""
    while len(line) < _MAX_LINE_BYTES and not line.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            break
        line += byte
    return line


def _not_empty(line: bytes) -> bytes:
    passphrase = line.rstrip(b"\r\n")
    if not passphrase:
        raise InputError("passphrase.empty", "the passphrase is empty", hint="a private key is never kept in the clear")
    return passphrase
